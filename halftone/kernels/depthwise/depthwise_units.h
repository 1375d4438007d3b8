// What the templates of depthwise_columns.h and depthwise_sliding.h are built from: how rows are interleaved and
// products summed up (depthwise_blob.h), how sums become codes.
//
// Everything lies in an unnamed namespace, as in depthwise_lanes.h.
#pragma once

#include "halftone/kernels/depthwise/depthwise_blob.h"
#include "halftone/kernels/depthwise/depthwise_lanes.h"
#include "halftone/kernels/unroll.h"

namespace halftone::kernels {
namespace {

// `v`, of which the compiler knows nothing but that it is in a register. GCC would otherwise sum up products in another
// order, all multiplications first, and run out of registers.
template <typename Int>
HT_INLINE Int pinned(Int v) {
#ifdef __AVX512VL__
  asm("" : "+v"(v));
#else
  asm("" : "+x"(v));
#endif
  return v;
}

template <typename L>
struct Pairs : L {
  using Int = typename L::Int;
  static constexpr int kRows = 2, kWeightVectors = 1;
  struct Weights {
    Int pairs;
  };
  static HT_INLINE Weights load_weights(const uint8_t* p) { return {L::load(p)}; }
  static HT_INLINE Int dot(Int sum, Int codes, const Weights& weights) {
    return pinned(L::add32(sum, L::madd16(codes, weights.pairs)));
  }
  static HT_INLINE Int uniform(uint8_t code) { return L::all16(code); }
  static HT_INLINE void interleave(const uint8_t* const (&rows)[kRows], Int (&to)[kDepthwiseVectors]) {
    const Int a = L::load(rows[0]), b = L::load(rows[1]);
    const Int low = L::low8(a, b), high = L::high8(a, b);
    to[0] = L::low8(low, L::zero());
    to[1] = L::high8(low, L::zero());
    to[2] = L::low8(high, L::zero());
    to[3] = L::high8(high, L::zero());
  }
};

// Three or four rows of bytes; vectors First, First + 1, .. of the column: all four, or the lower or upper two. Where
// there are three rows, the fourth bytes mean nothing.
template <typename L, int First, int Rows, int Vectors>
HT_INLINE void interleave_rows(const uint8_t* const (&rows)[Rows], typename L::Int (&to)[Vectors]) {
  using Int = typename L::Int;
  // GCC would rather load twice, and by way of the stack, than keep what it has loaded.
  const Int a = pinned(L::load(rows[0])), b = pinned(L::load(rows[1])), c = pinned(L::load(rows[2]));
  const Int d = Rows == 3 ? c : pinned(L::load(rows[Rows - 1]));
  if constexpr (First == 0) {
    const Int ab = L::low8(a, b), cd = L::low8(c, d);
    to[0] = L::low16(ab, cd);
    to[1] = L::high16(ab, cd);
  }
  if constexpr (First + Vectors == 4) {
    const Int ab = L::high8(a, b), cd = L::high8(c, d);
    to[Vectors - 2] = L::low16(ab, cd);
    to[Vectors - 1] = L::high16(ab, cd);
  }
}

template <typename L>
struct Quads : L {
  using Int = typename L::Int;
  static constexpr int kRows = 4, kWeightVectors = 1;
  struct Weights {
    Int quads;
  };
  static HT_INLINE Weights load_weights(const uint8_t* p) { return {L::load(p)}; }
  static HT_INLINE Int dot(Int sum, Int codes, const Weights& weights) { return L::dot(sum, codes, weights.quads); }
  static HT_INLINE Int uniform(uint8_t code) { return L::all8(code); }
  static HT_INLINE void interleave(const uint8_t* const (&rows)[kRows], Int (&to)[kDepthwiseVectors]) {
    interleave_rows<L, 0>(rows, to);
  }
};

template <typename L>
struct Flips : L {
  using Int = typename L::Int;
  static constexpr int kWeightVectors = 2;
  struct Weights {
    Int size, flip;
  };
  static HT_INLINE Weights load_weights(const uint8_t* p) { return {L::load(p), L::load(p + L::kBytes)}; }
  static HT_INLINE Int dot(Int sum, Int codes, const Weights& weights) {
    const Int pairs = L::mul_add8(weights.size, L::exclusive_or(codes, weights.flip));
    return pinned(L::add32(sum, L::madd16(pairs, L::all16(1))));
  }
  static HT_INLINE Int uniform(uint8_t code) { return L::all8(code); }
};

// From sums to steps of the output grid, and from steps, saturated to 16 bits, to codes before their last saturation.

template <typename L>
class FloatSteps {
 public:
  using Int = typename L::Int;
  HT_INLINE FloatSteps(const uint8_t* factors, const uint8_t*, bool) : factor_(L::as_float(L::load(factors))) {}
  HT_INLINE Int operator()(Int sum) const { return L::round(L::mul(L::to_float(sum), factor_)); }
  HT_INLINE Int of_limited(Int sum) const { return (*this)(sum); }

