#include "halftone/kernels/gemm/gemm_vnni_blob.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "halftone/kernels/gemm/gemm_columns.h"
#include "halftone/kernels/requantizer.h"

namespace halftone::kernels {
namespace {

constexpr int64_t kAlign = 64;

int64_t ceil_div(int64_t n, int64_t unit) { return (n + unit - 1) / unit; }

bool stays(const VnniLayout& layout, int64_t taps, int64_t steps) {
  return taps * steps <= layout.stationary &&
         std::any_of(std::begin(kVnniStationary), std::end(kVnniStationary),
                     [&](const VnniStationary& shape) { return shape.taps == taps && shape.steps == steps; });
}

VnniBlob blob_of(const VnniLayout& layout, const GemmProblem& problem) {
  VnniBlob blob = {};
  blob.columns = problem.columns;
  blob.taps = problem.taps;
  blob.depth = problem.depth;
  blob.steps = ceil_div(problem.depth, kVnniStep);
  blob.lanes = layout.lanes;
  blob.vectors = ceil_div(problem.columns, layout.lanes);
  blob.stationary =
      problem.result == GemmResult::Codes && problem.column_terms == nullptr && stays(layout, blob.taps, blob.steps);
  const int64_t most = blob.stationary ? layout.stationary / (blob.taps * blob.steps) : layout.most_vectors;
  blob.blocks = ceil_div(blob.vectors, std::min(most, layout.most_vectors));
  blob.mode = problem.mode;
  blob.result = problem.result;
  blob.zero_point = problem.zero_point;
  blob.low = problem.low;
  blob.high = problem.high;
  const bool dyadic = problem.mode == RequantizeMode::Dyadic && problem.result == GemmResult::Codes;
  const int64_t row_bytes = layout.lanes * 4;
  blob.terms = problem.column_terms != nullptr ? row_bytes : 0;
  blob.requantizer = row_bytes + blob.terms;
  blob.vector_bytes = blob.requantizer + (dyadic ? kDyadicRequantizerRows : kFloatRequantizerRows) * row_bytes;
  blob.constants = ceil_div(sizeof(VnniBlob), kAlign) * kAlign;
  blob.weights = blob.constants + ceil_div(blob.vectors * blob.vector_bytes, kAlign) * kAlign;
  return blob;
}

int64_t weight_bytes(const VnniBlob& blob) { return blob.taps * blob.steps * blob.lanes * kVnniStep; }

// One block: its vectors, and which column each lane of each of them holds.
class BlockPacker {
 public:
  BlockPacker(const VnniBlob& blob, const GemmProblem& problem, int64_t block)
      : blob_(blob),
        problem_(problem),
        first_(vnni_first_vector(blob, block)),
        count_(vnni_first_vector(blob, block + 1) - first_) {}

  // True when steps of all columns fit.
  bool pack_constants(std::byte* to) const {
    bool fit = true;
    std::vector<int32_t> bias(static_cast<size_t>(blob_.lanes)), terms(bias);
    std::vector<float> multipliers(bias.size());
    for (int64_t j = 0; j < count_; ++j) {
      for (int64_t lane = 0; lane < blob_.lanes; ++lane) {
        const auto at = static_cast<size_t>(lane);
        const int64_t c = column(j, lane);
        const GemmColumn constants = c < blob_.columns ? gemm_column(problem_, c) : kNoColumn;
        bias[at] = constants.bias;
        multipliers[at] = constants.multiplier;
        if (blob_.terms != 0) terms[at] = c < blob_.columns ? problem_.column_terms[c] : 0;
        fit &= constants.steps_fit;
      }
      std::byte* vector = to + blob_.constants + (first_ + j) * blob_.vector_bytes;
      std::memcpy(vector, bias.data(), bias.size() * 4);
      if (blob_.terms != 0) std::memcpy(vector + blob_.terms, terms.data(), terms.size() * 4);
      pack_requantizer(blob_.result == GemmResult::Real ? RequantizeMode::Float : blob_.mode, multipliers.data(),
                       blob_.lanes, vector + blob_.requantizer);
    }
    return fit;
  }

  void pack_weights(std::byte* to) const {
    auto* block = reinterpret_cast<int8_t*>(to + blob_.weights + first_ * weight_bytes(blob_));
    const int64_t step_bytes = count_ * blob_.lanes * kVnniStep;
    for (int64_t j = 0; j < count_; ++j) {
      for (int64_t lane = 0; lane < blob_.lanes; ++lane) {
        const int64_t c = column(j, lane);
        int8_t* words = block + (j * blob_.lanes + lane) * kVnniStep;
        for (int64_t tap = 0; tap < blob_.taps; ++tap) {
          const int8_t* from = c < blob_.columns ? problem_.weights + (c * blob_.taps + tap) * blob_.depth : nullptr;
          for (int64_t d = 0; d < blob_.steps * kVnniStep; d += kVnniStep, words += step_bytes) {
            const int64_t bytes = from == nullptr ? 0 : std::min(kVnniStep, blob_.depth - d);
            std::memset(words, 0, kVnniStep);
            if (bytes > 0) std::memcpy(words, from + d, static_cast<size_t>(bytes));
          }
        }
      }
    }
  }

 private:
  static constexpr GemmColumn kNoColumn = {
      .bias = 0, .multiplier = 1, .dyadic = {}, .least = 0, .most = 0, .steps_fit = true};

  int64_t column(int64_t vector, int64_t lane) const {
    const int64_t first = first_ * blob_.lanes;
    if (blob_.result == GemmResult::Real) return first + vector * blob_.lanes + lane;
    return first + lane / 4 * 4 * count_ + vector * 4 + lane % 4;
  }

  const VnniBlob& blob_;
  const GemmProblem& problem_;
  int64_t first_, count_;
};

const VnniBlob& open(const std::byte* packed) { return *reinterpret_cast<const VnniBlob*>(packed); }

}  // namespace

size_t vnni_packed_bytes(const VnniLayout& layout, const GemmProblem& problem) {
  const VnniBlob blob = blob_of(layout, problem);
  return static_cast<size_t>(blob.weights + blob.vectors * weight_bytes(blob));
}

void vnni_pack(const VnniLayout& layout, const GemmProblem& problem, std::byte* to) {
  VnniBlob blob = blob_of(layout, problem);
  std::memset(to, 0, static_cast<size_t>(blob.weights));
  blob.fit = true;
  for (int64_t block = 0; block < blob.blocks; ++block) {
    const BlockPacker packer(blob, problem, block);
    blob.fit &= packer.pack_constants(to);
    packer.pack_weights(to);
  }
  std::memcpy(to, &blob, sizeof(blob));
}

int64_t vnni_column_blocks(const std::byte* packed) { return open(packed).blocks; }

int64_t vnni_first_column(const std::byte* packed, int64_t block) {
  const VnniBlob& blob = open(packed);
  return std::min(vnni_first_vector(blob, block) * blob.lanes, blob.columns);
}

size_t vnni_scratch_bytes(const std::byte*) { return 0; }

}  // namespace halftone::kernels
