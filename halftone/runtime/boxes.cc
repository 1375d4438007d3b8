#include "halftone/runtime/boxes.h"

#include <algorithm>
#include <map>

namespace halftone::runtime {
namespace {

Shape shape_of(const Lowering& lowering, ValueId id) { return *lowering.type(id).fixed_shape(); }

std::optional<std::vector<int64_t>> integers(const Lowering& lowering, const Node& node, size_t input) {
  const Tensor* constant = lowering.constant(node.input(input));
  if (constant == nullptr) return std::nullopt;
  return to_vector<int64_t>(*constant);
}

std::string concat(const Lowering& lowering, const Node& node, Move& move) {
  const auto rank = static_cast<int64_t>(shape_of(lowering, node.outputs[0]).size());
  const auto axis = static_cast<size_t>(normalize_axis(node.int_or("axis", 0), rank));
  int64_t at = 0;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    Box box = whole_box(shape_of(lowering, node.inputs[i]));
    box.to_start[axis] = at;
    at += box.extent[axis];
    move.items.push_back({i, 0, std::move(box)});
  }
  return "";
}

std::string split(const Lowering& lowering, const Node& node, Move& move) {
  const auto rank = static_cast<int64_t>(shape_of(lowering, node.inputs[0]).size());
  const auto axis = static_cast<size_t>(normalize_axis(node.int_or("axis", 0), rank));
  int64_t at = 0;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    Box box = whole_box(shape_of(lowering, node.outputs[i]));
    box.from_start[axis] = at;
    at += box.extent[axis];
    move.items.push_back({0, i, std::move(box)});
  }
  return "";
}

std::string slice(const Lowering& lowering, const Node& node, Move& move) {
  const Shape x = shape_of(lowering, node.inputs[0]), y = shape_of(lowering, node.outputs[0]);
  std::optional<std::vector<int64_t>> starts, axes, steps;
  if (lowering.graph().opset() < 10) {
    starts = node.ints_or("starts", {});
    axes = node.ints_or("axes", {});
    if (axes->empty()) axes.reset();
  } else {
    starts = integers(lowering, node, 1);
    axes = integers(lowering, node, 3);
    steps = integers(lowering, node, 4);
    const bool unknown =
        !starts || (!axes && node.input(3) != ValueId::None) || (!steps && node.input(4) != ValueId::None);
    if (unknown) return "the bounds are not constant";
  }
  Box box = whole_box(y);
  for (size_t i = 0; i < starts->size(); ++i) {
    const auto axis = static_cast<size_t>(
        normalize_axis(axes ? (*axes)[i] : static_cast<int64_t>(i), static_cast<int64_t>(x.size())));
    const int64_t step = steps ? (*steps)[i] : 1;
    const int64_t start = (*starts)[i] < 0 ? (*starts)[i] + x[axis] : (*starts)[i];
    box.from_start[axis] = std::clamp<int64_t>(start, 0, step > 0 ? x[axis] : x[axis] - 1);
    box.from_step[axis] = step;
  }
  move.items.push_back({0, 0, std::move(box)});
  return "";
}

std::string pad(const Lowering& lowering, const Node& node, Move& move) {
  if (node.string_or("mode", "constant") != "constant") return "not constant padding";
  const Shape x = shape_of(lowering, node.inputs[0]);
  std::vector<int64_t> pads = node.ints_or("pads", {});
  move.fill = node.float_or("value", 0.0f);
  if (lowering.graph().opset() >= 11) {
    const std::optional<std::vector<int64_t>> given = integers(lowering, node, 1);
    if (!given || node.input(3) != ValueId::None) return "the padding is not constant, or for some axes only";
    pads = *given;
    if (node.input(2) != ValueId::None) {
      const Tensor* value = lowering.constant(node.inputs[2]);
      if (value == nullptr || value->dtype() != DType::Float) return "the value is not a constant float";
      move.fill = value->data<float>()[0];
    }
  }
  if (lowering.type(node.inputs[0]).dtype != DType::Float) return "not float";
  Box box = whole_box(x);
  if (pads.size() != 2 * x.size()) return "the padding does not fit the rank";
  for (size_t axis = 0; axis < x.size(); ++axis) {
    if (pads[axis] < 0 || pads[x.size() + axis] < 0) return "negative padding";
    box.to_start[axis] = pads[axis];
  }
  move.fills = true;
  move.items.push_back({0, 0, std::move(box)});
  return "";
}

std::string transpose(const Lowering& lowering, const Node& node, Move& move) {
  const Shape x = shape_of(lowering, node.inputs[0]);
  std::vector<int64_t> reversed;
  for (size_t i = x.size(); i-- > 0;) reversed.push_back(static_cast<int64_t>(i));
  const std::vector<int64_t> perm = node.ints_or("perm", reversed);
  Box box = whole_box(x);
  for (size_t i = 0; i < perm.size(); ++i) box.to_axis[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  move.keeps_channels = false;
  move.items.push_back({0, 0, std::move(box)});
  return "";
}

using MoveFunction = std::string (*)(const Lowering&, const Node&, Move&);

MoveFunction function_of(const Node& node) {
  static const std::map<std::string_view, MoveFunction> table = {
      {"Concat", concat}, {"Split", split}, {"Slice", slice}, {"Pad", pad}, {"Transpose", transpose}};
  const auto found = table.find(node.op_type);
  return node.domain.empty() && found != table.end() ? found->second : nullptr;
}

// Inputs that may be data, and outputs, have fixed shapes and whole bytes.
bool is_movable(const Lowering& lowering, ValueId id) {
  if (id == ValueId::None) return false;
  const TensorType& type = lowering.type(id);
  const int bits = bits_of(type.dtype);
  return type.fixed_shape() && (bits == 8 || bits == 16 || bits == 32 || bits == 64) &&
         (!lowering.ready(id) || lowering.held(id).slot < 0);
}

}  // namespace

std::string find_boxes(const Lowering& lowering, const Node& node, Move& move) {
  const MoveFunction function = function_of(node);
  if (function == nullptr) return "no move";
  for (size_t i = 0; i < data_inputs(node); ++i) {
    if (!is_movable(lowering, node.input(i))) return "an operand of unknown shape";
  }
  for (ValueId id : node.outputs) {
    if (!is_movable(lowering, id)) return "a result of unknown shape";
  }
  return function(lowering, node, move);
}

}  // namespace halftone::runtime
