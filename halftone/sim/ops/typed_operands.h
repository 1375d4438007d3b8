// What the operators' functions share: the C++ type in which to compute, checked access to operands, common shapes.
#pragma once

#include <span>
#include <vector>

#include "halftone/sim/interpreter.h"
#include "halftone/sim/ops/element_writer.h"

namespace halftone::sim::ops {

// A call whose operands of one half type (Float16 or BFloat16) are replaced by float copies.
class WidenedCall {
 public:
  WidenedCall(const OpCall& call, DType half);
  const OpCall& call() const { return call_; }
  // The first result rounded back to the half type; others (statistics, indices) as they are.
  std::vector<Tensor> narrow(std::vector<Tensor> results) const;

 private:
  DType half_;
  std::vector<Tensor> copies_;
  OpCall call_;
};

// Calls compute.operator()<T>(call) for the element type T of input 0: float or double. Half types are computed in
// float on widened operands, and the first result is rounded once. Errors: Error{InvalidModel} for any other type.
template <typename F>
std::vector<Tensor> in_floating(const OpCall& call, F compute) {
  const DType dtype = call.input(0).dtype();
  switch (dtype) {
    case DType::Float:
      return compute.template operator()<float>(call);
    case DType::Double:
      return compute.template operator()<double>(call);
    case DType::Float16:
    case DType::BFloat16: {
      const WidenedCall widened(call, dtype);
      return widened.narrow(compute.template operator()<float>(widened.call()));
    }
    default:
      call.refuse("requires a floating-point operand, found {}", name_of(dtype));
  }
}

// As in_floating, for the integers of 8 to 64 bits too.
template <typename F>
std::vector<Tensor> in_numeric(const OpCall& call, F compute) {
  switch (call.input(0).dtype()) {
    case DType::Int8:
      return compute.template operator()<int8_t>(call);
    case DType::UInt8:
      return compute.template operator()<uint8_t>(call);
    case DType::Int16:
      return compute.template operator()<int16_t>(call);
    case DType::UInt16:
      return compute.template operator()<uint16_t>(call);
    case DType::Int32:
      return compute.template operator()<int32_t>(call);
    case DType::UInt32:
      return compute.template operator()<uint32_t>(call);
    case DType::Int64:
      return compute.template operator()<int64_t>(call);
    case DType::UInt64:
      return compute.template operator()<uint64_t>(call);
    default:
      return in_floating(call, compute);
  }
}

// Input i. Errors: Error{InvalidModel} when its type is not T's.
template <typename T>
std::span<const T> elements(const OpCall& call, size_t i) {
  const Tensor& tensor = call.input(i);
  if (tensor.dtype() != dtype_of<T>()) {
    call.refuse("input {} must be {} like the first, found {}", i, name_of(dtype_of<T>()), name_of(tensor.dtype()));
  }
  return tensor.data<T>();
}

// Input i, a vector of `count` elements (any shape of that many). Errors: Error{InvalidModel}.
template <typename T>
std::span<const T> elements(const OpCall& call, size_t i, int64_t count) {
  const std::span<const T> values = elements<T>(call, i);
  if (call.input(i).size() != count) {
    call.refuse("input {} must have {} elements, found {}", i, count, to_string(call.input(i).shape()));
  }
  return values;
}

// The only element of input i. Errors: Error{InvalidModel} when it has several.
template <typename T>
T scalar(const OpCall& call, size_t i) {
  return elements<T>(call, i, 1)[0];
}

// Input i as a tensor of the given shape, to which it broadcasts. Errors: Error{InvalidModel} otherwise, or when its
// type is not T's.
template <typename T>
Tensor broadcast_input(const OpCall& call, size_t i, const Shape& shape) {
  elements<T>(call, i);  // for its check
  return broadcast_to(call, call.input(i), shape);
}

// A tensor of T's type, zero. Errors: as check_size.
template <typename T>
Tensor new_tensor(Shape shape) {
  return Tensor(dtype_of<T>(), check_size(std::move(shape)));
}

// An [N, C, D1, D2 ...] tensor as planes: element (n, c, i) is at (n * channels + c) * area + i.
struct Planes {
  int64_t batch;
  int64_t channels;
  int64_t area;
};
// Errors: Error{InvalidModel} for a rank below 2.
Planes planes_of(const OpCall& call, const Tensor& x);

// A tensor seen along one axis: element (o, i, r) is at (o * length + i) * inner + r.
struct AxisView {
  int64_t outer;
  int64_t length;
  int64_t inner;
};
AxisView view_along(const Shape& shape, int64_t axis);

}  // namespace halftone::sim::ops
