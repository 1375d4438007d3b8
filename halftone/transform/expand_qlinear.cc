#include "halftone/transform/expand_qlinear.h"

#include <algorithm>
#include <array>
#include <set>

#include "halftone/graph/op_table.h"
#include "halftone/quant/requantize.h"
#include "halftone/transform/qdq_params.h"

namespace halftone {
namespace {

struct QlinearOp {
  std::string_view name, float_op;
  size_t operands;
  int bias;
  size_t result;
};

constexpr std::array kOps = {
#define HT_QLINEAR(name, float_op, operands, bias, result) QlinearOp{#name, #float_op, operands, bias, result},
#include "halftone/transform/qlinear_ops.def"
#undef HT_QLINEAR
};

// Operators that give codes of the grid of their first operand.
constexpr std::array<std::string_view, 16> kMovers = {
    "DepthToSpace", "Expand",       "Flatten", "Gather",  "Identity", "MaxPool",   "Pad",       "Reshape",
    "Slice",        "SpaceToDepth", "Split",   "Squeeze", "Tile",     "Transpose", "Unsqueeze", "GatherElements"};

const QlinearOp* find_qlinear(const Node& node) {
  if (!node.domain.empty() && node.domain != "com.microsoft") return nullptr;
  const auto* found =
      std::find_if(kOps.begin(), kOps.end(), [&](const QlinearOp& op) { return op.name == node.op_type; });
  return found == kOps.end() ? nullptr : found;
}

bool is_mover(const Node& node) {
  return node.domain.empty() && std::find(kMovers.begin(), kMovers.end(), node.op_type) != kMovers.end();
}

// A value in codes, and where its grid stands.
struct Codes {
  ValueId codes = ValueId::None, scale = ValueId::None, zero_point = ValueId::None;
  std::optional<int64_t> axis = {};
  QuantParams params = {};
};

class Expander {
 public:
  Expander(Graph graph, std::map<std::string, std::string>& float_reasons)
      : graph_(std::move(graph)), index_(graph_), float_reasons_(float_reasons) {}

  Graph expand() {
    // The index looks nodes up by position, so the graph keeps them for now.
    std::vector<Node> old = graph_.nodes();
    std::vector<Node> expanded;
    new_nodes_ = &expanded;
    bool changed = false;
    for (Node& node : old) {
      if (replace(node)) {
        changed = true;
      } else {
        remember_grid(node);
        expanded.push_back(std::move(node));
      }
    }
    if (!changed) return std::move(graph_);
    graph_.nodes() = std::move(expanded);
    graph_.remove_dead();
    infer_shapes(graph_);
    return std::move(graph_);
  }

 private:
  bool replace(const Node& node) {
    if (const QlinearOp* op = find_qlinear(node)) return replace_qlinear(node, *op);
    return is_mover(node) && replace_mover(node);
  }

  bool leave(const Node& node, std::string reason) {
    float_reasons_[node.name.empty() ? graph_.value(node.outputs.at(0)).name : node.name] = std::move(reason);
    return false;
  }

  // --- operators with a grid for each operand and the result

  bool replace_qlinear(const Node& node, const QlinearOp& op) {
    if (node.output(0) == ValueId::None) return false;
    if (node.int_or("channels_last", 0) != 0) return leave(node, "its channels are on the last axis");
    // Before opset 13 the operator worked on a matrix into which its operand was flattened.
    if (op.float_op == "Softmax" && node.int_or("opset", 13) < 13) return leave(node, "it has the meaning of opset 12");
    const size_t first = op.operands == 0 ? op.result + 2 : 0;
    const size_t count =
        op.operands == 0 ? (node.inputs.size() - std::min(first, node.inputs.size())) / 3 : op.operands;
    if (count == 0 || node.inputs.size() < first + 3 * count) {
      fail(ErrorCode::InvalidModel, describe(graph_, node),
           "its operands require a scale and a zero point each, found {} inputs", node.inputs.size());
    }
    std::vector<Codes> operands(count);
    for (size_t i = 0; i < count; ++i) {
      if (!read_operand(node, op, first + 3 * i, i, operands[i])) return false;
    }
    // QGemm may give real numbers.
    const bool real_result = node.input(op.result) == ValueId::None && op.name == "QGemm";
    Codes result{node.outputs[0], node.input(op.result), node.input(op.result + 1)};
    if (!real_result && !read_grid(node, result, DType::Undefined)) return false;
    if (!real_result && !result.params.per_tensor()) return leave(node, "its result has several scales");

    Node computed;
    computed.op_type = op.float_op;
    computed.name = qdq::strip_suffix(node.name, "_quant");
    computed.attributes = node.attributes;
    for (const char* own : {"channels_last", "opset"}) computed.remove_attribute(own);
    ValueId bias = ValueId::None;
    if (op.bias >= 0 && node.input(static_cast<size_t>(op.bias)) != ValueId::None) {
      bias = dequantize_bias(node, node.input(static_cast<size_t>(op.bias)), operands);
    }
    for (const Codes& operand : operands) computed.inputs.push_back(dequantize(operand));
    if (bias != ValueId::None) computed.inputs.push_back(bias);
    if (real_result) {
      computed.outputs = {node.outputs[0]};
      new_nodes_->push_back(std::move(computed));
    } else {
      computed.outputs = {real_value(result.codes)};
      const ValueId real = computed.outputs[0];
      new_nodes_->push_back(std::move(computed));
      quantize(real, result);
    }
    return true;
  }

