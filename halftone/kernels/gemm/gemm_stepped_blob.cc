#include "halftone/kernels/gemm/gemm_stepped_blob.h"

#include <algorithm>
#include <cstring>

#include "halftone/kernels/gemm/gemm_columns.h"
#include "halftone/kernels/gemm/gemm_steps.h"
#include "halftone/kernels/requantizer.h"

namespace halftone::kernels {
namespace {

constexpr int64_t kAlign = 64;

int64_t ceil_div(int64_t n, int64_t unit) { return (n + unit - 1) / unit; }
int64_t aligned(int64_t bytes) { return ceil_div(bytes, kAlign) * kAlign; }

SteppedBlob blob_of(int lanes, const GemmProblem& problem) {
  SteppedBlob blob = {};
  blob.columns = problem.columns;
  blob.taps = problem.taps;
  blob.depth = problem.depth;
  blob.lanes = lanes;
  blob.tiles = ceil_div(problem.columns, lanes);
  blob.mode = problem.mode;
  blob.result = problem.result;
  blob.zero_point = problem.zero_point;
  blob.low = problem.low;
  blob.high = problem.high;
  const bool dyadic = problem.mode == RequantizeMode::Dyadic && problem.result == GemmResult::Codes;
  const int64_t row_bytes = int64_t{lanes} * 4;
  blob.terms = problem.column_terms != nullptr ? row_bytes : 0;
  blob.requantizer = row_bytes + blob.terms;
  blob.steps = blob.requantizer + (dyadic ? kDyadicRequantizerRows : kFloatRequantizerRows) * row_bytes;
  return blob;
}

int64_t tiles_at(const SteppedBlob& blob) {
  return aligned(static_cast<int64_t>(sizeof(SteppedBlob) + sizeof(TileOffsets) * static_cast<size_t>(blob.tiles)));
}

// One tile: its steps by tap, and what they need in the blob.
class TilePacker {
 public:
  TilePacker(const SteppedBlob& blob, const GemmProblem& problem, int64_t tile)
      : blob_(blob),
        problem_(problem),
        first_(tile * blob.lanes),
        columns_(std::min(blob.lanes, problem.columns - first_)),
        group_bytes_(static_cast<size_t>(blob.lanes * kGroup)) {
    size_t offsets = 0;
    for (int64_t tap = 0; tap < blob.taps; ++tap) {
      Tap& steps = taps_.emplace_back();
      steps.groups = groups(tap);
      steps.steps = plan_steps(steps.groups, static_cast<int>(blob.lanes), problem.x_high);
      for (const Step& step : steps.steps) {
        const auto count = static_cast<size_t>(groups_of(step.kind));
        offsets += count;
        weight_bytes_ += count * group_bytes_ * (is_masked(step.kind) ? 2 : 1);
      }
    }
    step_bytes_ = sizeof(uint32_t) * (static_cast<size_t>(blob.taps) * kStepKinds + offsets);
  }

  int64_t weights_at() const { return aligned(blob_.steps + static_cast<int64_t>(step_bytes_)); }
  int64_t bytes() const { return weights_at() + aligned(static_cast<int64_t>(weight_bytes_)); }

  // `to` is zeroed.
  void pack(std::byte* to, SteppedBlob& blob) const {
    uint32_t folded[kMaxLanes] = {};
    Cursor steps = {to + blob_.steps}, weights = {to + weights_at()};
    for (const Tap& tap : taps_) {
      uint32_t counts[kStepKinds] = {};
      for (const Step& step : tap.steps) ++counts[static_cast<size_t>(step.kind)];
      steps.put(counts, sizeof(counts));
      for (const Step& step : tap.steps) {
        pack_step(tap, step, steps, weights, folded);
        blob.groups[static_cast<size_t>(step.kind)] += groups_of(step.kind);
      }
    }
    blob.fit &= pack_constants(to, folded);
  }

 private:
  struct Tap {
    std::vector<StepGroup> groups;
    std::vector<Step> steps;
  };
  struct Cursor {
    std::byte* at;
    void put(const void* from, size_t bytes) {
      std::memcpy(at, from, bytes);
      at += bytes;
    }
  };

