// Random numbers that go on where they were when a training is resumed.
#pragma once

#include <cstdint>

#include "halftone/train/torch.h"

namespace halftone::train {

// Noise by seed and by how often it was asked for; the latter is what a checkpoint holds.
class Noise {
 public:
  explicit Noise(uint64_t seed) : seed_(seed), calls_(at::zeros({1}, at::kLong)) {}

  // Where the next numbers come from.
  struct Stream {
    uint64_t seed = 0, call = 0;
  };
  Stream next();
  // int64 [1], updated in place.
  const at::Tensor& calls() const { return calls_; }

 private:
  uint64_t seed_;
  at::Tensor calls_;
};

// Uniform in [-1/2, 1/2). The same on any number of threads.
at::Tensor uniform_noise(at::IntArrayRef shape, Noise::Stream stream);

}  // namespace halftone::train
