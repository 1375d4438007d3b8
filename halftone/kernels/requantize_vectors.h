// The last steps of every kernel on codes, on the Vectors of vectors_avx2.h or vectors_avx512.h, one of which stands
// before this header.
#pragma once

#include "halftone/kernels/stored_grid.h"

namespace halftone::kernels {
namespace {

// Steps of the output grid in int32 to codes. Saturating at 16 bits and then at 8 gives what clamping at once does.
class Codes {
 public:
  explicit HT_INLINE Codes(const StoredGrid& to)
      : zero_point_(Vectors::all16(to.zero_point)), low_(Vectors::all8(to.low)), high_(Vectors::all8(to.high)) {}

  HT_INLINE Vectors::Int pack(Vectors::Int a, Vectors::Int b, Vectors::Int c, Vectors::Int d) const {
    const Vectors::Int ab = Vectors::adds16(Vectors::pack32(a, b), zero_point_);
    const Vectors::Int cd = Vectors::adds16(Vectors::pack32(c, d), zero_point_);
    return Vectors::max8(Vectors::min8(Vectors::pack16(ab, cd), high_), low_);
  }

 private:
  Vectors::Int zero_point_, low_, high_;
};

// float32 steps of any size to int32, held to the grid.
class ClampedRound {
 public:
  explicit HT_INLINE ClampedRound(const StoredGrid& to)
      : least_(Vectors::all(static_cast<float>(to.low - to.zero_point))),
        most_(Vectors::all(static_cast<float>(to.high - to.zero_point))) {}

  HT_INLINE Vectors::Int operator()(Vectors::Float steps) const {
    return Vectors::round(Vectors::min(Vectors::max(steps, least_), most_));
  }

 private:
  Vectors::Float least_, most_;
};

// Any int32 sums to steps, RequantizeMode::Float.
class FloatSteps {
 public:
  HT_INLINE FloatSteps(const Factor& factor, const StoredGrid& to)
      : multiplier_(Vectors::all(factor.multiplier)), round_(to) {}

  HT_INLINE Vectors::Int operator()(Vectors::Int acc) const {
    return round_(Vectors::mul(Vectors::to_float(acc), multiplier_));
  }

 private:
  Vectors::Float multiplier_;
  ClampedRound round_;
};

// Any int32 sums to steps, RequantizeMode::Dyadic: (acc * M + 2^(r-1)) >> r in 64 bits.
class DyadicSteps {
 public:
  HT_INLINE DyadicSteps(const Factor& factor, const StoredGrid&) : shift_(factor.dyadic.shift) {
    const int64_t multiplier = factor.dyadic.multiplier;
    multiplier_ = Vectors::all32(factor.dyadic.multiplier);
    // From `bound` on, 2^16 steps are reached and every grid saturates; with a shift below 31, larger sums would leave
    // 32 bits.
    const bool fits = shift_ >= 31 || multiplier == 0;
    const int64_t bound =
        fits ? INT32_MAX : (int64_t{1} << (shift_ + 16)) / (multiplier < 0 ? -multiplier : multiplier) + 1;
    most_ = Vectors::all32(static_cast<int32_t>(bound < INT32_MAX ? bound : INT32_MAX));
    least_ = Vectors::sub32(Vectors::zero(), most_);
    // AVX2 shifts 64 bits to the right only without sign: with 2^63 added before, 2^63 >> r has to go afterwards.
    round_ = Vectors::all64(static_cast<int64_t>((uint64_t{1} << 63) + (uint64_t{1} << (shift_ - 1))));
    excess_ = Vectors::all32(static_cast<int32_t>(static_cast<uint32_t>((uint64_t{1} << 63) >> shift_)));
  }

  HT_INLINE Vectors::Int operator()(Vectors::Int acc) const {
    acc = Vectors::min32(Vectors::max32(acc, least_), most_);
    return Vectors::sub32(Vectors::join32(wide(acc), wide(Vectors::odd_to_even32(acc))), excess_);
  }

 private:
  // Of the even lanes.
  HT_INLINE Vectors::Int wide(Vectors::Int acc) const {
    return Vectors::shift_right64(Vectors::add64(Vectors::mul_even32(acc, multiplier_), round_), shift_);
  }

  int32_t shift_;
  Vectors::Int multiplier_, least_, most_, round_, excess_;
};

}  // namespace
}  // namespace halftone::kernels
