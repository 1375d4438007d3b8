// The same network as a user of libtorch would write it.
#pragma once

#include <memory>

#include "halftone/train/torch.h"

namespace halftone::benchmarks {

class HandWritten {
 public:
  virtual ~HandWritten() = default;
  // One step of gradient descent; returns the loss.
  virtual at::Tensor step(const at::Tensor& images, const at::Tensor& labels) = 0;
};

// ResNet-20 for images of 32 x 32 pixels (He et al. 2016, section 4.2, shortcuts of option A), with SGD.
std::unique_ptr<HandWritten> hand_written_resnet20();

}  // namespace halftone::benchmarks
