// Sums on Vectors (vectors_avx2.h, vectors_avx512.h).
#pragma once

#include "halftone/kernels/pair_rows_vectors.h"
#include "halftone/kernels/sum/sum.h"

namespace halftone::kernels {
namespace {

// A code under the upper half of 2^23 is the float 2^23 + code: widening converts.
constexpr int32_t kFloatUpper = 0x4B00;
constexpr float kFloatOffset = 0x1p23F;

// Two operands in codes. `steps` of both arguments are within int32.
class FloatSum {
 public:
  explicit HT_INLINE FloatSum(const SumProblem& p)
      : upper_(Vectors::all16(kFloatUpper)),
        a_zero_(Vectors::all(kFloatOffset + static_cast<float>(p.a_zero_point))),
        b_zero_(Vectors::all(kFloatOffset + static_cast<float>(p.b_zero_point))),
        a_multiplier_(Vectors::all(p.a_multiplier)),
        b_multiplier_(Vectors::all(p.b_multiplier)),
        codes_(p.to) {}

  HT_INLINE Vectors::Int operator()(Vectors::Int a, Vectors::Int b) const {
    const Vectors::Int zero = Vectors::zero();
    const Vectors::Int a0 = Vectors::low8(a, zero), a1 = Vectors::high8(a, zero);
    const Vectors::Int b0 = Vectors::low8(b, zero), b1 = Vectors::high8(b, zero);
    return codes_.pack(steps(Vectors::low16(a0, upper_), Vectors::low16(b0, upper_)),
                       steps(Vectors::high16(a0, upper_), Vectors::high16(b0, upper_)),
                       steps(Vectors::low16(a1, upper_), Vectors::low16(b1, upper_)),
                       steps(Vectors::high16(a1, upper_), Vectors::high16(b1, upper_)));
  }

 private:
  HT_INLINE Vectors::Int steps(Vectors::Int a, Vectors::Int b) const {
    const Vectors::Float xa = Vectors::sub(Vectors::as_float(a), a_zero_);
    const Vectors::Float xb = Vectors::sub(Vectors::as_float(b), b_zero_);
    return Vectors::round(Vectors::add(Vectors::mul(xa, a_multiplier_), Vectors::mul(xb, b_multiplier_)));
  }

  Vectors::Int upper_;
  Vectors::Float a_zero_, b_zero_, a_multiplier_, b_multiplier_;
  Codes codes_;
};

// The same in integers. Multipliers are split into 16 upper bits and 16 signed lower ones, so that one pmaddwd
// multiplies and adds; zero points and the rounding are one constant.
class DyadicPairSum {
 public:
  explicit HT_INLINE DyadicPairSum(const SumProblem& p) : shift_(p.dyadic.shift), codes_(p.to) {
    const int32_t a = p.dyadic.multiplier_a, b = p.dyadic.multiplier_b;
    const auto a_low = static_cast<int16_t>(a), b_low = static_cast<int16_t>(b);
    lower_ = pair(a_low, b_low);
    upper_ = pair((a - a_low) >> 16, (b - b_low) >> 16);
    const uint32_t zero = static_cast<uint32_t>(p.a_zero_point) * static_cast<uint32_t>(a) +
                          static_cast<uint32_t>(p.b_zero_point) * static_cast<uint32_t>(b);
    offset_ = Vectors::all32(static_cast<int32_t>((uint32_t{1} << (shift_ - 1)) - zero));
  }

  HT_INLINE Vectors::Int operator()(Vectors::Int a, Vectors::Int b) const {
    const Vectors::Int zero = Vectors::zero();
    const Vectors::Int pairs0 = Vectors::low8(a, b), pairs1 = Vectors::high8(a, b);
    return codes_.pack(steps(Vectors::low8(pairs0, zero)), steps(Vectors::high8(pairs0, zero)),
                       steps(Vectors::low8(pairs1, zero)), steps(Vectors::high8(pairs1, zero)));
  }

 private:
  static HT_INLINE Vectors::Int pair(int32_t low, int32_t high) {
    return Vectors::all32(
        static_cast<int32_t>((static_cast<uint32_t>(high) << 16) | (static_cast<uint32_t>(low) & 0xFFFF)));
  }
  HT_INLINE Vectors::Int steps(Vectors::Int pairs) const {
    const Vectors::Int upper = Vectors::shift_left32<16>(Vectors::madd16(pairs, upper_));
    const Vectors::Int sum = Vectors::add32(Vectors::add32(upper, Vectors::madd16(pairs, lower_)), offset_);
    return Vectors::shift_right32(sum, shift_);
  }

  int32_t shift_;
  Vectors::Int lower_, upper_, offset_;
  Codes codes_;
};

// Codes and constants; kLanes elements each. Constants may be of any size in Float mode.
class FloatConstantSum {
 public:
  explicit HT_INLINE FloatConstantSum(const SumProblem& p)
      : zero_(Vectors::all32(p.a_zero_point)), multiplier_(Vectors::all(p.a_multiplier)), round_(p.to) {}

  HT_INLINE Vectors::Int operator()(Vectors::Int a, Vectors::Int b) const {
    const Vectors::Float xa = Vectors::to_float(Vectors::sub32(a, zero_));
    return round_(Vectors::add(Vectors::mul(xa, multiplier_), Vectors::as_float(b)));
  }

 private:
  Vectors::Int zero_;
  Vectors::Float multiplier_;
  ClampedRound round_;
};

class DyadicConstantSum {
 public:
  explicit HT_INLINE DyadicConstantSum(const SumProblem& p)
      : shift_(p.dyadic.shift), multiplier_(Vectors::all32(p.dyadic.multiplier_a)) {
    const uint32_t zero = static_cast<uint32_t>(p.a_zero_point) * static_cast<uint32_t>(p.dyadic.multiplier_a);
    offset_ = Vectors::all32(static_cast<int32_t>((uint32_t{1} << (shift_ - 1)) - zero));
  }

  HT_INLINE Vectors::Int operator()(Vectors::Int a, Vectors::Int b) const {
    const Vectors::Int sum = Vectors::add32(Vectors::mul32(a, multiplier_), Vectors::add32(b, offset_));
    return Vectors::shift_right32(sum, shift_);
  }

 private:
  int32_t shift_;
  Vectors::Int multiplier_, offset_;
};

template <typename Sum>
HT_INLINE void sum_constants(const SumProblem& problem, const PairRows& rows, const uint8_t* a, const void* b,
                             uint8_t* to) {
  const Sum sum(problem);
  for_each_constant(rows, problem.b_step, problem.to, a, static_cast<const int32_t*>(b), to,
                    [&](Vectors::Int x, const int32_t* constants, int64_t left) {
                      return sum(x, load_constants(constants, problem.b_step, left));
                    });
}

HT_INLINE void sum_rows(const SumProblem& problem, const PairRows& rows, const uint8_t* a, const void* b, uint8_t* to) {
  const auto* codes = static_cast<const uint8_t*>(b);
  if (problem.mode == RequantizeMode::Float) {
    if (problem.b_is_constant) {
      sum_constants<FloatConstantSum>(problem, rows, a, b, to);
    } else {
      for_codes(rows, problem.b_step, a, codes, to, FloatSum(problem));
    }
  } else if (problem.b_is_constant) {
    sum_constants<DyadicConstantSum>(problem, rows, a, b, to);
  } else {
    for_codes(rows, problem.b_step, a, codes, to, DyadicPairSum(problem));
  }
}

}  // namespace
}  // namespace halftone::kernels
