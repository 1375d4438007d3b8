#include <limits>

#include "halftone/kernels/gemm/gemm_kernels.h"
#include "halftone/kernels/gemm/gemm_stepped.h"
#include "halftone/kernels/vectors_avx2.h"

namespace halftone::kernels {
namespace {

struct Bytes : Vectors {
  static HT_INLINE Int repeat4(const uint8_t* p) {
    int32_t group;
    __builtin_memcpy(&group, p, 4);
    return _mm256_set1_epi32(group);
  }
  static HT_INLINE Int exclusive_or(Int a, Int b) { return _mm256_xor_si256(a, b); }
  static HT_INLINE Int and64(Int a, Int b) { return _mm256_and_si256(a, b); }
  static HT_INLINE Int multiply_pairs(Int x, Int w) { return _mm256_maddubs_epi16(x, w); }
  static HT_INLINE Int mul32(Int a, Int b) { return _mm256_mullo_epi32(a, b); }
  static HT_INLINE Int shift_right64_by(Int v, Int counts) { return _mm256_srlv_epi64(v, counts); }
  static HT_INLINE Int shift_left64_by(Int v, Int counts) { return _mm256_sllv_epi64(v, counts); }
  // Each quarter of 8 bytes to a row of its own.
  static HT_INLINE void store_quarters(std::byte* to, int64_t stride, Int v) {
    const __m128i low = _mm256_castsi256_si128(v), high = _mm256_extracti128_si256(v, 1);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to), low);
    _mm_storeh_pd(reinterpret_cast<double*>(to + stride), _mm_castsi128_pd(low));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to + 2 * stride), high);
    _mm_storeh_pd(reinterpret_cast<double*>(to + 3 * stride), _mm_castsi128_pd(high));
  }
};

constexpr int64_t kCachedRows = 20 * 1024;

}  // namespace
}  // namespace halftone::kernels

#include "halftone/kernels/gemm/gemm_stepped_kernel.h"

namespace halftone::kernels {

const GemmKernel gemm_avx2 = {"avx2",        Isa::Avx2,    accept,        packed_bytes, pack,
                              column_blocks, first_column, scratch_bytes, kMaxRows,     run_stepped};

}  // namespace halftone::kernels
