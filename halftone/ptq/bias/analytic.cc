#include <algorithm>
#include <optional>

#include "halftone/graph/op_table.h"
#include "halftone/ptq/bias/correct.h"
#include "halftone/quant/value_moments.h"

namespace halftone::ptq {
namespace {

// For each element of the kernel, the share of output positions at which it does not lie over the padding: padding is
// zero and adds no error. 1 where the layer's shapes are not known.
std::vector<double> shares_inside(const Graph& graph, const Node& node, int64_t kernel) {
  std::vector<double> shares(static_cast<size_t>(kernel), 1.0);
  if (!node.is("Conv") || node.string_or("auto_pad", "NOTSET") != "NOTSET") return shares;
  const TensorType &x = graph.value(node.inputs[0]).type, &y = graph.value(node.outputs[0]).type;
  const Shape& weights = graph.value(node.inputs[1]).constant->shape();
  const size_t axes = weights.size() - 2;
  const std::vector<int64_t> pads = node.ints_or("pads", std::vector<int64_t>(2 * axes, 0)),
                             strides = node.ints_or("strides", std::vector<int64_t>(axes, 1)),
                             dilations = node.ints_or("dilations", std::vector<int64_t>(axes, 1));
  if (!x.ranked() || !y.ranked()) return shares;
  int64_t inner = kernel;
  for (size_t d = 0; d < axes; ++d) {
    const Dim &in = (*x.shape)[d + 2], &out = (*y.shape)[d + 2];
    if (!in.known() || !out.known() || out.value == 0) return std::vector<double>(shares.size(), 1.0);
    inner /= weights[d + 2];
    for (int64_t k = 0; k < kernel; ++k) {
      const int64_t tap = k / inner % weights[d + 2];
      int64_t inside = 0;
      for (int64_t o = 0; o < out.value; ++o) {
        const int64_t at = o * strides[d] + tap * dilations[d] - pads[d];
        inside += at >= 0 && at < in.value;
      }
      shares[static_cast<size_t>(k)] *= static_cast<double>(inside) / static_cast<double>(out.value);
    }
  }
  return shares;
}

// E[x] of each of the layer's input channels, or nullopt where it is not known.
std::optional<std::vector<double>> mean_input(const Graph& graph, const WeightedLayer& layer,
                                              const ValueMoments& moments) {
  const Node& node = graph.nodes()[static_cast<size_t>(layer.node)];
  const auto found = moments.find(graph.value(node.inputs[0]).name);
  if (found == moments.end() || static_cast<int64_t>(found->second.size()) != layer.layout.inputs())
    return std::nullopt;
  std::vector<double> means;
  for (const ClippedNormal& channel : found->second) means.push_back(channel.mean());
  return means;
}

}  // namespace

void correct_bias_analytically(Workbench& bench, std::string_view pattern) {
  Graph typed = bench.model.graph;
  infer_shapes(typed);
  const ValueMoments moments = propagate_moments(bench.reference, bench.norms, bench.input_ranges);
  const Graph rounded = with_rounded_weights(bench.model);
  for (const WeightedLayer& layer : weighted_layers(bench.model, pattern)) {
    const ValueId w = bench.reference.find(layer.weights);
    const std::optional<std::vector<double>> mean = mean_input(bench.model.graph, layer, moments);
    if (w == ValueId::None || !bench.reference.value(w).constant || !mean) {
      bench.progress->note(
          fmt::format("nothing is known of the input of layer '{}', which is not corrected", layer.name));
      continue;
    }
    const std::span<const float> before = bench.reference.value(w).constant->data<float>();
    const std::span<const float> after = rounded.value(rounded.find(layer.weights)).constant->data<float>();
    const Node& node = bench.model.graph.nodes()[static_cast<size_t>(layer.node)];
    const std::vector<double> inside =
        shares_inside(typed, typed.nodes()[static_cast<size_t>(layer.node)], layer.layout.inner);
    const double alpha = node.is("Gemm") ? node.float_or("alpha", 1.0f) : 1.0;
    std::vector<double> correction(static_cast<size_t>(layer.layout.outputs()), 0.0);
    layer.layout.for_each([&](int64_t out, int64_t in, int64_t offset) {
      double error = 0;
      for (int64_t k = 0; k < layer.layout.inner; ++k) {
        const auto at = static_cast<size_t>(offset + k);
        error += (double{after[at]} - double{before[at]}) * inside[static_cast<size_t>(k)];
      }
      correction[static_cast<size_t>(out)] -= alpha * error * (*mean)[static_cast<size_t>(in)];
    });
    if (!add_to_bias(bench.model, layer, correction, {&bench.model.graph})) {
      bench.progress->note(fmt::format("layer '{}' has no place for a bias and is not corrected", layer.name));
    }
  }
}

}  // namespace halftone::ptq
