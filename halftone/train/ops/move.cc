// Operators that hand elements on. What they mean is the reference interpreter's word: where libtorch has no operator
// of the same meaning, the interpreter moves the positions of the elements, and the elements follow.
#include "halftone/sim/interpreter.h"
#include "halftone/train/op.h"
#include "halftone/train/tensors.h"

namespace halftone::train::ops {
namespace {

// The node applied to `stand_in` in place of its first operand.
Tensor moved(const OpCall& call, const Tensor& stand_in) {
  std::vector<Tensor> operands = {stand_in};
  for (size_t i = 1; i < call.inputs.size(); ++i) {
    operands.push_back(call.inputs[i].defined() ? from_torch(call.inputs[i]) : Tensor());
  }
  sim::OpCall plain{call.graph, call.node, call.opset, {}};
  for (const Tensor& operand : operands) plain.inputs.push_back(operand.defined() ? &operand : nullptr);
  return sim::compute(plain).at(0);
}

}  // namespace

std::vector<at::Tensor> identity(const OpCall& call) { return {call.input(0)}; }

std::vector<at::Tensor> reshape(const OpCall& call) {
  const at::Tensor& x = call.input(0);
  return {x.reshape(moved(call, Tensor(DType::UInt8, x.sizes().vec())).shape())};
}

std::vector<at::Tensor> select_elements(const OpCall& call) {
  const at::Tensor& x = call.input(0);
  // Doubles: every operator takes them, and they hold every position that fits into memory.
  const at::Tensor positions = at::arange(x.numel(), at::kDouble).reshape(x.sizes());
  const at::Tensor from = to_torch(moved(call, from_torch(positions)));
  return {x.reshape({-1}).index_select(0, from.reshape({-1}).to(at::kLong)).reshape(from.sizes())};
}

std::vector<at::Tensor> transpose(const OpCall& call) {
  const at::Tensor& x = call.input(0);
  std::vector<int64_t> reversed;
  for (int64_t axis = x.dim(); axis-- > 0;) reversed.push_back(axis);
  return {x.permute(call.node.ints_or("perm", reversed))};
}

std::vector<at::Tensor> concat(const OpCall& call) { return {at::cat(call.inputs, call.node.int_or("axis", 0))}; }

std::vector<at::Tensor> split(const OpCall& call) {
  const at::Tensor& x = call.input(0);
  const int64_t axis = call.node.int_or("axis", 0);
  const auto parts = static_cast<int64_t>(call.node.outputs.size());
  const int64_t each = (x.size(axis) + parts - 1) / parts;  // the last may be smaller
  std::vector<int64_t> sizes = call.integers_or(1, call.node.ints_or("split", {}));
  if (sizes.empty()) {
    for (int64_t left = x.size(axis); static_cast<int64_t>(sizes.size()) < parts; left -= sizes.back()) {
      sizes.push_back(std::min(each, left));
    }
  }
  return at::split_with_sizes(x, sizes, axis);
}

// Steps below 0 go by positions.
std::vector<at::Tensor> slice(const OpCall& call) {
  at::Tensor x = call.input(0);
  const std::vector<int64_t> starts = call.integers_or(1, {}), ends = call.integers_or(2, {});
  std::vector<int64_t> axes;
  for (size_t i = 0; i < starts.size(); ++i) axes.push_back(static_cast<int64_t>(i));
  axes = call.integers_or(3, axes);
  const std::vector<int64_t> steps = call.integers_or(4, std::vector<int64_t>(starts.size(), 1));
  for (const int64_t step : steps) {
    if (step < 0) return select_elements(call);
  }
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()) {
    call.refuse("starts, ends, axes and steps must be equally many");
  }
  for (size_t i = 0; i < starts.size(); ++i) x = at::slice(x, axes[i], starts[i], ends[i], steps[i]);
  return {x};
}

std::vector<at::Tensor> pad(const OpCall& call) {
  const at::Tensor& x = call.input(0);
  if (call.node.string_or("mode", "constant") != "constant") return select_elements(call);
  const std::vector<int64_t> pads = call.integers_or(1, {});
  std::vector<int64_t> axes;
  for (int64_t axis = 0; axis < x.dim(); ++axis) axes.push_back(axis);
  axes = call.integers_or(3, axes);
  if (pads.size() != 2 * axes.size()) {
    call.refuse("{} pads are required for {} axes, found {}", 2 * axes.size(), axes.size(), pads.size());
  }
  std::vector<int64_t> amounts(static_cast<size_t>(2 * x.dim()), 0);  // last dimension first
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t axis = axes[i] < 0 ? axes[i] + x.dim() : axes[i];
    if (axis < 0 || axis >= x.dim()) call.refuse("axis {} is outside rank {}", axes[i], x.dim());
    const auto at = static_cast<size_t>(2 * (x.dim() - 1 - axis));
    amounts[at] = pads[i];
    amounts[at + 1] = pads[i + axes.size()];
  }
  return {at::constant_pad_nd(x, amounts, call.number_or(2, 0))};
}

std::vector<at::Tensor> expand(const OpCall& call) {
  const at::Tensor& x = call.input(0);
  return {x.expand(moved(call, Tensor(DType::UInt8, x.sizes().vec())).shape())};
}

std::vector<at::Tensor> gather(const OpCall& call) {
  const at::Tensor& x = call.input(0);
  const at::Tensor& indices = call.input(1);
  int64_t axis = call.node.int_or("axis", 0);
  if (axis < 0) axis += x.dim();
  if (axis < 0 || axis >= x.dim()) call.refuse("axis {} is outside rank {}", axis, x.dim());
  const int64_t count = x.size(axis);
  const at::Tensor flat = indices.reshape({-1});
  std::vector<int64_t> shape = x.sizes().vec();
  shape.erase(shape.begin() + axis);
  shape.insert(shape.begin() + axis, indices.sizes().begin(), indices.sizes().end());
  return {x.index_select(axis, at::where(flat < 0, flat + count, flat)).reshape(shape)};
}

// Nearest neighbours go by positions; linear interpolation of planes where libtorch's means the same.
std::vector<at::Tensor> resize(const OpCall& call) {
  const at::Tensor& x = call.input(0);
  const std::string mode = call.node.string_or("mode", "nearest");
  if (mode == "nearest") return select_elements(call);
  const std::string coordinates = call.node.string_or("coordinate_transformation_mode", "half_pixel");
  const Shape shape = moved(call, from_torch(at::zeros_like(x))).shape();
  const bool planes = x.dim() == 4 && shape[0] == x.size(0) && shape[1] == x.size(1);
  const bool aligned = coordinates == "align_corners";
  if (mode != "linear" || !planes || (coordinates != "half_pixel" && !aligned) ||
      call.node.int_or("antialias", 0) != 0 || call.node.int_or("exclude_outside", 0) != 0) {
    fail(ErrorCode::Unsupported, describe(call.graph, call.node),
         "training resizes by nearest neighbours, or linearly over planes with half_pixel or align_corners; found "
         "mode {}, {}",
         mode, coordinates);
  }
  return {at::upsample_bilinear2d(x, std::vector<int64_t>{shape[2], shape[3]}, aligned)};
}

}  // namespace halftone::train::ops