  bool read_operand(const Node& node, const QlinearOp& op, size_t at, size_t number, Codes& operand) {
    operand = {node.input(at), node.input(at + 1), node.input(at + 2)};
    if (operand.codes == ValueId::None) {
      fail(ErrorCode::InvalidModel, describe(graph_, node), "its operand {} is required, it is left out", number);
    }
    const Tensor* constant = qdq::fixed_constant(graph_, index_, operand.codes);
    const Tensor* scale = qdq::fixed_constant(graph_, index_, operand.scale);
    if (scale != nullptr && scale->size() != 1) {
      if (number != 1 || constant == nullptr || scale->rank() != 1)
        return leave(node, fmt::format("its operand {} has several scales", number));
      operand.axis = op.float_op == "Conv"                                    ? 0
                     : op.float_op == "Gemm" && node.int_or("transB", 0) != 0 ? 0
                                                                              : constant->rank() - 1;
    }
    return read_grid(node, operand, graph_.value(operand.codes).type.dtype);
  }

  bool read_grid(const Node& node, Codes& codes, DType dtype) {
    const std::optional<Shape> shape = graph_.value(codes.codes).type.fixed_shape();
    qdq::Parsed parsed =
        qdq::parse_grid(graph_, index_, node, {codes.scale, codes.zero_point, dtype, shape, codes.axis});
    if (!parsed.params) return leave(node, parsed.reason);
    if (bits_of(parsed.params->dtype) > 8) {
      fail(ErrorCode::InvalidModel, describe(graph_, node), "codes of 8 bits are required, found {}",
           name_of(parsed.params->dtype));
    }
    codes.params = std::move(*parsed.params);
    return true;
  }

  // --- operators that move codes

  void remember_grid(const Node& node) {
    if (!qdq::is_quantize(node) || node.output(0) == ValueId::None) return;
    if (node.input(0) == ValueId::None || node.int_or("block_size", 0) != 0) return;
    const qdq::Parsed parsed = qdq::parse_params(graph_, index_, node, DType::Undefined, std::nullopt);
    if (parsed.params && parsed.params->per_tensor()) {
      known_[node.outputs[0]] = {node.outputs[0], node.input(1), node.input(2), std::nullopt, *parsed.params};
    }
  }

  bool replace_mover(const Node& node) {
    const auto found = known_.find(node.input(0));
    if (found == known_.end()) return false;
    const Codes operand = found->second;
    Node moved = node;
    if (node.is("Pad") && !pad_with_real(operand, moved)) return false;
    moved.inputs[0] = dequantize(operand);
    const size_t results = node.is("Split") ? node.outputs.size() : 1;
    for (size_t i = 0; i < results; ++i) {
      if (node.outputs[i] != ValueId::None) moved.outputs[i] = real_value(node.outputs[i]);
    }
    new_nodes_->push_back(moved);
    for (size_t i = 0; i < results; ++i) {
      if (node.outputs[i] == ValueId::None) continue;
      Codes result = operand;
      result.codes = node.outputs[i];
      quantize(moved.outputs[i], result);
    }
    return true;
  }

