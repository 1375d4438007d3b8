// The room `zoo`: untrained reference networks, as graphs that lack their parameters. It sees transform.
//
// To add one: a file in networks/ and a line in networks.def.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "halftone/graph/graph.h"
#include "halftone/quant/step_request.h"

namespace halftone::zoo {

struct NetworkInfo {
  std::string_view name;
  std::string_view words;  // with their defaults, as a request has them
  std::string_view summary, source;
};
// The lines of networks.def.
std::span<const NetworkInfo> all_networks();

// "resnet:depth=20:width=0.5": a network by name, with the words that differ from its defaults. Errors:
// Error{InvalidArgument} for an unknown name, with the nearest known one, and for damaged words.
StepRequest parse_network(std::string_view text);

// The network that a request describes: verified, of opset 13 or, for Gelu, 20, types inferred; input "image" float[N,
// 3, size, size], output "logits" float[N, classes]. Its parameters are inputs that transform::initialize gives
// content; the names are those that training frameworks use ("layer1.0.conv1.weight"), and a layer's result is called
// like its node. Batch normalization is not folded. Errors: Error{InvalidArgument} for an unknown word, with the
// nearest known one, and for values that make no network, saying why.
Graph make_network(const StepRequest& request);

}  // namespace halftone::zoo
