#include "halftone/kernels/gemm/gemm_stepped_blob.h"

#include <algorithm>
#include <cstring>

#include "halftone/kernels/gemm/gemm_steps.h"

namespace halftone::kernels {
namespace {

int64_t tiles_at(const TiledBlob& blob) {
  return tile_aligned(
      static_cast<int64_t>(sizeof(SteppedBlob) + sizeof(TileOffsets) * static_cast<size_t>(blob.tiles)));
}

// One tile: its steps, and the room that they need in the blob.
class TilePacker {
 public:
  TilePacker(const TiledBlob& blob, const GemmProblem& problem, int64_t tile)
      : blob_(blob), problem_(problem), tile_(tile), group_bytes_(static_cast<size_t>(blob.lanes * kGroup)) {
    read_groups();
    steps_ = plan_steps(groups_, static_cast<int>(blob.lanes), problem.x_high);
    for (const Step& step : steps_) {
      const auto count = static_cast<size_t>(groups_of(step.kind));
      offsets_ += count;
      weight_bytes_ += count * group_bytes_ * (is_masked(step.kind) ? 2 : 1);
    }
  }

  int64_t weights_at() const {
    return tile_aligned(blob_.constant_bytes + static_cast<int64_t>(sizeof(uint32_t) * (kStepKinds + offsets_)));
  }
  int64_t bytes() const { return weights_at() + tile_aligned(static_cast<int64_t>(weight_bytes_)); }

  // `to` is zeroed.
  void pack(std::byte* to, SteppedBlob& blob) const {
    uint32_t folded[kMaxLanes] = {};
    Cursor steps = {to + blob_.constant_bytes}, weights = {to + weights_at()};
    uint32_t counts[kStepKinds] = {};
    for (const Step& step : steps_) ++counts[static_cast<size_t>(step.kind)];
    steps.put(counts, sizeof(counts));
    for (const Step& step : steps_) {
      pack_step(step, steps, weights, folded);
      blob.groups[static_cast<size_t>(step.kind)] += groups_of(step.kind);
    }
    blob.tiled.fit &= pack_tile_constants(blob_, problem_, tile_, folded, to);
  }

 private:
  struct Cursor {
    std::byte* at;
    void put(const void* from, size_t bytes) {
      std::memcpy(at, from, bytes);
      at += bytes;
    }
  };

  void read_groups() {
    const int64_t depth = problem_.taps * problem_.depth;
    const int64_t first = tile_ * blob_.lanes, columns = std::min(blob_.lanes, problem_.columns - first);
    groups_.resize(static_cast<size_t>((depth + kGroup - 1) / kGroup));
    for (int64_t c = 0; c < columns; ++c) {
      const int8_t* weights = problem_.weights + (first + c) * depth;
      for (size_t g = 0; g < groups_.size(); ++g) {
        const int64_t at = static_cast<int64_t>(g) * kGroup;
        groups_[g].offset = static_cast<uint32_t>(at);
        std::memcpy(groups_[g].weights + c * kGroup, weights + at,
                    static_cast<size_t>(std::min<int64_t>(kGroup, depth - at)));
      }
    }
  }

  void pack_step(const Step& step, Cursor& steps, Cursor& weights, uint32_t* folded) const {
    const int members = groups_of(step.kind);
    DealtGroup dealt[4];
    deal_weights(step, groups_, static_cast<int>(blob_.lanes), dealt, folded);
    for (int i = 0; i < members; ++i) {
      steps.put(&dealt[i].offset, sizeof(dealt[i].offset));
      weights.put(dealt[i].weights, group_bytes_);
    }
    if (!is_masked(step.kind)) return;
    for (int i = 0; i < members; ++i) weights.put(dealt[i].mask, group_bytes_);
  }

  const TiledBlob& blob_;
  const GemmProblem& problem_;
  int64_t tile_;
  size_t group_bytes_;
  std::vector<StepGroup> groups_;
  std::vector<Step> steps_;
  size_t offsets_ = 0, weight_bytes_ = 0;
};

}  // namespace

size_t stepped_packed_bytes(int lanes, const GemmProblem& problem) {
  const TiledBlob blob = tiled_blob(lanes, problem);
  int64_t bytes = tiles_at(blob);
  for (int64_t tile = 0; tile < blob.tiles; ++tile) bytes += TilePacker(blob, problem, tile).bytes();
  return static_cast<size_t>(bytes);
}

void stepped_pack(int lanes, const GemmProblem& problem, std::byte* to) {
  SteppedBlob blob = {tiled_blob(lanes, problem), {}};
  int64_t at = tiles_at(blob.tiled);
  std::memset(to, 0, static_cast<size_t>(at));
  for (int64_t tile = 0; tile < blob.tiled.tiles; ++tile) {
    const TilePacker packer(blob.tiled, problem, tile);
    std::memset(to + at, 0, static_cast<size_t>(packer.bytes()));
    packer.pack(to + at, blob);
    const TileOffsets offsets = {at, at + packer.weights_at()};
    std::memcpy(to + sizeof(blob) + static_cast<size_t>(tile) * sizeof(offsets), &offsets, sizeof(offsets));
    at += packer.bytes();
  }
  std::memcpy(to, &blob, sizeof(blob));
}

std::string stepped_describe(const std::byte* packed) {
  const auto& blob = *reinterpret_cast<const SteppedBlob*>(packed);
  int64_t all = 0, masked = 0, alone = 0;
  for (int kind = 0; kind < kStepKinds; ++kind) {
    const int64_t groups = blob.groups[kind];
    all += groups;
    if (is_masked(static_cast<StepKind>(kind))) masked += groups;
    if (groups_of(static_cast<StepKind>(kind)) == 1) alone += groups;
  }
  const auto percent = [all](int64_t groups) {
    return std::to_string((100 * groups + all / 2) / std::max<int64_t>(all, 1));
  };
  return percent(masked) + " % complemented, " + percent(all - alone) + " % added in 16 bits";
}

}  // namespace halftone::kernels