  std::vector<StepGroup> groups(int64_t tap) const {
    std::vector<StepGroup> result(static_cast<size_t>(ceil_div(problem_.depth, kGroup)));
    for (int64_t c = 0; c < columns_; ++c) {
      const int8_t* weights = problem_.weights + ((first_ + c) * problem_.taps + tap) * problem_.depth;
      for (size_t g = 0; g < result.size(); ++g) {
        const int64_t depth = static_cast<int64_t>(g) * kGroup;
        result[g].offset = static_cast<uint32_t>(depth);
        std::memcpy(result[g].weights + c * kGroup, weights + depth,
                    static_cast<size_t>(std::min<int64_t>(kGroup, problem_.depth - depth)));
      }
    }
    return result;
  }

  void pack_step(const Tap& tap, const Step& step, Cursor& steps, Cursor& weights, uint32_t* folded) const {
    const int members = groups_of(step.kind);
    DealtGroup dealt[4];
    deal_weights(step, tap.groups, static_cast<int>(blob_.lanes), dealt, folded);
    for (int i = 0; i < members; ++i) {
      steps.put(&dealt[i].offset, sizeof(dealt[i].offset));
      weights.put(dealt[i].weights, group_bytes_);
    }
    if (!is_masked(step.kind)) return;
    for (int i = 0; i < members; ++i) weights.put(dealt[i].mask, group_bytes_);
  }

  // True when steps of all columns fit.
  bool pack_constants(std::byte* to, const uint32_t* folded) const {
    bool fit = true;
    int32_t bias[kMaxLanes] = {}, terms[kMaxLanes] = {};
    float multipliers[kMaxLanes];
    std::fill_n(multipliers, kMaxLanes, 1.0F);
    for (int64_t c = 0; c < columns_; ++c) {
      const GemmColumn column = gemm_column(problem_, first_ + c);
      bias[c] = static_cast<int32_t>(static_cast<uint32_t>(column.bias) + folded[c]);
      if (blob_.terms != 0) terms[c] = problem_.column_terms[first_ + c];
      multipliers[c] = column.multiplier;
      fit &= column.steps_fit;
    }
    const auto row_bytes = static_cast<size_t>(blob_.lanes) * 4;
    std::memcpy(to, bias, row_bytes);
    if (blob_.terms != 0) std::memcpy(to + blob_.terms, terms, row_bytes);
    pack_requantizer(blob_.result == GemmResult::Real ? RequantizeMode::Float : blob_.mode, multipliers, blob_.lanes,
                     to + blob_.requantizer);
    return fit;
  }

  const SteppedBlob& blob_;
  const GemmProblem& problem_;
  int64_t first_, columns_;
  size_t group_bytes_;
  std::vector<Tap> taps_;
  size_t step_bytes_ = 0, weight_bytes_ = 0;
};

const SteppedBlob& open(const std::byte* packed) { return *reinterpret_cast<const SteppedBlob*>(packed); }

}  // namespace

size_t stepped_packed_bytes(int lanes, const GemmProblem& problem) {
  const SteppedBlob blob = blob_of(lanes, problem);
  int64_t bytes = tiles_at(blob);
  for (int64_t tile = 0; tile < blob.tiles; ++tile) bytes += TilePacker(blob, problem, tile).bytes();
  return static_cast<size_t>(bytes);
}

void stepped_pack(int lanes, const GemmProblem& problem, std::byte* to) {
  SteppedBlob blob = blob_of(lanes, problem);
  blob.fit = true;
  int64_t at = tiles_at(blob);
  std::memset(to, 0, static_cast<size_t>(at));
  for (int64_t tile = 0; tile < blob.tiles; ++tile) {
    const TilePacker packer(blob, problem, tile);
    std::memset(to + at, 0, static_cast<size_t>(packer.bytes()));
    packer.pack(to + at, blob);
    const TileOffsets offsets = {at, at + packer.weights_at()};
    std::memcpy(to + sizeof(blob) + static_cast<size_t>(tile) * sizeof(offsets), &offsets, sizeof(offsets));
    at += packer.bytes();
  }
  std::memcpy(to, &blob, sizeof(blob));
}

int64_t stepped_column_blocks(const std::byte* packed) { return open(packed).tiles; }

int64_t stepped_first_column(const std::byte* packed, int64_t block) {
  return std::min(block * open(packed).lanes, open(packed).columns);
}

size_t stepped_scratch_bytes(const std::byte*) { return 0; }

}  // namespace halftone::kernels
