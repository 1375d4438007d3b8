// Batch normalization of what a layer with folded, rounded weights computed.
#pragma once

#include "halftone/train/torch.h"

namespace halftone::train {

struct RunningStatistics {
  at::Tensor mean, variance;  // updated in place, as batch normalization of ONNX does
  double momentum = 0.9;      // what they keep
  double epsilon = 1e-5;
};

// Batch normalization of z = y / factor + shift by the batch's statistics, channels being axis 1:
//   out = gamma (z - mean(z)) / sqrt(var(z) + epsilon) + beta
// in which the shift cancels out, and the division goes into the variance:
//   out = sign(factor) gamma (y - mean(y)) / sqrt(var(y) + epsilon factor^2) + beta
// so that nothing is written but the result. Gradients go to y, factor, gamma and beta. `factor` is never 0, `shift`
// may be undefined (0). The running statistics are those of z.
//
// float32; the result is contiguous. Cost: two passes over y forward, two over y and the gradient backward, on
// libtorch's threads. Determinism: bit for bit, whatever the number of threads.
// Source: Jacob et al. 2018, section 3.2, for the folding; Ioffe and Szegedy 2015 for the gradients.
at::Tensor scaled_batch_norm(const at::Tensor& y, const at::Tensor& factor, const at::Tensor& shift,
                             const at::Tensor& gamma, const at::Tensor& beta, const RunningStatistics& running);

}  // namespace halftone::train
