#include <string_view>

#include "halftone/base/cpu.h"
#include "halftone/kernels/words_avx2.h"

namespace halftone::kernels {
namespace {

struct Dot {
  static constexpr std::string_view kName = "avx2_wide";
  static constexpr Isa kIsa = Isa::Avx2;
  static constexpr int kRows = 8;
  static HT_INLINE Vectors::Int dot(Vectors::Int acc, Vectors::Int words, Vectors::Int weights) {
    return Vectors::add32(acc, Vectors::madd16(words, weights));
  }
};

}  // namespace
}  // namespace halftone::kernels

#include "halftone/kernels/gemm/gemm_wide.h"

namespace halftone::kernels {

const GemmKernel gemm_wide_avx2 = kWideKernel;

}  // namespace halftone::kernels
