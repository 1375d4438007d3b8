// Means over pixels on the Vectors of vectors_avx2.h or vectors_avx512.h.
#pragma once

#include "halftone/kernels/mean_pool/mean_pool.h"
#include "halftone/kernels/requantize_vectors.h"

namespace halftone::kernels {
namespace {

// Sums of kBytes channels: 16 bits hold 256 codes, then they move to 32.
class ChannelSums {
 public:
  HT_INLINE ChannelSums() {
    for (Vectors::Int& v : narrow_) v = Vectors::zero();
    for (Vectors::Int& v : wide_) v = Vectors::zero();
  }
  HT_INLINE void add(Vectors::Int codes) {
    narrow_[0] = Vectors::add16(narrow_[0], Vectors::low8(codes, Vectors::zero()));
    narrow_[1] = Vectors::add16(narrow_[1], Vectors::high8(codes, Vectors::zero()));
  }
  HT_INLINE void widen() {
    for (int i = 0; i < 2; ++i) {
      wide_[2 * i] = Vectors::add32(wide_[2 * i], Vectors::low16(narrow_[i], Vectors::zero()));
      wide_[2 * i + 1] = Vectors::add32(wide_[2 * i + 1], Vectors::high16(narrow_[i], Vectors::zero()));
      narrow_[i] = Vectors::zero();
    }
  }
  // After widen().
  HT_INLINE Vectors::Int operator[](int i) const { return wide_[i]; }

 private:
  Vectors::Int narrow_[2], wide_[4];
};
constexpr int64_t kNarrowTaps = 256;

// kCount vectors of channels.
template <int kCount>
HT_INLINE void sum_of_box(const Box& box, const uint8_t* from, ChannelSums* sums) {
  int64_t room = kNarrowTaps;
  for (int64_t d = 0; d < box.count[0]; ++d) {
    for (int64_t h = 0; h < box.count[1]; ++h) {
      const uint8_t* tap = from + d * box.stride[0] + h * box.stride[1];
      for (int64_t w = 0; w < box.count[2];) {
        const int64_t run = room < box.count[2] - w ? room : box.count[2] - w;
        for (int64_t i = 0; i < run; ++i, tap += box.stride[2]) {
          for (int k = 0; k < kCount; ++k) sums[k].add(Vectors::load(tap + k * Vectors::kBytes));
        }
        w += run;
        room -= run;
        if (room > 0) continue;
        for (int k = 0; k < kCount; ++k) sums[k].widen();
        room = kNarrowTaps;
      }
    }
  }
  for (int k = 0; k < kCount; ++k) sums[k].widen();
}

template <int kCount, typename Steps>
HT_INLINE void mean_of_box(const Box& box, const Steps& steps, const Codes& codes, Vectors::Int offset,
                           const uint8_t* from, uint8_t* to, int64_t channels) {
  ChannelSums sums[kCount];
  sum_of_box<kCount>(box, from, sums);
  for (int k = 0; k < kCount; ++k) {
    Vectors::Int s[4];
    for (int i = 0; i < 4; ++i) s[i] = steps(Vectors::sub32(sums[k][i], offset));
    const Vectors::Int mean = codes.pack(s[0], s[1], s[2], s[3]);
    const int64_t left = channels - k * Vectors::kBytes;
    if (left >= Vectors::kBytes) {
      Vectors::store(to + k * Vectors::kBytes, mean);
    } else {
      Vectors::store_first(to + k * Vectors::kBytes, mean, left);
    }
  }
}

template <typename Steps>
HT_INLINE void means_of_row(const MeanProblem& problem, const Factor& factor, const BoxRow& row, const uint8_t* from,
                            uint8_t* to) {
  constexpr int64_t kWide = 2 * Vectors::kBytes;
  const Steps steps(factor, problem.to);
  const Codes codes(problem.to);
  const int64_t taps = row.box.count[0] * row.box.count[1] * row.box.count[2];
  const Vectors::Int offset = Vectors::all32(static_cast<int32_t>(taps * problem.zero_point));
  for (int64_t j = 0; j < row.pixels; ++j, from += row.from_step, to += row.to_step) {
    int64_t c = 0;
    for (; c + kWide <= row.channels; c += kWide) {
      mean_of_box<2>(row.box, steps, codes, offset, from + c, to + c, kWide);
    }
    for (; c < row.channels; c += Vectors::kBytes) {
      mean_of_box<1>(row.box, steps, codes, offset, from + c, to + c, row.channels - c);
    }
  }
}

HT_INLINE void mean_pool_row(const MeanProblem& problem, const Factor& factor, const BoxRow& row, const uint8_t* from,
                             uint8_t* to) {
  if (problem.mode == RequantizeMode::Float) {
    means_of_row<FloatSteps>(problem, factor, row, from, to);
  } else {
    means_of_row<DyadicSteps>(problem, factor, row, from, to);
  }
}

}  // namespace
}  // namespace halftone::kernels
