// Requantization by column (requantizer.h) on the Vectors of vectors_avx2.h or vectors_avx512.h, one of which stands
// before this header. `fit`: no sum gives steps outside int32 (GemmColumn::steps_fit), so that clamping can wait until
// steps are packed to bytes.
#pragma once

#include "halftone/kernels/requantizer.h"

namespace halftone::kernels {
namespace {

class FloatColumns {
 public:
  HT_INLINE FloatColumns(const std::byte* constants, bool fit)
      : multiplier_(Vectors::as_float(Vectors::load(constants))), fit_(fit) {}

  HT_INLINE Vectors::Int steps(Vectors::Int acc) const {
    Vectors::Float steps = Vectors::mul(Vectors::to_float(acc), multiplier_);
    // Beyond the low end the conversion gives the lowest int32, as it should; beyond the high end too.
    if (!fit_) steps = Vectors::min(steps, Vectors::all(0x1p24F));
    return Vectors::round(steps);
  }

 private:
  Vectors::Float multiplier_;
  bool fit_;
};

class DyadicColumns {
 public:
  HT_INLINE DyadicColumns(const std::byte* constants, bool fit) : constants_(constants), fit_(fit) {}

  // (acc * M + 2^(r-1)) >> r in 64 bits.
  HT_INLINE Vectors::Int steps(Vectors::Int acc) const {
    if (!fit_) {
      const Vectors::Int most = row(2);
      acc = Vectors::max32(Vectors::min32(acc, most), Vectors::sub32(Vectors::zero(), most));
    }
    const Vectors::Int multiplier = row(0);
    const Vectors::Int even = Vectors::mul_even32(acc, multiplier);
    const Vectors::Int odd = Vectors::mul_even32(Vectors::odd_to_even32(acc), Vectors::odd_to_even32(multiplier));
    const Vectors::Int even_steps = Vectors::shift_right64_each(Vectors::add64(even, row(5)), row(3));
    const Vectors::Int odd_steps = Vectors::shift_right64_each(Vectors::add64(odd, row(6)), row(4));
    return Vectors::sub32(Vectors::join32(even_steps, odd_steps), row(1));
  }

 private:
  HT_INLINE Vectors::Int row(int64_t i) const { return Vectors::load(constants_ + i * Vectors::kBytes); }
  const std::byte* constants_;
  bool fit_;
};

}  // namespace
}  // namespace halftone::kernels
