// Convolution of stored codes as matrix products (family `gemm`): each output pixel is a row whose taps point at the
// input pixels under the kernel, or at a row of zero points in the padding. Nothing is copied. One dimension is
// height 1.
//
//   acc[n, oy, ox, o] = bias[o] + sum over s, ky, kx, c of
//       (x[n, oy * stride_height - pad_top + ky * dilation_height, ox * stride_width - pad_left + kx * dilation_width,
//          g * ic / groups + c] - x_zero_point) * weights[o][s][ky][kx][c]            g = o / (oc / groups)
//
// with x = x_zero_point outside the image, and acc to codes or real numbers as in gemm.h. A Gemm or MatMul with a
// constant right operand is a convolution of one pixel per row: height 1, width 1, any number of images.
#pragma once

#include "halftone/kernels/gemm/gemm.h"

namespace halftone::kernels {

// Sizes and strides, all that runs need besides the packed constants.
struct ConvShape {
  int64_t in_height = 1, in_width = 1, in_channels = 0;
  int64_t out_height = 1, out_width = 1, out_channels = 0;
  int64_t kernel_height = 1, kernel_width = 1;
  int64_t stride_height = 1, stride_width = 1;
  int64_t dilation_height = 1, dilation_width = 1;
  int64_t pad_top = 0, pad_left = 0;  // the other two follow from the sizes
  int64_t groups = 1;
  // Weights are the sum of so many sets of int8 numbers: 2 where centred weights leave [-128, 127].
  int64_t weight_sets = 1;
  int64_t in_pixel_stride = 0, out_pixel_stride = 0;  // bytes from pixel to pixel, even of 16-bit codes
};

struct ConvProblem {
  ConvShape shape;
  // Constants, mode and result as in gemm.h: columns, depth, taps and rows are filled in by the driver, `weights` are
  // [out_channels][weight_sets][kernel_height][kernel_width][in_channels / groups].
  GemmProblem product;
};

// The kernel for a convolution of `images` images, a hint.
Choice<GemmKernel> choose_conv(const ConvProblem& problem, int64_t images);

// Size and contents of the blob that a Conv reads: relocatable, aligned to 64.
size_t conv_packed_bytes(const GemmKernel& kernel, const ConvProblem& problem);
void pack_conv(const GemmKernel& kernel, const ConvProblem& problem, std::byte* to);

// A part of the work: output pixels [first, last), counted through all images, of column blocks [first, last).
struct ConvPart {
  int64_t first_pixel = 0, last_pixel = 0;
  int64_t first_block = 0, last_block = 0;
};

// Constants of single rows, by output pixel counted through all images; see gemm.h.
struct ConvRowConstants {
  const int32_t* terms = nullptr;  // given exactly when the problem has column_terms
  const float* scales = nullptr;
};

// A convolution ready to run. Refers to its blob; runs allocate nothing and may run at the same time.
class Conv {
 public:
  // `kernel` is the one that packed the blob.
  Conv(const GemmKernel& kernel, const std::byte* packed);

  const GemmKernel& kernel() const { return *kernel_; }
  // The kernel's name, and what packing decided.
  std::string describe() const;
  int64_t pixels_per_image() const;
  // Scratch that each thread needs, aligned to 64; contents don't matter.
  size_t scratch_bytes() const;
  // Multiply-accumulate operations of `images` images, padding counted, for callers that decide how to cut.
  double operations(int64_t images) const;
  // Part `index` of `count` equal ones: cut by pixels, or by column blocks where there are few pixels. May be empty.
  ConvPart part(int64_t images, int64_t index, int64_t count) const;
  ConvPart whole(int64_t images) const { return part(images, 0, 1); }
  // `src` and `dst` are pixel 0 of image 0, channel 0; images follow each other without gaps. Writes the channels of
  // the part's pixels only.
  void run(const uint8_t* src, void* dst, const ConvPart& part, std::byte* scratch,
           const ConvRowConstants& rows = {}) const;

 private:
  const GemmKernel* kernel_;
  const std::byte* packed_;
};

// The definition above in plain loops, for tests.
void conv_reference(const ConvProblem& problem, int64_t images, const uint8_t* src, void* dst);

}  // namespace halftone::kernels
