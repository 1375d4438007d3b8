// The loop that an instruction-set file fills with a step. Everything lies in an unnamed namespace: code compiled for
// one instruction-set level must not be shared with sources compiled for another.
#pragma once

#include <immintrin.h>

#include "halftone/kernels/peak/peak.h"

namespace halftone::kernels {
namespace {

// Hides from the compiler what a register holds, so that it neither moves a step out of the loop nor merges two.
template <typename Vector>
inline __attribute__((always_inline)) void conceal(Vector& v) {
#if defined(__AVX512F__)
  __asm__ volatile("" : "+v"(v));
#else
  __asm__ volatile("" : "+x"(v));
#endif
}

// `step(acc, x, y)` for every accumulator, `rounds` times.
template <typename Vector, typename Step>
inline __attribute__((always_inline)) void repeat(int64_t rounds, const Step& step) {
  Vector x = {}, y = {}, acc[kPeakAccumulators] = {};
  conceal(y);
  for (int64_t round = 0; round < rounds; ++round) {
#if defined(__clang__)
#pragma unroll
#else
#pragma GCC unroll 16
#endif
    for (int i = 0; i < kPeakAccumulators; ++i) {
      conceal(x);
      acc[i] = step(acc[i], x, y);
    }
  }
#if defined(__clang__)
#pragma unroll
#else
#pragma GCC unroll 16
#endif
  for (int i = 0; i < kPeakAccumulators; ++i) conceal(acc[i]);
}

}  // namespace
}  // namespace halftone::kernels
