#include <string_view>

#include "halftone/base/cpu.h"
#include "halftone/kernels/words_avx512.h"

namespace halftone::kernels {
namespace {

struct Dot {
  static constexpr std::string_view kName = "avx512_vnni_wide";
  static constexpr Isa kIsa = Isa::Avx512Vnni;
  static constexpr int kRows = 12;
  static HT_INLINE Vectors::Int dot(Vectors::Int acc, Vectors::Int words, Vectors::Int weights) {
    return _mm512_dpwssd_epi32(acc, words, weights);
  }
};

}  // namespace
}  // namespace halftone::kernels

#include "halftone/kernels/gemm/gemm_wide.h"

namespace halftone::kernels {

const GemmKernel gemm_wide_avx512vnni = kWideKernel;

}  // namespace halftone::kernels
