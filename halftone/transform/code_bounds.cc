#include "halftone/transform/code_bounds.h"

namespace halftone {

CodeBounds bounds_of(const QuantParams& params) {
  CodeBounds bounds;
  for (size_t i = 0; i < params.scale.size(); ++i) {
    const CodeRange codes = channel_codes(params, i);
    bounds.low.push_back(dequantize(static_cast<int32_t>(codes.low), params.scale[i], params.zero_point[i]));
    bounds.high.push_back(dequantize(static_cast<int32_t>(codes.high), params.scale[i], params.zero_point[i]));
  }
  return bounds;
}

ValueId write_bounds(Graph& graph, ValueId real, const std::string& stem, const std::string& node_stem,
                     const QuantParams& params, bool in_two) {
  const TensorType type = graph.value(real).type;
  if (params.block_size > 0 || (!params.per_tensor() && !type.ranked())) {
    fail(ErrorCode::Unsupported, "value '" + stem + "'",
         "codes [{}, {}] with several scales require channels along a known axis, found {}", params.q_min, params.q_max,
         params.block_size > 0 ? "blocks" : "an unknown rank");
  }
  Shape shape;
  if (!params.per_tensor()) {
    shape.assign(static_cast<size_t>(type.rank() - params.axis), 1);
    shape[0] = static_cast<int64_t>(params.scale.size());
  }
  const CodeBounds bounds = bounds_of(params);
  const ValueId low = graph.add_constant(graph.fresh_name(stem + "_low"), Tensor::from(shape, bounds.low));
  const ValueId high = graph.add_constant(graph.fresh_name(stem + "_high"), Tensor::from(shape, bounds.high));
  const auto add = [&](const std::string& op, std::vector<ValueId> inputs, const std::string& result) {
    Node node;
    node.op_type = op;
    node.name = node_stem + "_" + op;
    node.inputs = std::move(inputs);
    node.outputs = {graph.add_value(graph.fresh_name(stem + result), {DType::Float, type.shape})};
    graph.nodes().push_back(std::move(node));
    return graph.nodes().back().outputs[0];
  };
  if (params.per_tensor() && !in_two) return add("Clip", {real, low, high}, "_clipped");
  return add("Min", {add("Max", {real, low}, "_raised"), high}, "_clipped");
}

}  // namespace halftone
