#include "halftone/kernels/vectors_avx2.h"

namespace halftone::kernels {
namespace {

struct Pairs {
  static HT_INLINE __m256i multiply(__m256i bytes, __m256i weights) { return _mm256_maddubs_epi16(bytes, weights); }

  template <int kCount>
  static HT_INLINE void store_rows(void* to, int64_t stride, __m256i bytes) {
    const __m128i low = _mm256_castsi256_si128(bytes), high = _mm256_extracti128_si256(bytes, 1);
    auto* p = static_cast<uint8_t*>(to);
    store_low(p, low);
    if (kCount > 1) store_high(p + stride, low);
    if (kCount > 2) store_low(p + 2 * stride, high);
    if (kCount > 3) store_high(p + 3 * stride, high);
  }

 private:
  static HT_INLINE void store_low(uint8_t* to, __m128i v) { _mm_storel_epi64(reinterpret_cast<__m128i*>(to), v); }
  static HT_INLINE void store_high(uint8_t* to, __m128i v) {
    _mm_storeh_pd(reinterpret_cast<double*>(to), _mm_castsi128_pd(v));
  }
};

}  // namespace
}  // namespace halftone::kernels

#include "halftone/kernels/gemm/gemm_kernels.h"
#include "halftone/kernels/gemm/gemm_stepped.h"

namespace halftone::kernels {

const GemmKernel gemm_avx2 = {"avx2",
                              Isa::Avx2,
                              refuse,
                              packed_bytes,
                              pack,
                              stepped_column_blocks,
                              stepped_first_column,
                              stepped_scratch_bytes,
                              kMostRows,
                              run_stepped};

}  // namespace halftone::kernels
