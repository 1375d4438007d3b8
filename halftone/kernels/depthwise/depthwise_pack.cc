#include "halftone/kernels/depthwise/depthwise_pack.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "halftone/kernels/depthwise/depthwise_blob.h"
#include "halftone/kernels/depthwise/depthwise_channels.h"

namespace halftone::kernels {
namespace {

int64_t divide_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Sizes of a blob in one of the formats.
struct Shape {
  DepthwiseFormat format;
  int64_t group_rows, groups, rows, taps, block_count;

  Shape(const DepthwiseLayout& layout, DepthwiseFormat a_format, const DepthwiseProblem& p) : format(a_format) {
    group_rows = format == DepthwiseFormat::Pairs ? 2 : 4;
    groups = divide_up(p.kernel_h, group_rows);
    // A second output row costs nothing where the groups have room for it.
    rows = p.stride_h == 1 && p.dilation_h == 1 && p.kernel_h % group_rows != 0 ? 2 : 1;
    taps = p.kernel_w * groups * rows;
    block_count = divide_up(p.channels, layout.lanes) * p.multiplier;
  }

  int64_t weight_vectors() const { return format == DepthwiseFormat::Flips ? 2 : 1; }
  int64_t block_bytes(int64_t lanes) const {
    return divide_up(kDepthwiseVectors * lanes * (4 + taps * weight_vectors()), 64) * 64;
  }
  int64_t header_bytes() const {
    return static_cast<int64_t>(sizeof(DepthwiseBlob)) +
           divide_up(block_count * static_cast<int64_t>(sizeof(DepthwiseBlock)), 64) * 64;
  }
};

bool is_3x3(const DepthwiseProblem& p) {
  return p.kernel_h == 3 && p.kernel_w == 3 && p.dilation_h == 1 && p.dilation_w == 1 && p.stride_h == p.stride_w &&
         p.stride_h <= 2 && p.result == DepthwiseResult::Codes;
}

// Vectors hold two pixels or more.
bool is_narrow(const DepthwiseProblem& p) {
  return p.multiplier == 1 && p.stride_h == 1 && p.channels <= 16 && 16 % p.channels == 0;
}

// Full blocks of the widest vectors, and for the rest the narrowest ones that hold it. Vectors of 16 bytes would cost
// as much as those of 32.
int32_t lanes_of(const DepthwiseLayout& layout, int64_t channels_left) {
  return channels_left <= 32 ? 32 : layout.lanes;
}

// Sums of a limited blob are held to +-limit, where every code saturates: limit * m >= 2^20. Multipliers above 2^20,
// with which every sum but 0 saturates, count as 2^20, so that limit * m <= 2^21.
constexpr float kMostMultiplier = 0x1p20F;
int32_t limit_of(float multiplier) {
  constexpr double kMost = std::numeric_limits<int32_t>::max();
  return static_cast<int32_t>(std::min(kMost, std::ceil(0x1p20 / multiplier)));
}

template <typename T>
void write(std::byte* to, const T& value) {
  std::memcpy(to, &value, sizeof(value));
}

class Packer {
 public:
  Packer(const DepthwiseLayout& layout, const DepthwiseProblem& problem)
      : layout_(layout),
        problem_(problem),
        dyadic_(problem.mode == RequantizeMode::Dyadic && problem.result == DepthwiseResult::Codes),
        columns_(make_columns(problem)),
        limited_(problem.result == DepthwiseResult::Codes &&
                 std::any_of(columns_.begin(), columns_.end(), [&](const GemmColumn& c) { return is_limited(c); })),
        way_(limited_ || !is_3x3(problem) ? DepthwiseWay::Columns
             : is_narrow(problem)         ? DepthwiseWay::Narrow
                                          : DepthwiseWay::Sliding),
        shape_(layout, way_ == DepthwiseWay::Columns ? layout.any : layout.for_3x3, problem) {}

  // Into zeros.
  void pack(std::byte* to) const {
    pack_header(to);
    const int64_t filters = problem_.multiplier, per_filter = shape_.block_count / filters;
    int64_t offset = shape_.header_bytes();
    for (int64_t i = 0; i < shape_.block_count; ++i) {
      const int64_t first = i % per_filter * layout_.lanes, left = problem_.channels - first;
      const bool narrow = way_ == DepthwiseWay::Narrow;
      const int32_t lanes = narrow ? layout_.lanes : lanes_of(layout_, left);
      const auto count = static_cast<int32_t>(std::min<int64_t>(left, lanes));
      const DepthwiseBlock block = {offset, first, first * filters + i / per_filter, lanes, count};
      write(to + sizeof(DepthwiseBlob) + static_cast<size_t>(i) * sizeof(block), block);
      for (int32_t k = 0; k < (narrow ? lanes : count); ++k) {
        pack_channel(block, k, block.output + k % count * filters, to + offset);
      }
      offset += shape_.block_bytes(lanes);
    }
  }

 private:
  static std::vector<GemmColumn> make_columns(const DepthwiseProblem& problem) {
    const GemmProblem product = as_product(problem);
    std::vector<GemmColumn> columns;
    for (int64_t o = 0; o < problem.outputs(); ++o) columns.push_back(gemm_column(product, o));
    return columns;
  }
  bool is_limited(const GemmColumn& column) const {
    return dyadic_ ? column.dyadic.multiplier != 0 && column.dyadic.shift < 33 : !column.steps_fit;
  }

