#include "halftone/transform/pass.h"

#include <array>

namespace halftone::transform {
namespace {

constexpr std::array kPasses = {
#define HT_PASS(name, summary) Pass{#name, summary, &name},
#include "halftone/transform/passes.def"
#undef HT_PASS
};

}  // namespace

std::span<const Pass> all_passes() { return kPasses; }

Graph simplify(Graph graph, const KeepNames& keep) {
  for (const Pass& pass : all_passes()) graph = pass.function(std::move(graph), keep);
  return graph;
}

QuantizedModel simplify(QuantizedModel model, const KeepNames& keep) {
  KeepNames all = keep;
  all.merge(names_in_use(model));
  model.graph = simplify(std::move(model.graph), all);
  return model;
}

}  // namespace halftone::transform
