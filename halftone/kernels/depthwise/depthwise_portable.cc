// The kernel of processors without a better one, and of windows that are too large for the others. The compiler
// vectorizes the inner loop over channels as far as the baseline goes.
#include <algorithm>
#include <cstring>

#include "halftone/kernels/depthwise/depthwise_channels.h"
#include "halftone/kernels/depthwise/depthwise_kernels.h"

namespace halftone::kernels {
namespace {

constexpr int64_t kBlock = 64;  // output channels

// Then a Channel for each output, then the weights as [kernel_h][kernel_w][outputs].
struct Header {
  DepthwiseProblem problem;  // its pointers are null
};
struct Channel {
  int32_t bias;
  float multiplier;
  Dyadic dyadic;
};

struct Blob {
  const DepthwiseProblem& problem;
  const Channel* channels;
  const int8_t* weights;
};

Blob open(const std::byte* packed) {
  const DepthwiseProblem& problem = reinterpret_cast<const Header*>(packed)->problem;
  const auto* channels = reinterpret_cast<const Channel*>(packed + sizeof(Header));
  return {problem, channels, reinterpret_cast<const int8_t*>(channels + problem.outputs())};
}

const char* refuse(const DepthwiseProblem&) { return ""; }

size_t packed_bytes(const DepthwiseProblem& problem) {
  const size_t taps = static_cast<size_t>(problem.kernel_h * problem.kernel_w);
  return sizeof(Header) + static_cast<size_t>(problem.outputs()) * (sizeof(Channel) + taps);
}

void pack(const DepthwiseProblem& problem, std::byte* to) {
  Header header = {problem};
  header.problem.weights = nullptr;
  header.problem.bias = nullptr;
  header.problem.multipliers = nullptr;
  std::memcpy(to, &header, sizeof(header));
  auto* channels = reinterpret_cast<Channel*>(to + sizeof(Header));
  auto* weights = reinterpret_cast<int8_t*>(channels + problem.outputs());
  const GemmProblem product = as_product(problem);
  for (int64_t o = 0; o < problem.outputs(); ++o) {
    const GemmColumn column = gemm_column(product, o);
    channels[o] = {column.bias, column.multiplier, column.dyadic};
    for (int64_t tap = 0; tap < product.depth; ++tap) {
      weights[tap * problem.outputs() + o] = problem.weights[o * product.depth + tap];
    }
  }
}

int64_t blocks(const std::byte* packed) { return (open(packed).problem.outputs() + kBlock - 1) / kBlock; }
int64_t row_step(const std::byte*) { return 1; }

void store(const Blob& blob, int64_t o, int32_t acc, std::byte* to) {
  const DepthwiseProblem& p = blob.problem;
  const Channel& channel = blob.channels[o];
  if (p.result == DepthwiseResult::Real) {
    reinterpret_cast<float*>(to)[o] = static_cast<float>(acc) * channel.multiplier;
    return;
  }
  to[o] = static_cast<std::byte>(p.mode == RequantizeMode::Float
                                     ? requantize(acc, channel.multiplier, p.zero_point, p.low, p.high)
                                     : requantize_dyadic(acc, channel.dyadic, p.zero_point, p.low, p.high));
}

// The bytes that outputs [first, first + count) see of a pixel; null is padding.
void expand(const DepthwiseProblem& p, const uint8_t* pixel, int64_t first, int64_t count, uint8_t* to) {
  if (pixel == nullptr) {
    std::fill_n(to, count, static_cast<uint8_t>(p.x_zero_point));
  } else if (p.multiplier == 1) {
    std::copy_n(pixel + first, count, to);
  } else {
    for (int64_t k = 0; k < count; ++k) to[k] = pixel[(first + k) / p.multiplier];
  }
}

void some_outputs(const Blob& blob, const DepthwiseRun& run, int64_t row, int64_t x, int64_t first) {
  const DepthwiseProblem& p = blob.problem;
  const int64_t count = std::min(kBlock, p.outputs() - first);
  const uint8_t* image = run.from + row / run.out_h * run.in_h * run.in_w * run.from_stride;
  uint32_t sums[kBlock];
  uint8_t codes[kBlock];
  for (int64_t k = 0; k < count; ++k) sums[k] = static_cast<uint32_t>(blob.channels[first + k].bias);
  const int8_t* weights = blob.weights + first;
  for (int64_t i = 0; i < p.kernel_h; ++i) {
    const int64_t in_y = row % run.out_h * p.stride_h + i * p.dilation_h - run.pad_top;
    for (int64_t j = 0; j < p.kernel_w; ++j, weights += p.outputs()) {
      const int64_t in_x = x * p.stride_w + j * p.dilation_w - run.pad_left;
      const bool inside = in_y >= 0 && in_y < run.in_h && in_x >= 0 && in_x < run.in_w;
      expand(p, inside ? image + (in_y * run.in_w + in_x) * run.from_stride : nullptr, first, count, codes);
      for (int64_t k = 0; k < count; ++k) sums[k] += static_cast<uint32_t>(int{codes[k]} * weights[k]);
    }
  }
  std::byte* to = static_cast<std::byte*>(run.to) + (row * run.out_w + x) * run.to_stride;
  for (int64_t k = 0; k < count; ++k) store(blob, first + k, static_cast<int32_t>(sums[k]), to);
}

void run(const std::byte* packed, const DepthwiseRun& run) {
  const Blob blob = open(packed);
  for (int64_t row = run.first_row; row < run.last_row; ++row) {
    for (int64_t x = 0; x < run.out_w; ++x) {
      for (int64_t b = run.first_block; b < run.last_block; ++b) some_outputs(blob, run, row, x, b * kBlock);
    }
  }
}

}  // namespace

const DepthwiseKernel depthwise_portable = {"portable", Isa::Portable, refuse,   packed_bytes,
                                            pack,       blocks,        row_step, run};

}  // namespace halftone::kernels
