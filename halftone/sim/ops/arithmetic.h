// Arithmetic on any numeric element type through four C++ types.
#pragma once

#include <type_traits>
#include <vector>

#include "halftone/sim/interpreter.h"

namespace halftone::sim::ops {

// The type that arithmetic on elements of `dtype` is carried out in; results are then converted back, which rounds
// floats to nearest even and wraps integers, as arithmetic in the narrow type itself would.
//   Float: Float, Float16, BFloat16, the 8- and 4-bit floats     Double: Double
//   UInt64: UInt64     Int64: every other integer, Bool
// Errors: Error{Unsupported} for strings and complex numbers.
DType arithmetic_type(DType dtype);

// Calls f(T{}) with the C++ type of an arithmetic type and returns what it returns.
template <typename F>
auto dispatch_arithmetic(DType arithmetic, F&& f) {
  switch (arithmetic) {
    case DType::Float:
      return f(float{});
    case DType::Double:
      return f(double{});
    case DType::UInt64:
      return f(uint64_t{});
    default:
      HT_CHECK(arithmetic == DType::Int64, "{} is no arithmetic type", name_of(arithmetic));
      return f(int64_t{});
  }
}

// The call's first `count` inputs (all of them when negative), broadcast against each other, all of the first one's
// type. Errors: Error{InvalidModel} when the types differ or the shapes don't broadcast.
std::vector<Tensor> broadcast_inputs(const OpCall& call, int64_t count);

// f(a[i], b[i]) of two tensors of T and one shape, as a tensor of the type that f returns.
template <typename T, typename F>
Tensor zip(const Tensor& a, const Tensor& b, F&& f) {
  using R = std::invoke_result_t<F, T, T>;
  Tensor result(dtype_of<R>(), a.shape());
  const std::span<R> out = result.mutable_data<R>();
  const std::span<const T> left = a.data<T>(), right = b.data<T>();
  for (size_t i = 0; i < out.size(); ++i) out[i] = f(left[i], right[i]);
  return result;
}

// f(x) of each element of a tensor of T, as a tensor of the type that f returns.
template <typename T, typename F>
Tensor map(const Tensor& x, F&& f) {
  using R = std::invoke_result_t<F, T>;
  Tensor result(dtype_of<R>(), x.shape());
  const std::span<R> out = result.mutable_data<R>();
  const std::span<const T> in = x.data<T>();
  for (size_t i = 0; i < out.size(); ++i) out[i] = f(in[i]);
  return result;
}

// Integer arithmetic modulo 2^64; floats as they are.
template <typename T>
T wrapping_add(T a, T b) {
  if constexpr (std::is_integral_v<T>) return static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
  return a + b;
}
template <typename T>
T wrapping_sub(T a, T b) {
  if constexpr (std::is_integral_v<T>) return static_cast<T>(static_cast<uint64_t>(a) - static_cast<uint64_t>(b));
  return a - b;
}
template <typename T>
T wrapping_mul(T a, T b) {
  if constexpr (std::is_integral_v<T>) return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  return a * b;
}

// The larger and the smaller one; NaN when either is NaN.
template <typename T>
T larger(T a, T b) {
  return a > b || a != a ? a : b;
}
template <typename T>
T smaller(T a, T b) {
  return a < b || a != a ? a : b;
}

}  // namespace halftone::sim::ops
