#include "halftone/transform/qdq_params.h"

#include <algorithm>
#include <cmath>

#include "halftone/tensor/packing.h"

namespace halftone::qdq {
namespace {

bool is_op(const Node& node, std::string_view op) {
  // ONNX Runtime's quantizer writes 4- and 16-bit types below opset 21 with operators of its own of the same meaning.
  return node.op_type == op && (node.domain.empty() || node.domain == "com.microsoft");
}

// Axis of per-channel and blocked scales; nullopt for one scale. A single scale along an axis of length 1 is
// per-channel only if the node says so.
std::optional<int64_t> axis_of(const Node& node, const Tensor& scale, const std::optional<Shape>& shape) {
  const bool blocks = node.int_or("block_size", 0) != 0;
  const bool says_axis = node.find_attribute("axis") != nullptr;
  if (scale.size() == 1 && !blocks && (scale.rank() == 0 || !says_axis)) return std::nullopt;
  const int64_t axis = node.int_or("axis", 1);
  if (!shape) return axis;
  const int64_t positive = normalize_axis(axis, static_cast<int64_t>(shape->size()));
  if (scale.size() == 1 && !blocks && (*shape)[static_cast<size_t>(positive)] != 1) return std::nullopt;
  return positive;
}

}  // namespace

bool is_quantize(const Node& node) { return is_op(node, "QuantizeLinear"); }
bool is_dequantize(const Node& node) { return is_op(node, "DequantizeLinear"); }

const Tensor* fixed_constant(const Graph& graph, const GraphIndex& index, ValueId id) {
  if (id == ValueId::None) return nullptr;
  const Value& value = graph.value(id);
  if (value.constant) return index.is_graph_input(id) ? nullptr : &*value.constant;
  const int producer = index.producer(id);
  if (producer < 0) return nullptr;
  const Node& maker = graph.nodes()[static_cast<size_t>(producer)];
  return maker.is("Constant") ? maker.tensor_or_null("value") : nullptr;
}

Parsed parse_params(const Graph& graph, const GraphIndex& index, const Node& node, DType codes,
                    const std::optional<Shape>& shape) {
  const Tensor* scale = fixed_constant(graph, index, node.input(1));
  if (scale == nullptr) return {std::nullopt, "its scale is computed by the network"};
  if (scale->dtype() != DType::Float) {
    return {std::nullopt, fmt::format("its scale is {}, not float", name_of(scale->dtype()))};
  }
  const auto output = static_cast<DType>(node.int_or("output_dtype", 0));
  if (is_dequantize(node) && output != DType::Undefined && output != DType::Float) {
    return {std::nullopt, fmt::format("its output is {}, not float", name_of(output))};
  }
  QuantParams params;
  params.scale = to_vector<float>(*scale);
  params.zero_point.assign(params.scale.size(), 0);
  params.dtype = codes;
  if (node.input(2) != ValueId::None) {
    const Tensor* zero_point = fixed_constant(graph, index, node.input(2));
    if (zero_point == nullptr) return {std::nullopt, "its zero point is computed by the network"};
    if (!is_integer(zero_point->dtype()) || bits_of(zero_point->dtype()) > 32) {
      return {std::nullopt, fmt::format("its codes are {}", name_of(zero_point->dtype()))};
    }
    if (params.dtype == DType::Undefined) params.dtype = zero_point->dtype();
    if (zero_point->dtype() != params.dtype) {
      fail(ErrorCode::InvalidModel, describe(graph, node), "its zero point must be {}, found {}", name_of(params.dtype),
           name_of(zero_point->dtype()));
    }
    params.zero_point = to_vector<int32_t>(*zero_point);
  }
  if (params.dtype == DType::Undefined) params.dtype = output == DType::Undefined ? DType::UInt8 : output;
  if (!is_integer(params.dtype) || bits_of(params.dtype) > 32 || params.dtype == DType::UInt32) {
    return {std::nullopt, fmt::format("its codes are {}", name_of(params.dtype))};
  }
  if (bits_of(params.dtype) == 32 &&
      !std::all_of(params.scale.begin(), params.scale.end(), [](float v) { return std::isnormal(v) && v > 0; })) {
    return {std::nullopt, "its scale is no normal positive number"};
  }
  const IntegerRange range = range_of(params.dtype);
  params.q_min = range.low;
  params.q_max = range.high;
  const std::optional<int64_t> axis = axis_of(node, *scale, shape);
  if (axis) {
    params.axis = *axis;
    params.block_size = node.int_or("block_size", 0);
    if (!shape) return {std::nullopt, "it has several scales for a value of unknown shape"};
  }
  check_params(params, axis ? *shape : Shape{}, describe(graph, node));
  return {params, ""};
}

QuantSpec spec_of(const QuantParams& params) {
  QuantSpec spec;
  spec.bits = bits_of(params.dtype);
  spec.is_signed = is_signed_integer(params.dtype);
  const int32_t centre = spec.is_signed ? 0 : int32_t{1} << (spec.bits - 1);
  spec.symmetric =
      std::all_of(params.zero_point.begin(), params.zero_point.end(), [&](int32_t z) { return z == centre; });
  if (!params.per_tensor()) spec.granularity = Granularity::PerChannel;
  if (params.block_size > 0) spec.granularity = Granularity::PerBlock;
  spec.block_size = params.block_size;
  return spec;
}

}  // namespace halftone::qdq
