// The loops of integer levels without an instruction of their own for it. An instruction-set file includes vectors_X.h
// and then this header.
#pragma once

#include "halftone/kernels/peak/peak_loop.h"

namespace halftone::kernels {
namespace {

using Int = Vectors::Int;

HT_INLINE void pmaddubsw(int64_t rounds) {
  Int ones = Vectors::all16(1);
  conceal(ones);
  repeat<Int>(
      rounds, [ones](Int acc, Int x, Int y) __attribute__((always_inline)) {
        return Vectors::add32(acc, Vectors::madd16(Vectors::mul_add8(x, y), ones));
      });
}

HT_INLINE void pmaddwd(int64_t rounds) {
  repeat<Int>(
      rounds,
      [](Int acc, Int x, Int y) __attribute__((always_inline)) { return Vectors::add32(acc, Vectors::madd16(x, y)); });
}

}  // namespace
}  // namespace halftone::kernels
