#include "halftone/tensor/float16.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "halftone/base/error.h"

namespace halftone {
namespace {

constexpr uint32_t kFloatInfinity = 0x7f800000;

// What distinguishes the 8- and 4-bit floats that have a sign, an exponent and a mantissa.
struct SmallFormat {
  int mantissa_bits;
  int bias;
  int sign_bit;
  uint8_t largest;  // bits of the largest finite magnitude
  int nan;          // bits of the NaN, -1 for none
  bool unsigned_zero;
  bool infinity;  // the exponent of all ones means infinity or NaN, as in IEEE 754
};

SmallFormat format_of(DType dtype) {
  switch (dtype) {
    case DType::Float8E4M3FN:
      return {3, 7, 0x80, 0x7e, 0x7f, false, false};
    case DType::Float8E4M3FNUZ:
      return {3, 8, 0x80, 0x7f, 0x80, true, false};
    case DType::Float8E5M2:
      return {2, 15, 0x80, 0x7b, 0x7f, false, true};
    case DType::Float8E5M2FNUZ:
      return {2, 16, 0x80, 0x7f, 0x80, true, false};
    case DType::Float4E2M1:
      return {1, 1, 0x08, 0x07, -1, false, false};
    default:
      HT_CHECK(false, "{} is no small float", name_of(dtype));
  }
}

float magnitude_of(int bits, const SmallFormat& format) {
  const int mantissa = bits & ((1 << format.mantissa_bits) - 1);
  const int exponent = bits >> format.mantissa_bits;
  // Without an exponent the leading one is absent too: a subnormal number.
  const int significand = exponent == 0 ? mantissa : mantissa | (1 << format.mantissa_bits);
  return std::ldexp(static_cast<float>(significand), std::max(exponent, 1) - format.bias - format.mantissa_bits);
}

// E8M0 holds powers of two only, 2^(bits - 127), and 0xff for NaN. Zero becomes the smallest power, ties go up.
uint8_t float_to_e8m0(float x) {
  if (std::isnan(x) || x < 0) return 0xff;
  int exponent = 0;
  const float fraction = std::frexp(x, &exponent);  // x = fraction * 2^exponent, fraction in [0.5, 1)
  if (x == 0) return 0;
  if (std::isinf(x)) return 0xfe;
  const int power = exponent - (fraction < 0.75f ? 1 : 0);
  return static_cast<uint8_t>(std::min(std::max(power + 127, 0), 254));
}

}  // namespace

uint16_t float_to_half(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  uint32_t magnitude = bits & 0x7fffffff;
  if (magnitude > kFloatInfinity) return static_cast<uint16_t>(sign | 0x7e00);
  // 65520 is halfway between the largest half, 65504, and the number that would come next.
  constexpr uint32_t k65520 = 0x477ff000;
  if (magnitude >= k65520) return static_cast<uint16_t>(sign | 0x7c00);
  constexpr uint32_t kSmallestNormal = 0x38800000;  // 2^-14
  if (magnitude < kSmallestNormal) {
    // Adding 0.5, whose last bit is worth 2^-24 as a subnormal half's is, rounds in the right place.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) - std::bit_cast<uint32_t>(0.5f)));
  }
  magnitude += 0xfff + ((magnitude >> 13) & 1);
  return static_cast<uint16_t>(sign | ((magnitude - (uint32_t{127 - 15} << 23)) >> 13));
}

float half_to_float(uint16_t bits) {
  const uint32_t sign = uint32_t{bits & 0x8000u} << 16;
  const uint32_t exponent = (bits >> 10) & 0x1f;
  const uint32_t mantissa = bits & 0x3ff;
  if (exponent == 0) {
    const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(magnitude));
  }
  const uint32_t wide_exponent = exponent == 0x1f ? 0xff : exponent + (127 - 15);
  return std::bit_cast<float>(sign | (wide_exponent << 23) | (mantissa << 13));
}

uint16_t float_to_bfloat16(float x) {
  const auto bits = std::bit_cast<uint32_t>(x);
  // The quiet bit, so that a NaN whose payload is cut off does not turn into infinity.
  if ((bits & 0x7fffffff) > kFloatInfinity) return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

float bfloat16_to_float(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

float small_float_to_float(uint8_t bits, DType dtype) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  if (dtype == DType::Float8E8M0) return bits == 0xff ? kNan : std::ldexp(1.0f, bits - 127);
  const SmallFormat format = format_of(dtype);
  if (format.unsigned_zero && bits == format.nan) return kNan;
  const int magnitude_bits = bits & (format.sign_bit - 1);
  const bool negative = (bits & format.sign_bit) != 0;
  float magnitude;
  if (magnitude_bits <= format.largest) {
    magnitude = magnitude_of(magnitude_bits, format);
  } else {
    const bool is_infinity = format.infinity && magnitude_bits == format.largest + 1;
    magnitude = is_infinity ? std::numeric_limits<float>::infinity() : kNan;
  }
  return negative ? -magnitude : magnitude;
}

uint8_t float_to_small_float(float x, DType dtype) {
  if (dtype == DType::Float8E8M0) return float_to_e8m0(x);
  const SmallFormat format = format_of(dtype);
  if (std::isnan(x) && format.nan >= 0) return static_cast<uint8_t>(format.nan);
  const int sign = std::signbit(x) ? format.sign_bit : 0;
  const float magnitude = std::isnan(x) ? 0 : std::fabs(x);
  int bits = format.largest;
  if (magnitude < magnitude_of(format.largest, format)) {
    const int lowest = 1 - format.bias;
    const int exponent = magnitude == 0 ? lowest : std::max(std::ilogb(magnitude), lowest);
    // In units of the last mantissa bit, where scaling by a power of two is exact, the default mode rounds half to
    // even.
    const auto units = static_cast<int>(std::nearbyint(std::ldexp(magnitude, format.mantissa_bits - exponent)));
    // Counting up from the binade's start carries into the exponent by itself.
    bits = units + ((exponent - lowest) << format.mantissa_bits);
  }
  if (bits == 0 && format.unsigned_zero) return 0;
  return static_cast<uint8_t>(sign | bits);
}

}  // namespace halftone
