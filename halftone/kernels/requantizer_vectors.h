// Requantization by column (requantizer.h) on the Vectors of vectors_avx2.h or vectors_avx512.h, one of which stands
// before this header.
//   steps(acc)  in steps of the output grid
//   codes(acc)  with the zero point added, before saturation to a byte
// Adding the zero point to 32 bits costs less than adding it to 16 with saturation, where instructions that saturate
// compete with multiplications for their pipes (AMD Zen 4), and nothing at all in dyadic mode. `fit`: no sum gives
// more than 2^30 steps up or down, so that clamping can wait until codes are packed; in dyadic mode moreover no shift
// is less than 33 (GemmColumn::steps_fit).
#pragma once

#include "halftone/kernels/requantizer.h"

namespace halftone::kernels {
namespace {

class FloatColumns {
 public:
  HT_INLINE FloatColumns(const std::byte* constants, bool fit, int32_t zero_point = 0)
      : multiplier_(Vectors::as_float(Vectors::load(constants))), zero_point_(Vectors::all32(zero_point)), fit_(fit) {}

  HT_INLINE Vectors::Int steps(Vectors::Int acc) const {
    Vectors::Float steps = Vectors::mul(Vectors::to_float(acc), multiplier_);
    // Beyond the low end the conversion gives the lowest int32, as it should; beyond the high end too.
    if (!fit_) steps = Vectors::min(steps, Vectors::all(0x1p24F));
    return Vectors::round(steps);
  }
  HT_INLINE Vectors::Int codes(Vectors::Int acc) const { return Vectors::add32(steps(acc), zero_point_); }

 private:
  Vectors::Float multiplier_;
  Vectors::Int zero_point_;
  bool fit_;
};

class DyadicColumns {
 public:
  HT_INLINE DyadicColumns(const std::byte* constants, bool fit, int32_t zero_point = 0)
      : constants_(constants), zero_point_(Vectors::all32(zero_point)), fit_(fit) {}

  HT_INLINE Vectors::Int steps(Vectors::Int acc) const { return fit_ ? high_steps(acc) : any_steps(acc); }
  HT_INLINE Vectors::Int codes(Vectors::Int acc) const { return Vectors::add32(steps(acc), zero_point_); }

 private:
  // (acc * M + 2^(r-1)) >> r in 64 bits. From r = 33 on the low half of the product has no say.
  HT_INLINE Vectors::Int high_steps(Vectors::Int acc) const {
    const Vectors::Int high = Vectors::join_high32(even(acc), odd(acc));
    return Vectors::shift_right32_each(Vectors::add32(high, row(1)), row(2));
  }
  HT_INLINE Vectors::Int any_steps(Vectors::Int acc) const {
    const Vectors::Int most = row(4);
    acc = Vectors::max32(Vectors::min32(acc, most), Vectors::sub32(Vectors::zero(), most));
    const Vectors::Int even_steps = Vectors::shift_right64_each(Vectors::add64(even(acc), row(7)), row(5));
    const Vectors::Int odd_steps = Vectors::shift_right64_each(Vectors::add64(odd(acc), row(8)), row(6));
    return Vectors::sub32(Vectors::join32(even_steps, odd_steps), row(3));
  }

  HT_INLINE Vectors::Int even(Vectors::Int acc) const { return Vectors::mul_even32(acc, row(0)); }
  HT_INLINE Vectors::Int odd(Vectors::Int acc) const {
    return Vectors::mul_even32(Vectors::odd_to_even32(acc), Vectors::odd_to_even32(row(0)));
  }
  HT_INLINE Vectors::Int row(int64_t i) const { return Vectors::load(constants_ + i * Vectors::kBytes); }

  const std::byte* constants_;
  Vectors::Int zero_point_;
  bool fit_;
};

// Words that are codes but for saturation, to bytes.
class CodePacker {
 public:
  HT_INLINE CodePacker(int32_t low, int32_t high)
      : low_(Vectors::all8(low)), high_(Vectors::all8(high)), narrow_(low > 0 || high < 255) {}

  HT_INLINE Vectors::Int pack(Vectors::Int a, Vectors::Int b, Vectors::Int c, Vectors::Int d) const {
    const Vectors::Int bytes = Vectors::pack16(Vectors::pack32(a, b), Vectors::pack32(c, d));
    return narrow_ ? Vectors::max8(Vectors::min8(bytes, high_), low_) : bytes;
  }

 private:
  Vectors::Int low_, high_;
  bool narrow_;
};

}  // namespace
}  // namespace halftone::kernels
