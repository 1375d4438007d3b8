#include "halftone/kernels/vectors_avx2.h"
// Computes with the names above.
#include "halftone/kernels/byte_map_vectors.h"
#include "halftone/kernels/lut/lut.h"

namespace halftone::kernels {
namespace {

// pshufb looks 16 entries up and gives 0 for indices with the highest bit set. So each half of the table takes 8 steps:
// in step i, bytes from 16 i on take part; entries are stored as the difference (xor) to those 16 before, and what
// takes part in steps 0..i adds up to entry i.
class Lookup {
 public:
  explicit HT_INLINE Lookup(const uint8_t* table) {
    for (int half = 0; half < 2; ++half) {
      __m256i before = Vectors::zero();
      for (int i = 0; i < 8; ++i) {
        const auto* entries = reinterpret_cast<const __m128i*>(table + 128 * half + 16 * i);
        const __m256i here = _mm256_broadcastsi128_si256(_mm_loadu_si128(entries));
        steps_[8 * half + i] = _mm256_xor_si256(here, before);
        before = here;
      }
    }
  }

  HT_INLINE __m256i operator()(__m256i x) const {
    return _mm256_xor_si256(of_half(steps_, x), of_half(steps_ + 8, _mm256_xor_si256(x, Vectors::all8(0x80))));
  }

 private:
  // x below 128 looks up, x from 128 on gives 0: seen as negative, it stays so however often 16 is taken off.
  static HT_INLINE __m256i of_half(const __m256i* steps, __m256i x) {
    const __m256i sixteen = Vectors::all8(16);
    __m256i found = _mm256_shuffle_epi8(steps[0], x);
    for (int i = 1; i < 8; ++i) {
      x = _mm256_subs_epi8(x, sixteen);
      found = _mm256_xor_si256(found, _mm256_shuffle_epi8(steps[i], x));
    }
    return found;
  }

  __m256i steps_[16];
};

}  // namespace

void lut_avx2(const uint8_t* table, const Rows& rows, const uint8_t* from, uint8_t* to) {
  const Lookup lookup(table);
  map_bytes(rows, from, to, lookup);
}

}  // namespace halftone::kernels
