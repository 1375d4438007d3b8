// matmul_vectors.h for levels that multiply pairs and add them to the accumulator in two instructions.
#pragma once

namespace halftone::kernels {
namespace {

struct Pairs {
  static HT_INLINE Vectors::Int add(Vectors::Int acc, Vectors::Int a, Vectors::Int b) {
    return Vectors::add32(acc, Vectors::madd16(a, b));
  }
};

}  // namespace
}  // namespace halftone::kernels

// Computes with the names above.
#include "halftone/kernels/matmul/matmul_vectors.h"
