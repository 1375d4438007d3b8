// Images of floats in any of the runtime's layouts to stored codes, channels last, and back.
#pragma once

#include "halftone/kernels/dequantize/dequantize.h"
#include "halftone/kernels/quantize/quantize.h"
#include "halftone/kernels/transpose/transpose.h"

namespace halftone::kernels {

// How one image of floats lies: channel c of pixel p is element
//   c / block * (pixels * block) + p * block + c % block
// with
//   block = 1          planes, [c, p]: row-major as ONNX
//   block = channels   channels last, [p, c]: matrices, vectors
//   block = 8 or 16    oneDNN's blocks, [ceil(c / block), p, block]
struct FloatImage {
  int64_t channels = 0, pixels = 0;
  int64_t block = 1;
};

// Floats to codes. Pixel p of the codes begins at p * pixel_stride. Of each pixel, bytes [0, padded_channels) are
// written: those beyond `channels` get the zero point (channels <= padded_channels <= pixel_stride).
struct PixelQuantizer {
  FloatImage from;
  int64_t pixel_stride = 0, padded_channels = 0;
  QuantizeProblem problem;
  const QuantizeKernel* rows = nullptr;
  const TransposeKernel* transpose = nullptr;

  // Pixels [begin, end) of one image.
  void run(const float* image, uint8_t* codes, int64_t begin, int64_t end) const;
};
PixelQuantizer make_pixel_quantizer(const FloatImage& from, int64_t pixel_stride, int64_t padded_channels,
                                    const QuantizeProblem& problem);

// Codes to floats. Of a blocked image the channels beyond the last are written too, with real 0.
struct PixelDequantizer {
  FloatImage to;
  int64_t pixel_stride = 0;
  DequantizeProblem problem;
  const DequantizeKernel* rows = nullptr;
  const TransposeKernel* transpose = nullptr;

  // Pixels [begin, end) of one image.
  void run(const uint8_t* codes, float* image, int64_t begin, int64_t end) const;
};
PixelDequantizer make_pixel_dequantizer(const FloatImage& to, int64_t pixel_stride, const DequantizeProblem& problem);

}  // namespace halftone::kernels