  void pack_header(std::byte* to) const {
    DepthwiseBlob blob = {};
    std::fill_n(blob.padding, sizeof(blob.padding), static_cast<uint8_t>(problem_.x_zero_point));
    blob.block_count = shape_.block_count;
    blob.multiplier = problem_.multiplier;
    blob.kernel_h = problem_.kernel_h;
    blob.kernel_w = problem_.kernel_w;
    blob.stride_h = problem_.stride_h;
    blob.stride_w = problem_.stride_w;
    blob.dilation_h = problem_.dilation_h;
    blob.dilation_w = problem_.dilation_w;
    blob.groups = shape_.groups;
    blob.rows = shape_.rows;
    blob.is_dyadic = dyadic_ ? 1 : 0;
    blob.is_real = problem_.result == DepthwiseResult::Real ? 1 : 0;
    blob.zero_point = problem_.zero_point;
    blob.low = problem_.low;
    blob.high = problem_.high;
    blob.limited = limited_ ? 1 : 0;
    blob.way = way_;
    write(to, blob);
  }

  // Lane k of a block, whose constants start at `to`.
  void pack_channel(const DepthwiseBlock& block, int32_t k, int64_t output, std::byte* to) const {
    const GemmColumn& column = columns_[static_cast<size_t>(output)];
    const int64_t vector = k % 16 / 4, place = k / 16 * 4 + k % 4, all = kDepthwiseVectors * block.lanes;
    std::byte* constants = to + vector * block.lanes + place * 4;
    std::byte* weights = to + 4 * all + vector * block.lanes * shape_.taps * shape_.weight_vectors() + place * 4;
    auto bias = static_cast<uint32_t>(column.bias);
    for (int64_t tap = 0; tap < shape_.taps; ++tap, weights += block.lanes * shape_.weight_vectors()) {
      for (int64_t r = 0; r < shape_.group_rows; ++r) {
        const int32_t w = weight(output, tap, r);
        if (shape_.format == DepthwiseFormat::Pairs) {
          write(weights + 2 * r, static_cast<int16_t>(w));
        } else if (shape_.format == DepthwiseFormat::Quads) {
          write(weights + r, static_cast<int8_t>(w));
        } else {
          write(weights + r, static_cast<uint8_t>(w < 0 ? -w : w));
          write(weights + block.lanes + r, static_cast<uint8_t>(w < 0 ? 0x7F : 0x80));
          // Once for both output rows.
          if (tap % shape_.rows == 0) bias += static_cast<uint32_t>(128 * w + (w < 0 ? -w : 0));
        }
      }
    }
    const float multiplier =
        problem_.result == DepthwiseResult::Codes ? std::min(column.multiplier, kMostMultiplier) : column.multiplier;
    const Dyadic dyadic = make_dyadic(multiplier);
    write(constants, bias);
    dyadic_ ? write(constants + all, dyadic.multiplier) : write(constants + all, multiplier);
    write(constants + 2 * all, dyadic.multiplier != 0 ? dyadic.shift - 33 : 0);
    write(constants + 3 * all, limit_of(multiplier));
  }

  // Of row r of a group; `tap` counts taps and groups as weights lie.
  int32_t weight(int64_t output, int64_t tap, int64_t r) const {
    const int64_t row = tap % shape_.rows, group = tap / shape_.rows % shape_.groups;
    const int64_t x = tap / shape_.rows / shape_.groups, y = group * shape_.group_rows + r - row;
    if (y < 0 || y >= problem_.kernel_h) return 0;
    return problem_.weights[(output * problem_.kernel_h + y) * problem_.kernel_w + x];
  }

  const DepthwiseLayout& layout_;
  const DepthwiseProblem& problem_;
  bool dyadic_;
  std::vector<GemmColumn> columns_;
  bool limited_;
  DepthwiseWay way_;
  Shape shape_;
};

size_t bytes_of(const DepthwiseLayout& layout, DepthwiseFormat format, const DepthwiseProblem& problem) {
  const Shape shape(layout, format, problem);
  return static_cast<size_t>(shape.header_bytes() + shape.block_count * shape.block_bytes(layout.lanes));
}

}  // namespace

const char* refuse_depthwise(const DepthwiseLayout& layout, const DepthwiseProblem& p) {
  const Shape shape(layout, layout.any, p);
  const int64_t column = layout.lanes * kDepthwiseVectors * shape.groups;
  const int64_t columns = (p.kernel_w - 1) * p.dilation_w + 1 + (kDepthwiseTile - 1) * p.stride_w;
  return columns > kDepthwisePanel / column ? "the window's columns don't fit the first-level cache" : "";
}

size_t packed_depthwise_bytes(const DepthwiseLayout& layout, const DepthwiseProblem& problem) {
  return std::max(bytes_of(layout, layout.any, problem), bytes_of(layout, layout.for_3x3, problem));
}

void pack_depthwise(const DepthwiseLayout& layout, const DepthwiseProblem& problem, std::byte* to) {
  std::memset(to, 0, packed_depthwise_bytes(layout, problem));
  Packer(layout, problem).pack(to);
}

}  // namespace halftone::kernels
