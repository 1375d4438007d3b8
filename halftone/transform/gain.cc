#include "halftone/transform/gain.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

#include "halftone/graph/value_index.h"
#include "halftone/sim/interpreter.h"
#include "halftone/transform/parameters.h"

namespace halftone::transform {
namespace {

constexpr std::string_view kFunctions[] = {"Celu",      "Clip", "Elu",   "Gelu",     "HardSigmoid",    "HardSwish",
                                           "LeakyRelu", "Mish", "PRelu", "Relu",     "Selu",           "Sigmoid",
                                           "Softplus",  "Tanh", "Swish", "Softsign", "ThresholdedRelu"};
constexpr std::string_view kLookedThrough[] = {
    "Add",       "AveragePool",        "BatchNormalization", "Cast",     "Concat",        "Dropout",
    "Flatten",   "GlobalAveragePool",  "GroupNormalization", "Identity", "GlobalMaxPool", "InstanceNormalization",
    "MaxPool",   "LayerNormalization", "RMSNormalization",   "Reshape",  "Squeeze",       "Sub",
    "Transpose", "Unsqueeze"};

// Points of [-8, 8], outside of which a normal number is never seen, in the middle of cells 1/64 wide: exact in floats.
constexpr int kPoints = 1024;
constexpr double kCell = 1.0 / 64;
// Functions that give next to nothing have no gain that could make up for it.
constexpr double kLeastSquare = 0.01;

template <size_t N>
bool one_of(const Node& node, const std::string_view (&names)[N]) {
  return node.domain.empty() && std::find(std::begin(names), std::end(names), node.op_type) != std::end(names);
}

std::optional<double> gain_of(const Graph& graph, const Node& node) {
  Tensor z(DType::Float, {kPoints});
  for (int i = 0; i < kPoints; ++i) {
    z.mutable_data<float>()[static_cast<size_t>(i)] = static_cast<float>((i - kPoints / 2 + 0.5) * kCell);
  }
  std::vector<Tensor> others(node.inputs.size());
  sim::OpCall call{graph, node, graph.opset(), {&z}};
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    const ValueId id = node.inputs[i];
    if (node.is("PRelu")) {
      others[i] = Tensor::scalar(kFirstSlope);
    } else if (id != ValueId::None) {
      const std::optional<Tensor>& constant = graph.value(id).constant;
      if (!constant) return std::nullopt;
      others[i] = convert(*constant, DType::Float);
    }
    call.inputs.push_back(others[i].defined() ? &others[i] : nullptr);
  }
  const Tensor result = sim::compute(call).front();

  double square = 0;
  for (size_t i = 0; i < kPoints; ++i) {
    const double x = z.data<float>()[i], y = result.data<float>()[i];
    square += y * y * std::exp(-x * x / 2);
  }
  square *= kCell / std::sqrt(2 * std::numbers::pi);
  if (!(square >= kLeastSquare) || !std::isfinite(square)) return std::nullopt;
  return 1 / std::sqrt(square);
}

}  // namespace

std::vector<double> gains_behind(const Graph& graph) {
  // Readers come after what they read, so from the back each value's own gain is known before its makers ask.
  std::vector<std::optional<double>> largest(graph.value_count());
  for (size_t n = graph.nodes().size(); n-- > 0;) {
    const Node& node = graph.nodes()[n];
    const bool through = one_of(node, kLookedThrough);
    std::optional<double> gain;
    if (through && node.output(0) != ValueId::None) gain = largest[index_of(node.outputs[0])];
    if (one_of(node, kFunctions)) gain = gain_of(graph, node);
    if (!gain) continue;
    const bool all_operands = node.is("Add") || node.is("Sub") || node.is("Concat");
    for (size_t i = 0; i < (all_operands ? node.inputs.size() : std::min<size_t>(node.inputs.size(), 1)); ++i) {
      if (node.inputs[i] == ValueId::None) continue;
      std::optional<double>& known = largest[index_of(node.inputs[i])];
      known = std::max(known.value_or(0), *gain);
    }
  }
  std::vector<double> gains;
  for (const std::optional<double>& gain : largest) gains.push_back(gain.value_or(1));
  return gains;
}

}  // namespace halftone::transform
