// The room `transform`: rewrites of a network that keep what it computes, one file per pass. It sees sim.
//
// A pass takes a Graph and returns one that computes the same function (within float rounding) with fewer or cheaper
// nodes; it is idempotent. To add one: a file beside these and a line in passes.def.
#pragma once

#include <set>
#include <span>
#include <string>
#include <string_view>

#include "halftone/graph/graph.h"
#include "halftone/quant/encodings.h"

namespace halftone::transform {

// Names of values that must survive with their content: those with encodings, those that somebody observes.
using KeepNames = std::set<std::string, std::less<>>;

using PassFunction = Graph (*)(Graph graph, const KeepNames& keep);

struct Pass {
  std::string_view name;
  std::string_view summary;
  PassFunction function;
};

// The list of passes.def, in the order in which they help each other.
std::span<const Pass> all_passes();

#define HT_PASS(name, summary) Graph name(Graph graph, const KeepNames& keep);
#include "halftone/transform/passes.def"
#undef HT_PASS

// Every pass of the list, once. `keep` as above.
Graph simplify(Graph graph, const KeepNames& keep = {});

// The same for a quantized network: values that carry encodings keep them and their content.
QuantizedModel simplify(QuantizedModel model, const KeepNames& keep = {});

}  // namespace halftone::transform
