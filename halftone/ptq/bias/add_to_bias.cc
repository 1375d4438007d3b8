#include <cmath>

#include "halftone/base/error.h"
#include "halftone/graph/op_table.h"
#include "halftone/ptq/bias/correct.h"

namespace halftone::ptq {
namespace {

// As many steps of the accumulator leave the other half of int32 to the sum of products, see assign_encodings.
constexpr double kMostSteps = 1 << 30;

// The largest bias of each channel that the integer arithmetic is sure to take.
std::vector<double> limits_of(const QuantizedModel& model, const WeightedLayer& layer) {
  std::vector<double> limits(static_cast<size_t>(layer.layout.outputs()), INFINITY);
  const Node& node = model.graph.nodes()[static_cast<size_t>(layer.node)];
  const Encoding* input = find_encoding(model, node.input(0));
  if (input == nullptr || !input->params.per_tensor()) return limits;
  const std::vector<float>& scale = model.encodings.find(layer.weights)->second.params.scale;
  for (size_t c = 0; c < limits.size(); ++c) {
    limits[c] = kMostSteps * double{input->params.scale[0]} * double{scale[c % scale.size()]};
  }
  return limits;
}

struct Correction {
  const std::vector<double>& by_channel;
  std::vector<double> limits;

  std::vector<double> apply(std::vector<double> bias) const {
    for (size_t c = 0; c < bias.size(); ++c) {
      const double corrected = bias[c] + by_channel[c];
      if (std::abs(corrected) <= limits[c]) bias[c] = corrected;
    }
    return bias;
  }
};

// A MatMul's constant stands in the Add behind it; one without can be a Gemm where it multiplies two matrices.
bool add_to_product(Graph& graph, const transform::RewriteIndex& index, Node& node, const Correction& correction) {
  const int reader = index.sole_consumer(node.output(0));
  if (reader >= 0 && graph.nodes()[static_cast<size_t>(reader)].is("Add")) {
    Node& add = graph.nodes()[static_cast<size_t>(reader)];
    ValueId& operand = add.inputs[add.input(0) == node.output(0) ? 1 : 0];
    const Tensor* constant = index.replaceable_floats(operand);
    const auto channels = static_cast<int64_t>(correction.by_channel.size());
    if (constant != nullptr && constant->rank() > 0 && constant->size() == channels &&
        constant->dim(constant->rank() - 1) == channels) {
      const std::vector<double> sums = correction.apply(to_vector<double>(*constant));
      Tensor content(DType::Float, constant->shape());
      for (size_t c = 0; c < sums.size(); ++c) content.mutable_data<float>()[c] = static_cast<float>(sums[c]);
      operand = transform::replace_constant(graph, index, operand, std::move(content));
      return true;
    }
  }
  Graph typed = graph;
  infer_shapes(typed);
  const TensorType& type = typed.value(node.input(0)).type;
  if (!type.ranked() || type.rank() != 2) return false;
  node.op_type = "Gemm";
  transform::set_bias(graph, index, node, correction.apply(std::vector<double>(correction.by_channel.size(), 0.0)));
  return true;
}

bool add_to_node(Graph& graph, const transform::KeepNames& keep, Node& node, const Correction& correction) {
  const transform::RewriteIndex index(graph, keep);
  if (node.is("MatMul")) return add_to_product(graph, index, node, correction);
  const auto bias = transform::bias_of(index, node, static_cast<int64_t>(correction.by_channel.size()));
  if (!bias) return false;
  transform::set_bias(graph, index, node, correction.apply(*bias));
  return true;
}

}  // namespace

bool add_to_bias(const QuantizedModel& model, const WeightedLayer& layer, const std::vector<double>& correction,
                 std::initializer_list<Graph*> graphs) {
  HT_CHECK(static_cast<int64_t>(correction.size()) == layer.layout.outputs(), "{} corrections for {} channels",
           correction.size(), layer.layout.outputs());
  const Correction bounded{correction, limits_of(model, layer)};
  const transform::KeepNames keep = names_in_use(model);
  for (Graph* graph : graphs) {
    if (!add_to_node(*graph, keep, graph->nodes()[static_cast<size_t>(layer.node)], bounded)) return false;
  }
  return true;
}

}  // namespace halftone::ptq
