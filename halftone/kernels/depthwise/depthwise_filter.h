// 3x3 windows, two vectors of a column or all four: from columns to codes. `InBlob`: the rows of weights that the blob
// has, of which Rows are used.
//
// Everything lies in an unnamed namespace, as in depthwise_lanes.h.
#pragma once

#include "halftone/kernels/depthwise/depthwise_pass.h"
#include "halftone/kernels/depthwise/depthwise_units.h"

namespace halftone::kernels {
namespace {

// Of vectors First, First + 1, ..: kept in registers where there are enough of them, else read where they are used.
template <typename Unit, int First, int Vectors, int Rows, int InBlob>
class Weights3x3 {
 public:
  HT_INLINE explicit Weights3x3(const DepthwisePass& pass)
      : from_(pass.constants() + 4 * kDepthwiseVectors * Unit::kBytes) {
    if constexpr (kKept) {
      HT_UNROLL for (int v = 0; v < Vectors; ++v) {
        HT_UNROLL for (int j = 0; j < 3; ++j) {
          HT_UNROLL for (int r = 0; r < Rows; ++r) kept_[v][j][r] = load(v, j, r);
        }
      }
    }
  }
  HT_INLINE typename Unit::Weights operator()(int v, int j, int r) const {
    if constexpr (kKept) return kept_[v][j][r];
    return load(v, j, r);
  }

 private:
  static constexpr bool kKept = kRegisters == 32 && Unit::kWeightVectors == 1;
  HT_INLINE typename Unit::Weights load(int v, int j, int r) const {
    return Unit::load_weights(from_ + (((First + v) * 3 + j) * InBlob + r) * Unit::kWeightVectors * Unit::kBytes);
  }
  const uint8_t* from_;
  typename Unit::Weights kept_[kKept ? Vectors : 1][3][Rows];
};

template <typename Unit, template <typename> typename Steps, int First, int Vectors, int Rows, int InBlob>
class Filter3x3 {
 public:
  using Int = typename Unit::Int;
  HT_INLINE explicit Filter3x3(const DepthwisePass& pass)
      : weights_(pass),
        constants_(pass.constants() + First * Unit::kBytes),
        summand_(Steps<Unit>::summand(pass.blob.zero_point)),
        clamp_(pass.blob) {}

  // Adds what column j of the window of output row r sees; j == 0 starts the sums.
  HT_INLINE void add(int j, int r, const Int (&column)[Vectors], Int (&sums)[Vectors]) const {
    HT_UNROLL for (int v = 0; v < Vectors; ++v) {
      if (j == 0) sums[v] = Unit::load(constants_ + v * Unit::kBytes);
      sums[v] = Unit::dot(sums[v], column[v], weights_(v, j, r));
    }
  }

  // Codes, or with the lower two vectors alone, 16-bit numbers on the way to them, which the upper two find at `half`.
  HT_INLINE Int finish(Int (&sums)[Vectors], const uint8_t* half) const {
    Int halves[Vectors / 2];
    HT_UNROLL for (int v = 0; v < Vectors; ++v) {
      const uint8_t* factors = constants_ + (kDepthwiseVectors + v) * Unit::kBytes;
      sums[v] = Steps<Unit>(factors, factors + kDepthwiseVectors * Unit::kBytes, false)(sums[v]);
    }
    HT_UNROLL for (int v = 0; v < Vectors; v += 2) {
      halves[v / 2] = Steps<Unit>::codes16(Unit::pack32(sums[v], sums[v + 1]), summand_);
    }
    if constexpr (Vectors == 4) return clamp_(halves[0], halves[1]);
    if constexpr (First == 2) return clamp_(Unit::load(half), halves[0]);
    return halves[0];
  }

 private:
  Weights3x3<Unit, First, Vectors, Rows, InBlob> weights_;
  const uint8_t* constants_;
  Int summand_;
  CodeClamp<Unit> clamp_;
};

}  // namespace
}  // namespace halftone::kernels
