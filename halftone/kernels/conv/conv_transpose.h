// Transposed convolution of stored codes. Output pixels whose row leaves the same remainder by stride_height, and whose
// column does by stride_width, see the same taps of the kernel: each of these phases is a convolution of stride 1
// (conv.h), whose results lie a stride apart. No product is computed that isn't needed.
//
//   acc[n, oy, ox, o] = bias[o] + sum over s, ky, kx, c with ky * dilation_height + iy * stride_height = oy + pad_top
//   and
//       kx * dilation_width + ix * stride_width = ox + pad_left for an iy in [0, in_height), ix in [0, in_width) of
//       (x[n, iy, ix, g * ic / groups + c] - x_zero_point) * weights[o][s][ky][kx][c]      g = o / (oc / groups)
#pragma once

#include "halftone/kernels/conv/conv.h"

namespace halftone::kernels {

// `problem` as for conv.h, weights in the same order; out_row_stride and out_image_stride are not read, results have no
// gaps beyond those between pixels.
Choice<GemmKernel> choose_conv_transpose(const ConvProblem& problem, int64_t images);
size_t conv_transpose_packed_bytes(const GemmKernel& kernel, const ConvProblem& problem);
void pack_conv_transpose(const GemmKernel& kernel, const ConvProblem& problem, std::byte* to);

// As Conv.
class ConvTranspose {
 public:
  ConvTranspose(const GemmKernel& kernel, const std::byte* packed) : kernel_(&kernel), packed_(packed) {}

  size_t scratch_bytes() const;
  double operations(int64_t images) const;
  // Part `index` of `count` equal ones.
  void run(const uint8_t* src, void* dst, int64_t images, int64_t index, int64_t count, std::byte* scratch) const;

 private:
  const GemmKernel* kernel_;
  const std::byte* packed_;
};

}  // namespace halftone::kernels
