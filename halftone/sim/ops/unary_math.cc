#include <cmath>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/arithmetic.h"

namespace halftone::sim::ops {
namespace {

// Computed in double and rounded once to the element type: within half a unit in the last place for the narrow types,
// whatever the C library's float functions do.
template <typename F>
std::vector<Tensor> real_function(const OpCall& call, F&& f) {
  const Tensor& x = call.input(0);
  if (!is_floating(x.dtype())) call.refuse("requires floating-point elements, found {}", name_of(x.dtype()));
  return {convert(map<double>(convert(x, DType::Double), f), x.dtype())};
}

double round_half_even(double x) {
  const double down = std::floor(x);
  const double distance = x - down;
  const bool up = distance > 0.5 || (distance == 0.5 && std::fmod(down, 2.0) != 0.0);
  return std::copysign(up ? down + 1.0 : down, x);
}

}  // namespace

#define HT_REAL_FUNCTION(name, expression)                           \
  std::vector<Tensor> name(const OpCall& call) {                     \
    return real_function(call, [](double x) { return expression; }); \
  }
HT_REAL_FUNCTION(floor, std::floor(x))
HT_REAL_FUNCTION(ceil, std::ceil(x))
HT_REAL_FUNCTION(round, round_half_even(x))
HT_REAL_FUNCTION(sqrt, std::sqrt(x))
HT_REAL_FUNCTION(reciprocal, 1.0 / x)
HT_REAL_FUNCTION(exp, std::exp(x))
HT_REAL_FUNCTION(log, std::log(x))
HT_REAL_FUNCTION(sin, std::sin(x))
HT_REAL_FUNCTION(cos, std::cos(x))
HT_REAL_FUNCTION(tan, std::tan(x))
HT_REAL_FUNCTION(asin, std::asin(x))
HT_REAL_FUNCTION(acos, std::acos(x))
HT_REAL_FUNCTION(atan, std::atan(x))
HT_REAL_FUNCTION(sinh, std::sinh(x))
HT_REAL_FUNCTION(cosh, std::cosh(x))
HT_REAL_FUNCTION(asinh, std::asinh(x))
HT_REAL_FUNCTION(acosh, std::acosh(x))
HT_REAL_FUNCTION(atanh, std::atanh(x))
#undef HT_REAL_FUNCTION

}  // namespace halftone::sim::ops
