#include "halftone/train/quantizers/noise.h"

#include "halftone/base/rng.h"
#include "halftone/train/slices.h"

namespace halftone::train {

Noise::Stream Noise::next() { return {seed_, static_cast<uint64_t>(calls_.data_ptr<int64_t>()[0]++)}; }

at::Tensor uniform_noise(at::IntArrayRef shape, Noise::Stream stream) {
  at::Tensor noise = at::empty(shape);
  float* to = noise.data_ptr<float>();
  constexpr int kPieceBits = 24;  // more pieces than memory holds
  for_each_piece(Slices(noise, -1), [&](int64_t, int64_t first, int64_t last, int64_t number) {
    Rng rng(stream.seed, (stream.call << kPieceBits) + static_cast<uint64_t>(number));
    for (int64_t i = first; i < last; ++i) to[i] = static_cast<float>(rng.next() >> 40) * 0x1p-24f - 0.5f;
  });
  return noise;
}

}  // namespace halftone::train
