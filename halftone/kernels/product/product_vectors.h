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
  for_each_constant(rows, problem.b_step, Codes(problem.to), a, b, to, [&](Vectors::Int x, Vectors::Int multipliers) {
    return round(Vectors::mul(Vectors::to_float(Vectors::sub32(x, zero)), Vectors::as_float(multipliers)));
  });
}

HT_INLINE void product_rows(const ProductProblem& problem, const PairRows& rows, const uint8_t* a, const void* b,
                            uint8_t* to) {
  const auto* codes = static_cast<const uint8_t*>(b);
  if (problem.b_is_constant) {
    product_multipliers(problem, rows, a, static_cast<const float*>(b), to);
  } else if (problem.mode == RequantizeMode::Float) {
    for_each_pair(rows, problem.b_step, a, codes, to, CodesProduct<FloatSteps>(problem));
  } else {
    for_each_pair(rows, problem.b_step, a, codes, to, CodesProduct<DyadicSteps>(problem));
  }
}

}  // namespace
}  // namespace halftone::kernels
