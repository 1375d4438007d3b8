#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "halftone/kernels/gemm/gemm_columns.h"
#include "halftone/kernels/gemm/gemm_stepped.h"
#include "halftone/kernels/gemm/gemm_steps.h"

namespace halftone::kernels {
namespace {

constexpr size_t kAlignment = 64;
size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// One tile as it goes into the blob.
class TilePacker {
 public:
  TilePacker(const GemmProblem& problem, int lanes, int64_t tile)
      : problem_(problem),
        lanes_(lanes),
        first_(tile * lanes),
        columns_(std::min<int64_t>(lanes, problem.columns - first_)) {
    for (int64_t tap = 0; tap < problem.taps; ++tap) {
      groups_.push_back(groups(tap));
      steps_.push_back(plan_steps(groups_.back(), lanes, problem.x_high));
      for (const Step& step : steps_.back()) {
        const size_t count = static_cast<size_t>(groups_of(step.kind));
        offsets_ += count;
        weight_bytes_ += count * group_bytes() * (is_masked(step.kind) ? 2 : 1);
      }
    }
  }

  size_t bytes() const { return weights_at() + aligned(weight_bytes_); }

  // `to` is zeroed.
  void write(std::byte* to, SteppedHeader& header) const {
    std::byte* steps = to + constants_bytes();
    std::byte* weights = to + weights_at();
    uint32_t folded[kMaxLanes] = {};
    const auto put = [](std::byte*& at, const void* from, size_t bytes) {
      std::memcpy(at, from, bytes);
      at += bytes;
    };
    for (int64_t tap = 0; tap < problem_.taps; ++tap) {
      const auto& tap_steps = steps_[static_cast<size_t>(tap)];
      uint32_t counts[kStepKinds] = {};
      for (const Step& step : tap_steps) ++counts[static_cast<size_t>(step.kind)];
      put(steps, counts, sizeof(counts));
      for (const Step& step : tap_steps) {
        const int members = groups_of(step.kind);
        header.groups[static_cast<size_t>(step.kind)] += members;
        DealtGroup dealt[4];
        deal_weights(step, groups_[static_cast<size_t>(tap)], lanes_, dealt);
        for (int i = 0; i < members; ++i) {
          put(steps, &dealt[i].offset, sizeof(dealt[i].offset));
          put(weights, dealt[i].weights, group_bytes());
          // x * w = (255 - x) * -w - 255 * -w
          for (int b = 0; b < lanes_ * kGroup; ++b) {
            if (dealt[i].mask[b] != 0) folded[b / kGroup] -= static_cast<uint32_t>(255 * dealt[i].weights[b]);
          }
        }
        if (!is_masked(step.kind)) continue;
        for (int i = 0; i < members; ++i) put(weights, dealt[i].mask, group_bytes());
      }
    }
    lanes_ == 8 ? write_constants<8>(to, header, folded) : write_constants<16>(to, header, folded);
  }

 private:
  size_t group_bytes() const { return static_cast<size_t>(lanes_) * kGroup; }
  size_t constants_bytes() const { return lanes_ == 8 ? sizeof(TileConstants<8>) : sizeof(TileConstants<16>); }
  size_t weights_at() const {
    return aligned(constants_bytes() + sizeof(uint32_t) * (static_cast<size_t>(problem_.taps) * kStepKinds + offsets_));
  }

  std::vector<StepGroup> groups(int64_t tap) const {
    std::vector<StepGroup> result(static_cast<size_t>((problem_.depth + kGroup - 1) / kGroup));
    for (size_t g = 0; g < result.size(); ++g) {
      const int64_t depth = static_cast<int64_t>(g) * kGroup;
      result[g].offset = static_cast<uint32_t>(depth);
      for (int64_t c = 0; c < columns_; ++c) {
        const int8_t* weights = problem_.weights + ((first_ + c) * problem_.taps + tap) * problem_.depth;
        std::memcpy(result[g].weights + c * kGroup, weights + depth,
                    static_cast<size_t>(std::min<int64_t>(kGroup, problem_.depth - depth)));
      }
    }
    return result;
  }

  template <int64_t kLanes>
  void write_constants(std::byte* to, SteppedHeader& header, const uint32_t* folded) const {
    TileConstants<kLanes> constants = {};
    constants.weights = weights_at();
    for (int64_t c = 0; c < columns_; ++c) {
      const GemmColumn column = gemm_column(problem_, first_ + c);
      constants.bias[c] = static_cast<int32_t>(static_cast<uint32_t>(column.bias) + folded[c]);
      constants.term[c] = problem_.column_terms != nullptr ? problem_.column_terms[first_ + c] : 0;
      constants.multiplier[c] = column.multiplier;
      constants.dyadic_multiplier[c] = column.dyadic.multiplier;
      constants.dyadic_shift[c] = column.dyadic.shift;
      constants.bound[c] = std::numeric_limits<int32_t>::max();
      if (column.steps_fit || problem_.result != GemmResult::Codes) continue;
      // Steps that don't fit int32 saturate every grid, and so do smaller ones: from 2^16 on a multiplier makes no
      // difference, and neither do accumulators beyond 2^30 steps.
      header.clamps = true;
      const float multiplier = std::min(column.multiplier, 0x1p16F);
      constants.multiplier[c] = multiplier;
      const Dyadic dyadic = make_dyadic(multiplier);
      constants.dyadic_multiplier[c] = dyadic.multiplier;
      constants.dyadic_shift[c] = dyadic.shift;
      constants.bound[c] = static_cast<int32_t>(std::min(0x1p30 / double{multiplier}, 0x1p31 - 1));
    }
    std::memcpy(to, &constants, sizeof(constants));
  }

  const GemmProblem& problem_;
  int lanes_;
  int64_t first_, columns_;
  std::vector<std::vector<StepGroup>> groups_;  // by tap
  std::vector<std::vector<Step>> steps_;
  size_t offsets_ = 0, weight_bytes_ = 0;
};

int64_t tiles_of(const GemmProblem& problem, int lanes) { return (problem.columns + lanes - 1) / lanes; }

size_t tiles_at(int64_t tiles) {
  return aligned(sizeof(SteppedHeader) + static_cast<size_t>(tiles) * sizeof(uint64_t));
}

}  // namespace

size_t stepped_packed_bytes(const GemmProblem& problem, int lanes) {
  const int64_t tiles = tiles_of(problem, lanes);
  size_t bytes = tiles_at(tiles);
  for (int64_t tile = 0; tile < tiles; ++tile) bytes += TilePacker(problem, lanes, tile).bytes();
  return bytes;
}

void pack_stepped(const GemmProblem& problem, int lanes, std::byte* to) {
  SteppedHeader header = {};
  header.columns = problem.columns;
  header.tiles = tiles_of(problem, lanes);
  header.taps = problem.taps;
  header.depth = problem.depth;
  header.result = problem.result;
  header.mode = problem.mode;
  header.zero_point = problem.zero_point;
  header.low = problem.low;
  header.high = problem.high;
  header.has_terms = problem.column_terms != nullptr;
  uint64_t at = tiles_at(header.tiles);
  std::memset(to, 0, at);
  for (int64_t tile = 0; tile < header.tiles; ++tile) {
    std::memcpy(to + sizeof(header) + static_cast<size_t>(tile) * sizeof(at), &at, sizeof(at));
    const TilePacker packer(problem, lanes, tile);
    std::memset(to + at, 0, packer.bytes());
    packer.write(to + at, header);
    at += packer.bytes();
  }
  std::memcpy(to, &header, sizeof(header));
}

}  // namespace halftone::kernels
