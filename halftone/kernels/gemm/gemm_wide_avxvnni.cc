#include <string_view>

#include "halftone/base/cpu.h"
#include "halftone/kernels/words_avx2.h"

namespace halftone::kernels {
namespace {

struct Dot {
  static constexpr std::string_view kName = "avx_vnni_wide";
  static constexpr Isa kIsa = Isa::AvxVnni;
  static constexpr int kRows = 8;
  static HT_INLINE Vectors::Int dot(Vectors::Int acc, Vectors::Int words, Vectors::Int weights) {
    return _mm256_dpwssd_avx_epi32(acc, words, weights);
  }
};

}  // namespace
}  // namespace halftone::kernels

#include "halftone/kernels/gemm/gemm_wide.h"

namespace halftone::kernels {

const GemmKernel gemm_wide_avxvnni = kWideKernel;

}  // namespace halftone::kernels
