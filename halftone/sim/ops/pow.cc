#include <cmath>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/arithmetic.h"
#include "halftone/sim/ops/element_writer.h"

namespace halftone::sim::ops {
namespace {

// base^exponent modulo 2^64; a negative exponent gives the reciprocal, truncated.
int64_t integer_power(int64_t base, int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
  int64_t result = 1;
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result = wrapping_mul(result, base);
    base = wrapping_mul(base, base);
  }
  return result;
}

}  // namespace

// The result has the base's type, whatever the exponent's.
std::vector<Tensor> pow(const OpCall& call) {
  const DType dtype = call.input(0).dtype();
  const Shape shape = broadcast(call.input(0).shape(), call.input(1).shape());
  const Tensor base = broadcast_to(call, call.input(0), shape);
  const Tensor exponent = broadcast_to(call, call.input(1), shape);
  if (is_integer(dtype) && is_integer(exponent.dtype())) {
    const Tensor result = zip<int64_t>(convert(base, DType::Int64), convert(exponent, DType::Int64), integer_power);
    return {convert(result, dtype)};
  }
  const auto power = [](double b, double e) { return std::pow(b, e); };
  return {convert(zip<double>(convert(base, DType::Double), convert(exponent, DType::Double), power), dtype)};
}

}  // namespace halftone::sim::ops
