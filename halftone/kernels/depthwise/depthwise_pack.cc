#include "halftone/kernels/depthwise/depthwise_pack.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "halftone/kernels/depthwise/depthwise_blob.h"
#include "halftone/kernels/depthwise/depthwise_channels.h"

namespace halftone::kernels {
namespace {

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// A second output row costs nothing where the groups have room for it.
int32_t rows_of(const DepthwiseLayout& layout, const DepthwiseProblem& p) {
  return p.stride_h == 1 && p.dilation_h == 1 && p.kernel_h % layout.group_rows != 0 ? 2 : 1;
}

// Full blocks of the widest vectors, and for the rest the narrowest ones that hold it.
int32_t lanes_of(const DepthwiseLayout& layout, int64_t channels_left) {
  int32_t lanes = layout.lanes;
  while (lanes > 16 && channels_left <= lanes / 2) lanes /= 2;
  return lanes;
}

// Beyond this sum every code saturates, and steps still fit int32 (a multiplier m above 2^30 is cut to 2^30 in float
// mode; in dyadic mode the least shift does as much): limit * m lies in [2^20, 2^20 + m].
int32_t limit_of(float multiplier) {
  constexpr double kMost = std::numeric_limits<int32_t>::max();
  return static_cast<int32_t>(std::min(kMost, std::ceil(0x1p20 / multiplier)));
}

class Packer {
 public:
  Packer(const DepthwiseLayout& layout, const DepthwiseProblem& problem, std::byte* to)
      : layout_(layout), problem_(problem), product_(as_product(problem)), to_(to) {
    blocks_per_filter_ = divide_up(problem.channels, layout.lanes);
    rows_ = rows_of(layout, problem);
    groups_ = divide_up(problem.kernel_h, layout.group_rows);
  }

  // With `to` null: the size only.
  size_t pack() {
    const int64_t count = blocks_per_filter_ * problem_.multiplier;
    auto offset = static_cast<int64_t>(sizeof(DepthwiseBlob)) +
                  divide_up(count * static_cast<int64_t>(sizeof(DepthwiseBlock)), 64) * 64;
    if (to_ != nullptr) std::memset(to_, 0, static_cast<size_t>(offset));
    bool limited = false;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t first = i % blocks_per_filter_ * layout_.lanes, left = problem_.channels - first;
      const int32_t lanes = lanes_of(layout_, left);
      const DepthwiseBlock block = {offset, first, first * problem_.multiplier + i / blocks_per_filter_, lanes,
                                    static_cast<int32_t>(std::min<int64_t>(left, lanes))};
      if (to_ != nullptr) {
        std::memcpy(to_ + sizeof(DepthwiseBlob) + static_cast<size_t>(i) * sizeof(block), &block, sizeof(block));
        for (int32_t place = 0; place < lanes; ++place) limited |= pack_channel(block, place);
      }
      offset += lanes * (4 * 4 + kDepthwiseVectors * problem_.kernel_w * groups_ * rows_);
      offset = divide_up(offset, 64) * 64;
    }
    if (to_ != nullptr) pack_header(count, limited);
    return static_cast<size_t>(offset);
  }

 private:
  void pack_header(int64_t count, bool limited) {
    DepthwiseBlob blob = {};
    std::fill_n(blob.padding, sizeof(blob.padding), static_cast<uint8_t>(problem_.x_zero_point));
    blob.block_count = count;
    blob.multiplier = problem_.multiplier;
    blob.kernel_h = problem_.kernel_h;
    blob.kernel_w = problem_.kernel_w;
    blob.stride_h = problem_.stride_h;
    blob.stride_w = problem_.stride_w;
    blob.dilation_h = problem_.dilation_h;
    blob.dilation_w = problem_.dilation_w;
    blob.groups = groups_;
    blob.rows = rows_;
    blob.is_dyadic = problem_.mode == RequantizeMode::Dyadic ? 1 : 0;
    blob.is_real = problem_.result == DepthwiseResult::Real ? 1 : 0;
    blob.zero_point = problem_.zero_point;
    blob.low = problem_.low;
    blob.high = problem_.high;
    blob.limited = limited ? 1 : 0;
    std::memcpy(to_, &blob, sizeof(blob));
  }

