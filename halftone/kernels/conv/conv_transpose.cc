#include "halftone/kernels/conv/conv_transpose.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "halftone/kernels/conv/conv_blob.h"

namespace halftone::kernels {
namespace {

constexpr int64_t kAlign = 64;

// Then the phases, then their blobs.
struct Header {
  int64_t phases = 0;
};
struct Phase {
  int64_t blob = 0;  // in bytes from the header
  int64_t to = 0;    // of the first result, in bytes from the image's first
};

// One dimension of a phase: which taps it has, as a convolution of stride 1.
struct PhaseAxis {
  std::vector<int64_t> taps;  // positions in the kernel, in the order in which they meet the input
  int64_t pad = 0, dilation = 1, out = 0;
};

// Output positions stride * q + residue read the input at q + (residue + pad - tap * dilation) / stride for each tap
// for which this is an integer. Such taps are equally far apart.
PhaseAxis phase_axis(int64_t residue, int64_t kernel, int64_t stride, int64_t dilation, int64_t pad, int64_t out) {
  PhaseAxis axis;
  axis.out = (out - residue + stride - 1) / stride;
  int64_t before = 0;
  for (int64_t tap = kernel - 1; tap >= 0; --tap) {
    const int64_t distance = residue + pad - tap * dilation;
    if (distance % stride != 0) continue;
    if (axis.taps.empty()) axis.pad = -(distance / stride);
    if (axis.taps.size() == 1) axis.dilation = (distance - before) / stride;
    axis.taps.push_back(tap);
    before = distance;
  }
  return axis;
}

// The convolution of one phase, with weights of its own.
struct PhaseProblem {
  ConvProblem problem;
  std::vector<int8_t> weights;
  int64_t to = 0;

  PhaseProblem(const ConvProblem& whole, int64_t y, int64_t x) : problem(whole) {
    const ConvShape& from = whole.shape;
    ConvShape& s = problem.shape;
    const PhaseAxis rows =
        phase_axis(y, from.kernel_height, from.stride_height, from.dilation_height, from.pad_top, from.out_height);
    const PhaseAxis columns =
        phase_axis(x, from.kernel_width, from.stride_width, from.dilation_width, from.pad_left, from.out_width);
    const int64_t row = from.out_width * from.out_pixel_stride;
    s.out_row_stride = from.stride_height * row;
    s.out_image_stride = from.out_height * row;
    s.out_pixel_stride = from.stride_width * from.out_pixel_stride;
    s.out_height = rows.out;
    s.out_width = columns.out;
    s.stride_height = s.stride_width = 1;
    to = y * row + x * from.out_pixel_stride;
    if (rows.taps.empty() || columns.taps.empty()) {
      // Nothing but the bias: one tap of zeros.
      s.kernel_height = s.kernel_width = s.dilation_height = s.dilation_width = 1;
      s.pad_top = s.pad_left = 0;
      weights.resize(static_cast<size_t>(s.out_channels * s.weight_sets * (s.in_channels / s.groups)));
    } else {
      s.kernel_height = static_cast<int64_t>(rows.taps.size());
      s.kernel_width = static_cast<int64_t>(columns.taps.size());
      s.dilation_height = rows.dilation;
      s.dilation_width = columns.dilation;
      s.pad_top = rows.pad;
      s.pad_left = columns.pad;
      pick_weights(whole, rows, columns);
    }
    problem.product.weights = weights.data();
  }
  PhaseProblem(const PhaseProblem&) = delete;

 private:
  void pick_weights(const ConvProblem& whole, const PhaseAxis& rows, const PhaseAxis& columns) {
    const ConvShape& s = whole.shape;
    const int64_t channels = s.in_channels / s.groups;
    for (int64_t filter = 0; filter < s.out_channels * s.weight_sets; ++filter) {
      for (int64_t ky : rows.taps) {
        for (int64_t kx : columns.taps) {
          const int8_t* tap =
              whole.product.weights + ((filter * s.kernel_height + ky) * s.kernel_width + kx) * channels;
          weights.insert(weights.end(), tap, tap + channels);
        }
      }
    }
  }
};

// Calls visit(phase problem) for every phase that has output pixels.
template <typename Visit>
void for_each_phase(const ConvProblem& problem, const Visit& visit) {
  const ConvShape& s = problem.shape;
  for (int64_t y = 0; y < std::min(s.stride_height, s.out_height); ++y) {
    for (int64_t x = 0; x < std::min(s.stride_width, s.out_width); ++x) visit(PhaseProblem(problem, y, x));
  }
}

int64_t header_bytes(const ConvProblem& problem) {
  const ConvShape& s = problem.shape;
  const int64_t phases = std::min(s.stride_height, s.out_height) * std::min(s.stride_width, s.out_width);
  return round_up(static_cast<int64_t>(sizeof(Header)) + phases * static_cast<int64_t>(sizeof(Phase)), kAlign);
}

std::span<const Phase> phases_in(const std::byte* packed) {
  const auto& header = *reinterpret_cast<const Header*>(packed);
  return {reinterpret_cast<const Phase*>(packed + sizeof(Header)), static_cast<size_t>(header.phases)};
}

}  // namespace

Choice<GemmKernel> choose_conv_transpose(const ConvProblem& problem, int64_t images) {
  return choose_conv(PhaseProblem(problem, 0, 0).problem, images);
}

size_t conv_transpose_packed_bytes(const GemmKernel& kernel, const ConvProblem& problem) {
  int64_t bytes = header_bytes(problem);
  for_each_phase(problem, [&](const PhaseProblem& phase) {
    bytes += round_up(static_cast<int64_t>(conv_packed_bytes(kernel, phase.problem)), kAlign);
  });
  return static_cast<size_t>(bytes);
}

void pack_conv_transpose(const GemmKernel& kernel, const ConvProblem& problem, std::byte* to) {
  Header header;
  Phase next = {header_bytes(problem), 0};
  std::memset(to, 0, static_cast<size_t>(next.blob));
  for_each_phase(problem, [&](const PhaseProblem& phase) {
    next.to = phase.to;
    std::memcpy(to + sizeof(Header) + static_cast<size_t>(header.phases++) * sizeof(Phase), &next, sizeof(Phase));
    pack_conv(kernel, phase.problem, to + next.blob);
    next.blob += round_up(static_cast<int64_t>(conv_packed_bytes(kernel, phase.problem)), kAlign);
  });
  std::memcpy(to, &header, sizeof(header));
}

size_t ConvTranspose::scratch_bytes() const {
  size_t bytes = 0;
  for (const Phase& phase : phases_in(packed_)) {
    bytes = std::max(bytes, Conv(*kernel_, packed_ + phase.blob).scratch_bytes());
  }
  return bytes;
}

double ConvTranspose::operations(int64_t images) const {
  double operations = 0;
  for (const Phase& phase : phases_in(packed_)) operations += Conv(*kernel_, packed_ + phase.blob).operations(images);
  return operations;
}

void ConvTranspose::run(const uint8_t* src, void* dst, int64_t images, int64_t index, int64_t count,
                        std::byte* scratch) const {
  for (const Phase& phase : phases_in(packed_)) {
    const Conv conv(*kernel_, packed_ + phase.blob);
    conv.run(src, static_cast<std::byte*>(dst) + phase.to, conv.part(images, index, count), scratch);
  }
}

}  // namespace halftone::kernels