  static HT_INLINE Int summand(int32_t zero_point) { return L::all16(zero_point); }
  static HT_INLINE Int codes16(Int steps, Int summand) { return L::adds16(steps, summand); }

 private:
  typename L::Float factor_;
};

// floor(sum * M / 2^r + 1/2) = (t + 1) >> 1 with t = floor(sum * M / 2^(r-1)), and as r - 1 is 32 or more, t is the
// upper half of the product shifted by r - 33: no addition and no shift in 64 bits. The last bit is rounded on 16-bit
// numbers, together with the zero point: ((t + 1) >> 1) + z = (t + 1 + 2 z) >> 1.
// In a limited blob, where r may be less than 33, sums are so small that they can be shifted up before.
template <typename L>
class DyadicSteps {
 public:
  using Int = typename L::Int;
  HT_INLINE DyadicSteps(const uint8_t* factors, const uint8_t* shifts, bool limited)
      : factor_(L::load(factors)), factor_odd_(L::odd_to_even32(factor_)), shift_(L::load(shifts)) {
    if (limited) {
      up_ = L::max32(L::sub32(L::zero(), shift_), L::zero());
      shift_ = L::max32(shift_, L::zero());
    }
  }
  HT_INLINE Int operator()(Int sum) const {
    const Int even = L::mul_even32(sum, factor_), odd = L::mul_even32(L::odd_to_even32(sum), factor_odd_);
    return L::shift_right32_each(L::high_halves(even, odd), shift_);
  }
  HT_INLINE Int of_limited(Int sum) const { return (*this)(L::shift_left32_each(sum, up_)); }

  static HT_INLINE Int summand(int32_t zero_point) { return L::all16(1 + 2 * zero_point); }
  static HT_INLINE Int codes16(Int steps, Int summand) { return L::halve16(L::adds16(steps, summand)); }

 private:
  Int factor_, factor_odd_, shift_, up_ = L::zero();
};

// Clamps codes, of which two halves are given as 16-bit numbers.
template <typename L>
class CodeClamp {
 public:
  using Int = typename L::Int;
  HT_INLINE explicit CodeClamp(const DepthwiseBlob& blob) : low_(L::all8(blob.low)), high_(L::all8(blob.high)) {}
  HT_INLINE Int operator()(Int low_half, Int high_half) const {
    return L::min8(L::max8(L::pack16(low_half, high_half), low_), high_);
  }

 private:
  Int low_, high_;
};

// A block whose codes are neighbours and fill a vector is stored as it is; others take this way.
template <typename L>
HT_INLINE void store_some(const DepthwiseBlob& blob, const DepthwiseBlock& block, typename L::Int codes, uint8_t* to) {
  if (blob.multiplier == 1) {
    L::store_first(to, codes, block.count);
  } else {
    uint8_t bytes[L::kBytes];
    L::store(bytes, codes);
    for (int64_t i = 0; i < block.count; ++i) to[i * blob.multiplier] = bytes[i];
  }
}
template <typename L>
HT_INLINE bool stores_all(const DepthwiseBlob& blob, const DepthwiseBlock& block) {
  return blob.multiplier == 1 && block.count == L::kBytes;
}

}  // namespace
}  // namespace halftone::kernels
