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

Parsed parse_levels(const Graph& graph, const GraphIndex& index, const Node& node, const Tensor& codes) {
  const std::string where = describe(graph, node);
  const Tensor *scale = fixed_constant(graph, index, node.input(1)),
               *axis = fixed_constant(graph, index, node.input(3));
  const Tensor* levels = fixed_constant(graph, index, node.input(2));
  if (levels == nullptr || axis == nullptr) return {std::nullopt, "its levels are computed by the network"};
  if (axis->dtype() != DType::Int64 || axis->size() != 1) {
    fail(ErrorCode::InvalidModel, where, "its axis must be one int64, found {}{}", name_of(axis->dtype()),
         to_string(axis->shape()));
  }
  const auto refuse = [&](const std::string& message) {
    fail(ErrorCode::InvalidModel, where, "its levels '{}' {}", graph.value(node.input(2)).name, message);
  };
  if (levels->dtype() != DType::Float || levels->rank() < 1 || levels->rank() > 2) {
    refuse(fmt::format("must be a float list, or one list per channel, found {}{}", name_of(levels->dtype()),
                       to_string(levels->shape())));
  }
  GridOperands operands{node.input(1), ValueId::None, codes.dtype(), codes.shape()};
  if (scale != nullptr && (scale->rank() > 0 || levels->rank() > 1)) {
    operands.axis = normalize_axis(axis->data<int64_t>()[0], codes.rank());
  }
  Parsed parsed = parse_grid(graph, index, node, operands);
  if (!parsed.params) return parsed;
  QuantParams& params = *parsed.params;
  const int64_t count = levels->dim(levels->rank() - 1);
  if (levels->rank() == 2 && levels->dim(0) != static_cast<int64_t>(params.scale.size())) {
    refuse(fmt::format("must be lists for {} channels, found {}", params.scale.size(), levels->dim(0)));
  }
  if (count < 2 || count > 65536) refuse(fmt::format("must be 2 to 65536 numbers, found {}", count));
  params.levels = to_vector<float>(*levels);
  for (size_t i = 0; i < params.levels.size(); ++i) {
    const float level = params.levels[i];
    const bool ascends = i % static_cast<size_t>(count) == 0 || level >= params.levels[i - 1];
    if (std::isfinite(level) && ascends) continue;
    refuse(fmt::format("must be finite and ascend, found {} at index {}", level, i));
  }
  for (const int32_t code : unpack_integers(codes)) {
    if (code >= 0 && code < count) continue;
    refuse(fmt::format("must be as many as its codes need, found {} for code {}", count, code));
  }
  params.q_min = 0;
  params.q_max = count - 1;
  params.dtype = storage_type(code_bits(params), false);
  return parsed;
}

QuantSpec spec_of(const QuantParams& params) {
  QuantSpec spec;
  spec.bits = bits_of(params.dtype) > 16 ? bits_of(params.dtype) : code_bits(params);
  if (!params.levels.empty()) spec.grid = "codebook";
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
