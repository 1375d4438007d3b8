// Products on the Vectors of vectors_avx2.h or vectors_avx512.h.
#pragma once

#include "halftone/kernels/pair_rows_vectors.h"
#include "halftone/kernels/product/product.h"

namespace halftone::kernels {
namespace {

// Two operands in codes. The product of two differences of codes has 17 bits.
template <typename Steps>
class CodesProduct {
 public:
  explicit HT_INLINE CodesProduct(const ProductProblem& p)
      : a_zero_(Vectors::all16(p.a_zero_point)),
        b_zero_(Vectors::all16(p.b_zero_point)),
        steps_(p.factor, p.to),
        codes_(p.to) {}

  HT_INLINE Vectors::Int operator()(Vectors::Int a, Vectors::Int b) const {
    const Vectors::Int zero = Vectors::zero();
    Vectors::Int steps[4];
    multiply(Vectors::low8(a, zero), Vectors::low8(b, zero), steps);
    multiply(Vectors::high8(a, zero), Vectors::high8(b, zero), steps + 2);
    return codes_.pack(steps[0], steps[1], steps[2], steps[3]);
  }

 private:
  HT_INLINE void multiply(Vectors::Int a, Vectors::Int b, Vectors::Int* steps) const {
    a = Vectors::sub16(a, a_zero_);
    b = Vectors::sub16(b, b_zero_);
    const Vectors::Int lower = Vectors::mul16_low(a, b), upper = Vectors::mul16_high(a, b);
    steps[0] = steps_(Vectors::low16(lower, upper));
    steps[1] = steps_(Vectors::high16(lower, upper));
  }

  Vectors::Int a_zero_, b_zero_;
  Steps steps_;
  Codes codes_;
};

// Codes times a float32 multiplier each.
HT_INLINE void product_multipliers(const ProductProblem& problem, const PairRows& rows, const uint8_t* a,
                                   const float* b, uint8_t* to) {
  const Vectors::Int zero = Vectors::all32(problem.a_zero_point);
  const ClampedRound round(problem.to);
  for_each_constant(rows, problem.b_step, problem.to, a, b, to,
                    [&](Vectors::Int x, const float* multipliers, int64_t left) {
                      const Vectors::Float acc = Vectors::to_float(Vectors::sub32(x, zero));
                      const Vectors::Int words = load_constants(multipliers, problem.b_step, left);
                      return round(Vectors::mul(acc, Vectors::as_float(words)));
                    });
}

// Codes times a fraction each, in 64 bits. A Dyadic in memory is a lane, its multiplier the lower half, which the
// product reads.
HT_INLINE void product_fractions(const ProductProblem& problem, const PairRows& rows, const uint8_t* a, const Dyadic* b,
                                 uint8_t* to) {
  static_assert(sizeof(Dyadic) == 8);
  constexpr int64_t kHalf = Vectors::kLanes / 2;
  const Vectors::Int zero = Vectors::all32(problem.a_zero_point), one = Vectors::all64(1);
  const Vectors::Int sign = Vectors::all64(INT64_MIN);
  // |acc| <= 255: with a shift of 8 every acc but 0 saturates every grid, with less the steps could leave 32 bits.
  const Vectors::Int least_shift = Vectors::all64(8);
  const auto steps = [&](Vectors::Int acc, Vectors::Int m) {
    const Vectors::Int shift = Vectors::max32(Vectors::odd_to_even32(m), least_shift);
    const Vectors::Int round = Vectors::add64(Vectors::shift_left64_each(one, Vectors::sub64(shift, one)), sign);
    const Vectors::Int exact = Vectors::add64(Vectors::mul_even32(acc, m), round);
    return Vectors::sub64(Vectors::shift_right64_each(exact, shift), Vectors::shift_right64_each(sign, shift));
  };
  const auto load = [&](const Dyadic* fractions, int64_t left) {
    return problem.b_step == 0 ? Vectors::all_pairs(fractions) : Vectors::load_pairs(fractions, left);
  };
  for_each_constant(
      rows, problem.b_step, problem.to, a, b, to, [&](Vectors::Int x, const Dyadic* fractions, int64_t left) {
        const Vectors::Int acc = Vectors::sub32(x, zero);
        const Vectors::Int low = load(fractions, left);
        const Vectors::Int high = load(fractions + kHalf * problem.b_step, left - kHalf);
        return Vectors::lower_halves(steps(Vectors::spread_low32(acc), low), steps(Vectors::spread_high32(acc), high));
      });
}

HT_INLINE void product_rows(const ProductProblem& problem, const PairRows& rows, const uint8_t* a, const void* b,
                            uint8_t* to) {
  const auto* codes = static_cast<const uint8_t*>(b);
  if (problem.mode == RequantizeMode::Float) {
    if (problem.b_is_constant) {
      product_multipliers(problem, rows, a, static_cast<const float*>(b), to);
    } else {
      for_codes(rows, problem.b_step, a, codes, to, CodesProduct<FloatSteps>(problem));
    }
  } else if (problem.b_is_constant) {
    product_fractions(problem, rows, a, static_cast<const Dyadic*>(b), to);
  } else {
    for_codes(rows, problem.b_step, a, codes, to, CodesProduct<DyadicSteps>(problem));
  }
}

}  // namespace
}  // namespace halftone::kernels
