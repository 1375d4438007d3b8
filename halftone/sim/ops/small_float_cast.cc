#include "halftone/sim/ops/small_float_cast.h"

#include <algorithm>
#include <cmath>

namespace halftone::sim::ops {
namespace {

struct Overflow {
  DType dtype;
  double limit;        // halfway between the largest finite number and what would follow it
  bool tie_overflows;  // the largest finite number is odd, so a tie rounds away from it
  uint8_t code;        // infinity or NaN
  bool keeps_sign;
};
constexpr Overflow kOverflows[] = {
    {DType::Float8E4M3FN, 464.0, false, 0x7f, true},
    {DType::Float8E4M3FNUZ, 248.0, true, 0x80, false},
    {DType::Float8E5M2, 61440.0, true, 0x7c, true},
    {DType::Float8E5M2FNUZ, 61440.0, true, 0x80, false},
};

constexpr int kBias = 127, kLargestExponent = 127;
constexpr uint8_t kNaN = 0xff;

uint8_t e8m0_code(double x, const std::string& round_mode, bool saturate) {
  const double magnitude = std::fabs(x);
  if (std::isnan(x)) return kNaN;
  if (magnitude == 0.0) return saturate ? 0 : kNaN;
  if (std::isinf(x)) return saturate ? kBias + kLargestExponent : kNaN;
  int exponent = std::ilogb(magnitude);
  const double fraction = std::ldexp(magnitude, -exponent);  // in [1, 2)
  if (round_mode == "up" ? fraction > 1.0 : round_mode == "nearest" && fraction >= 1.5) ++exponent;
  if (!saturate && (exponent < -kBias || exponent > kLargestExponent)) return kNaN;
  return static_cast<uint8_t>(std::clamp(exponent, -kBias, kLargestExponent) + kBias);
}

}  // namespace

Tensor cast_unsaturated(const Tensor& x, DType dtype) {
  Tensor result = convert(x, dtype);
  const Overflow* overflow = std::find_if(std::begin(kOverflows), std::end(kOverflows),
                                          [&](const Overflow& row) { return row.dtype == dtype; });
  if (overflow == std::end(kOverflows)) return result;
  const std::vector<double> values = to_vector<double>(x);
  const std::span<uint8_t> codes = result.mutable_data<uint8_t>();
  for (size_t i = 0; i < codes.size(); ++i) {
    const double magnitude = std::fabs(values[i]);
    if (magnitude > overflow->limit || (overflow->tie_overflows && magnitude == overflow->limit)) {
      const int sign = overflow->keeps_sign && values[i] < 0 ? 0x80 : 0;
      codes[i] = static_cast<uint8_t>(overflow->code | sign);
    }
  }
  return result;
}

Tensor cast_to_e8m0(const Tensor& x, const std::string& round_mode, bool saturate) {
  Tensor result(DType::Float8E8M0, x.shape());
  const std::vector<double> values = to_vector<double>(x);
  const std::span<uint8_t> codes = result.mutable_data<uint8_t>();
  for (size_t i = 0; i < codes.size(); ++i) codes[i] = e8m0_code(values[i], round_mode, saturate);
  return result;
}

}  // namespace halftone::sim::ops