  // What it fills in is a code, 0 where it does not say.
  bool pad_with_real(const Codes& operand, Node& pad) {
    if (pad.string_or("mode", "constant") != "constant") return true;
    int32_t code = 0;
    if (pad.input(2) != ValueId::None) {
      const Tensor* constant = qdq::fixed_constant(graph_, index_, pad.input(2));
      if (constant == nullptr || constant->size() != 1) return false;
      code = to_vector<int32_t>(*constant)[0];
    } else if (pad.inputs.size() < 2) {
      return false;  // opset 10 has attributes instead, and no codes
    }
    const float real = halftone::dequantize(code, operand.params.scale[0], operand.params.zero_point[0]);
    pad.inputs.resize(std::max<size_t>(pad.inputs.size(), 3));
    pad.inputs[2] = graph_.add_constant(graph_.fresh_name(pad.name + "_value"), Tensor::scalar(real));
    return true;
  }

  // --- nodes

  ValueId real_value(ValueId codes) {
    const Value& value = graph_.value(codes);
    const std::string name = qdq::strip_suffix(value.name, "_quantized");
    const bool is_free = name != value.name && graph_.find(name) == ValueId::None;
    const std::optional<std::vector<Dim>> shape = value.type.shape;
    return graph_.add_value(is_free ? name : graph_.fresh_name(name + "_real"), {DType::Float, shape});
  }

  ValueId dequantize(const Codes& codes) {
    const auto key = std::tuple(codes.codes, codes.scale, codes.zero_point);
    const auto [found, is_new] = dequantized_.try_emplace(key, ValueId::None);
    if (!is_new) return found->second;
    found->second = real_value(codes.codes);
    add_node("DequantizeLinear", {codes.codes, codes.scale, codes.zero_point}, found->second, codes.axis);
    return found->second;
  }

  void quantize(ValueId real, const Codes& codes) {
    graph_.value(codes.codes).type.dtype = codes.params.dtype;
    add_node("QuantizeLinear", {real, codes.scale, codes.zero_point}, codes.codes, std::nullopt);
    known_[codes.codes] = codes;
  }

  ValueId dequantize_bias(const Node& node, ValueId bias, const std::vector<Codes>& operands) {
    const double s_x = double{operands[0].params.scale[0]} * node.float_or("alpha", 1);
    std::vector<float> scales;
    for (float s_w : operands[1].params.scale) scales.push_back(make_multiplier(s_x, s_w, 1));
    const bool single = scales.size() == 1;
    const std::string name = graph_.value(bias).name;
    const Tensor* constant = qdq::fixed_constant(graph_, index_, bias);
    if (constant != nullptr && constant->dtype() != DType::Int32) {
      fail(ErrorCode::InvalidModel, describe(graph_, node), "its bias '{}' must be int32, found {}", name,
           name_of(constant->dtype()));
    }
    const int64_t axis = constant == nullptr ? 0 : std::max<int64_t>(constant->rank() - 1, 0);
    const Shape shape = single ? Shape{} : Shape{static_cast<int64_t>(scales.size())};
    const ValueId scale = graph_.add_constant(graph_.fresh_name(name + "_scale"), Tensor::from(shape, scales));
    const ValueId real = real_value(bias);
    add_node("DequantizeLinear", {bias, scale}, real, single ? std::nullopt : std::optional(axis));
    return real;
  }

  void add_node(const char* op, std::vector<ValueId> inputs, ValueId output, std::optional<int64_t> axis) {
    while (inputs.back() == ValueId::None) inputs.pop_back();
    Node node;
    node.op_type = op;
    node.name = graph_.value(output).name + "_" + op;
    node.inputs = std::move(inputs);
    node.outputs = {output};
    if (axis) node.set_attribute("axis", *axis);
    new_nodes_->push_back(std::move(node));
  }

  Graph graph_;
  const GraphIndex index_;
  std::map<std::string, std::string>& float_reasons_;
  std::vector<Node>* new_nodes_ = nullptr;
  std::map<ValueId, Codes> known_;  // values in codes whose grid is known
  std::map<std::tuple<ValueId, ValueId, ValueId>, ValueId> dequantized_;
};

}  // namespace

Graph expand_qlinear(Graph graph, std::map<std::string, std::string>& float_reasons) {
  return Expander(std::move(graph), float_reasons).expand();
}

}  // namespace halftone
