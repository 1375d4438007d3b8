// Family `depthwise`: convolutions with `multiplier` filters per channel, each of which sees its channel alone, and the
// step from their sums to codes or real numbers.
//
//   acc[y][x][o] = bias[o] + sum over i < kernel_h, j < kernel_w of
//                  (from[y * stride_h + i * dilation_h - pad_top][x * stride_w + j * dilation_w - pad_left][c]
//                   - x_zero_point) * weights[o][i][j]                                     with c = o / multiplier
//   Codes:  to[y][x][o] = requantize(acc, multipliers[o]) in the problem's mode            uint8
//   Real:   to[y][x][o] = fl(fl(acc) * multipliers[o]), in both modes                      float32
//
// Taps outside the input add nothing; the padding may be of any size. One-dimensional convolutions have height 1.
// Overflow: the caller has proved |acc| < 2^31 (docs/quantization.md, section 3), so that int32 sums that wrap on the
// way still end right; kernels add in any order and fold x_zero_point into the bias.
// Input: any alignment; kSlack bytes after the last pixel may be read. Nothing outside the pixels, channels and rows
// asked for is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "halftone/kernels/kernel.h"
#include "halftone/quant/requantize.h"

namespace halftone::kernels {

enum class DepthwiseResult { Codes, Real };

// What is known when a Program is built. The pointers are read by refuse() and pack() only.
struct DepthwiseProblem {
  int64_t channels = 0;    // of the input
  int64_t multiplier = 1;  // output channels per input channel
  int64_t kernel_h = 1, kernel_w = 1;
  int64_t stride_h = 1, stride_w = 1;
  int64_t dilation_h = 1, dilation_w = 1;
  RequantizeMode mode = RequantizeMode::Float;
  DepthwiseResult result = DepthwiseResult::Codes;

  const int8_t* weights = nullptr;     // [channels * multiplier][kernel_h][kernel_w]
  const int32_t* bias = nullptr;       // [channels * multiplier], or null: none
  const float* multipliers = nullptr;  // [channels * multiplier], or one for all; finite and positive
  bool multiplier_per_channel = true;

  int32_t x_zero_point = 0;                     // of the input, 0 .. 255
  int32_t zero_point = 0, low = 0, high = 255;  // of stored codes, all in 0 .. 255, low <= high

  int64_t outputs() const { return channels * multiplier; }
};

// One call: some rows of a batch of images, some blocks of channels. The images lie one after the other on both sides.
struct DepthwiseRun {
  const uint8_t* from = nullptr;  // row 0 of the first image
  void* to = nullptr;             // the same, whatever first_row and first_block are
  int64_t in_h = 1, in_w = 1, out_h = 1, out_w = 1;
  int64_t pad_top = 0, pad_left = 0;        // never negative; what is missing below and on the right is padding too
  int64_t from_stride = 0, to_stride = 0;   // bytes from pixel to pixel; to_stride divides by 4 where to is float32
  int64_t first_row = 0, last_row = 0;      // output rows [first, last), counted through all images
  int64_t first_block = 0, last_block = 0;  // blocks [first, last) out of DepthwiseKernel::blocks
};

struct DepthwiseKernel {
  std::string_view name;
  Isa isa;
  // "" or why this kernel can't (or shouldn't) do the problem.
  const char* (*refuse)(const DepthwiseProblem& problem);
  // Size of the blob that pack() fills: relocatable, aligned to 64, all that run() needs to know. Cost of packing: two
  // passes over the weights.
  size_t (*packed_bytes)(const DepthwiseProblem& problem);
  void (*pack)(const DepthwiseProblem& problem, std::byte* to);
  // Of a blob: the number of blocks of output channels, the units in which channels can be cut. Blocks but the last
  // few take the same time.
  int64_t (*blocks)(const std::byte* packed);
  // Rows that a run should have a multiple of, to be fast.
  int64_t (*row_step)(const std::byte* packed);
  // No scratch beyond 80 KiB of stack.
  void (*run)(const std::byte* packed, const DepthwiseRun& run);
};

// All kernels of kernels.def, most preferred first.
std::span<const DepthwiseKernel> depthwise_kernels();
// The first that runs here and accepts the problem, and why those before it don't. The last of the list always does.
Choice<DepthwiseKernel> choose_depthwise(const DepthwiseProblem& problem);
// By name, for programs that were saved; null when there is none or this processor can't run it.
const DepthwiseKernel* find_depthwise(std::string_view name);

// The definition above in plain loops: the oracle of all kernels. Computes all channels; the run's blocks are not read.
void depthwise_reference(const DepthwiseProblem& problem, const DepthwiseRun& run);

}  // namespace halftone::kernels