  // Channel `place` of the block, counted as vectors hold them; true when its sums need the limit.
  bool pack_channel(const DepthwiseBlock& block, int32_t place) {
    const int32_t quarter = block.lanes / kDepthwiseVectors;
    const int32_t vector = place / quarter, lane = place % quarter / 4;
    const int32_t k = 16 * lane + 4 * vector + place % 4;
    std::byte* constants = to_ + block.offset + place * 4;
    if (k >= block.count) {
      for (int i = 0; i < 4; ++i) write<int32_t>(constants + i * 4 * block.lanes, 0);
      for (int64_t i = 0; i < taps(); ++i) write<int32_t>(weights(block, vector, i) + place % quarter * 4, 0);
      return false;
    }
    const int64_t output = block.output + k * problem_.multiplier;
    const GemmColumn column = gemm_column(product_, output);
    write<int32_t>(constants, column.bias);
    if (problem_.mode == RequantizeMode::Dyadic && problem_.result == DepthwiseResult::Codes) {
      write<int32_t>(constants + 4 * block.lanes, column.dyadic.multiplier);
    } else {
      const bool cut = problem_.result == DepthwiseResult::Codes;
      write<float>(constants + 4 * block.lanes, cut ? std::min(column.multiplier, 0x1p30F) : column.multiplier);
    }
    write<int32_t>(constants + 8 * block.lanes, column.dyadic.shift);
    write<int32_t>(constants + 12 * block.lanes, limit_of(column.multiplier));
    for (int64_t i = 0; i < taps(); ++i) {
      const int64_t row = i % rows_, group = i / rows_ % groups_, x = i / rows_ / groups_;
      std::byte* to = weights(block, vector, i) + place % quarter * 4;
      for (int32_t r = 0; r < layout_.group_rows; ++r) {
        const int64_t y = group * layout_.group_rows + r - row;
        const bool there = y >= 0 && y < problem_.kernel_h;
        const int8_t w = there ? problem_.weights[(output * problem_.kernel_h + y) * problem_.kernel_w + x] : int8_t{0};
        layout_.group_rows == 4 ? write<int8_t>(to + r, w) : write<int16_t>(to + 2 * r, w);
      }
    }
    return !column.steps_fit;
  }

  int64_t taps() const { return problem_.kernel_w * groups_ * rows_; }
  std::byte* weights(const DepthwiseBlock& block, int32_t vector, int64_t tap) const {
    return to_ + block.offset + block.lanes * (16 + vector * taps() + tap);
  }
  template <typename T>
  static void write(std::byte* to, T value) {
    std::memcpy(to, &value, sizeof(value));
  }

  const DepthwiseLayout& layout_;
  const DepthwiseProblem& problem_;
  GemmProblem product_;
  std::byte* to_;
  int64_t blocks_per_filter_, groups_;
  int32_t rows_;
};

}  // namespace

const char* refuse_depthwise(const DepthwiseLayout& layout, const DepthwiseProblem& p) {
  const int64_t groups = divide_up(p.kernel_h, layout.group_rows);
  const int64_t column = layout.lanes * kDepthwiseVectors * groups;
  const int64_t columns = (p.kernel_w - 1) * p.dilation_w + 1 + (kDepthwiseTile - 1) * p.stride_w;
  return columns > kDepthwisePanel / column ? "the window doesn't fit the first-level cache" : "";
}

size_t packed_depthwise_bytes(const DepthwiseLayout& layout, const DepthwiseProblem& problem) {
  return Packer(layout, problem, nullptr).pack();
}

void pack_depthwise(const DepthwiseLayout& layout, const DepthwiseProblem& problem, std::byte* to) {
  Packer(layout, problem, to).pack();
}

}  // namespace halftone::kernels
