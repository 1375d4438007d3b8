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

std::string strip_suffix(const std::string& name, std::string_view suffix) {
  return name.ends_with(suffix) ? name.substr(0, name.size() - suffix.size()) : name;
}

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

Parsed parse_grid(const Graph& graph, const GraphIndex& index, const Node& node, const GridOperands& operands) {
  const std::string where = describe(graph, node);
  if (operands.scale == ValueId::None) fail(ErrorCode::InvalidModel, where, "a scale is required, it is left out");
  const Tensor* scale = fixed_constant(graph, index, operands.scale);
  if (scale == nullptr) return {std::nullopt, "its scale is computed by the network"};
  const std::string scale_name = graph.value(operands.scale).name;
  if (!is_floating(scale->dtype())) {
    fail(ErrorCode::InvalidModel, where, "its scale '{}' must be float, found {}", scale_name, name_of(scale->dtype()));
  }
  if (scale->dtype() != DType::Float) {
    return {std::nullopt, fmt::format("its scale is {}, not float", name_of(scale->dtype()))};
  }
  QuantParams params;
  params.scale = to_vector<float>(*scale);
  params.zero_point.assign(params.scale.size(), 0);
  params.dtype = operands.codes;
  if (operands.zero_point != ValueId::None) {
    const Tensor* zero_point = fixed_constant(graph, index, operands.zero_point);
    if (zero_point == nullptr) return {std::nullopt, "its zero point is computed by the network"};
    const DType dtype = zero_point->dtype();
    if (params.dtype == DType::Undefined && is_integer(dtype)) params.dtype = dtype;
    if (dtype != params.dtype && params.dtype != DType::Undefined) {
      fail(ErrorCode::InvalidModel, where, "its zero point '{}' must be {} like its codes, found {}",
           graph.value(operands.zero_point).name, name_of(params.dtype), name_of(dtype));
    }
    if (!is_integer(dtype) || bits_of(dtype) > 32) {
      return {std::nullopt, fmt::format("its codes are {}", name_of(dtype))};
    }
    params.zero_point = to_vector<int32_t>(*zero_point);
    if (params.zero_point.size() != params.scale.size()) {
      fail(ErrorCode::InvalidModel, where,
           "as many zero points as scales are required, found {} in '{}' and {} in '{}'", params.zero_point.size(),
           graph.value(operands.zero_point).name, params.scale.size(), scale_name);
    }
  }
  if (params.dtype == DType::Undefined) params.dtype = DType::UInt8;
  if (!is_integer(params.dtype) || bits_of(params.dtype) > 32 || params.dtype == DType::UInt32) {
    return {std::nullopt, fmt::format("its codes are {}", name_of(params.dtype))};
  }
  for (size_t i = 0; i < params.scale.size(); ++i) {
    const float s = params.scale[i];
    if (std::isnormal(s) && s > 0) continue;
    if (std::isfinite(s) && s > 0 && bits_of(params.dtype) == 32) {
      return {std::nullopt, "its scale is no normal number"};
    }
    fail(ErrorCode::InvalidModel, where,
         "its scale '{}' must hold positive, finite and normal numbers, found {} at index {}; quantize the model again",
         scale_name, s, i);
  }
  const IntegerRange range = range_of(params.dtype);
  params.q_min = range.low;
  params.q_max = range.high;
  if (operands.axis) {
    params.axis = *operands.axis;
    params.block_size = operands.block_size;
    if (!operands.shape) return {std::nullopt, "it has several scales for a value of unknown shape"};
  }
  check_params(params, operands.axis ? *operands.shape : Shape{}, where);
  return {params, ""};
}

Parsed parse_params(const Graph& graph, const GraphIndex& index, const Node& node, DType codes,
                    const std::optional<Shape>& shape) {
  const auto stated = static_cast<DType>(node.int_or("output_dtype", 0));
  if (is_dequantize(node) && stated != DType::Undefined && stated != DType::Float) {
    return {std::nullopt, fmt::format("its output is {}, not float", name_of(stated))};
  }
  GridOperands operands{node.input(1), node.input(2), codes, shape};
  if (codes == DType::Undefined && node.input(2) == ValueId::None) operands.codes = stated;
  const Tensor* scale = fixed_constant(graph, index, node.input(1));
  if (scale != nullptr) operands.axis = axis_of(node, *scale, shape);
  operands.block_size = node.int_or("block_size", 0);
  return parse_grid(graph, index, node, operands);
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
