// Operands for tests of the family `gemm`: problems that keep the planner's promise, with chosen or random shapes and
// contents.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "halftone/base/rng.h"
#include "halftone/kernels/gemm/gemm.h"

namespace halftone::kernels {

enum class GemmData {
  Random,
  RowsOfExtremes,     // row 2c holds x_high exactly where column c's weights are positive, row 2c + 1 where negative
  WeightsOfExtremes,  // weights -128, -127, 0 and 127, activations 0 and x_high
  SmallWeights,       // |w| <= 7
  BellShaped,         // weights as trained ones are, rows as in RowsOfExtremes
  LargeBias,          // accumulators near both ends of int32
};

struct GemmCase {
  int64_t columns = 1, depth = 1, taps = 1, rows = 1;
  int32_t x_zero_point = 7, x_high = 255, zero_point = 12, low = 0, high = 255;
  std::optional<int64_t> hint = std::nullopt;             // of the number of rows; without: the number
  std::optional<int> multiplier_exponent = std::nullopt;  // without: codes spread over their range
  bool one_multiplier = false, terms = false, row_scales = false, bias = true;
  GemmData data = GemmData::Random;
  RequantizeMode mode = RequantizeMode::Float;
  GemmResult result = GemmResult::Codes;
  // The left operand has 16 bits. Its zero point, and grids of wide results, are made of those of bytes: 0 is the least
  // code and 255 the largest.
  bool wide = false;

  static GemmCase random(Rng& rng) {
    const auto below = [&](int64_t n) { return static_cast<int64_t>(rng.below(static_cast<uint64_t>(n))); };
    const auto byte = [&] { return static_cast<int32_t>(rng.below(256)); };
    GemmCase test = {.columns = 1 + below(200), .depth = 1 + below(80), .taps = 1 + below(4), .rows = 1 + below(40)};
    test.x_zero_point = byte();
    test.x_high = below(2) != 0 ? 255 : byte();
    test.zero_point = byte();
    std::tie(test.low, test.high) = std::minmax({byte(), byte()});
    test.one_multiplier = below(2) != 0;
    test.terms = below(4) == 0;
    test.row_scales = below(2) != 0;
    test.bias = below(4) != 0;
    test.data = static_cast<GemmData>(below(5));
    return test;
  }
};

inline std::ostream& operator<<(std::ostream& out, const GemmCase& test) {
  return out << test.rows << " rows, " << test.columns << " columns, depth " << test.depth << ", taps " << test.taps
             << ", data " << static_cast<int>(test.data) << ", mode " << static_cast<int>(test.mode) << ", result "
             << static_cast<int>(test.result) << (test.wide ? ", wide" : "");
}

class GemmOperands {
 public:
  explicit GemmOperands(const GemmCase& test) : test_(test), rng_(static_cast<uint64_t>(test.columns + test.depth)) {
    make_weights();
    make_rows();
    make_constants();
  }

  GemmProblem problem() const {
    return {.columns = test_.columns,
            .depth = test_.depth,
            .taps = test_.taps,
            .rows = test_.hint.value_or(test_.rows),
            .mode = test_.mode,
            .result = test_.result,
            .wide = test_.wide,
            .weights = weights_.data(),
            .bias = test_.bias ? bias_.data() : nullptr,
            .multipliers = multipliers_.data(),
            .multiplier_per_column = !test_.one_multiplier,
            .column_terms = test_.terms ? column_terms_.data() : nullptr,
            .x_zero_point = stored(test_.x_zero_point, test_.wide),
            .x_high = test_.x_high,
            .zero_point = stored(test_.zero_point, wide_result()),
            .low = stored(test_.low, wide_result()),
            .high = stored(test_.high, wide_result())};
  }
  // All rows; the column blocks are left open.
  GemmRun run() const {
    return {.rows = rows_.data(),
            .row_count = test_.rows,
            .row_terms = test_.terms ? row_terms_.data() : nullptr,
            .row_scales = test_.row_scales && test_.result == GemmResult::Real ? row_scales_.data() : nullptr};
  }

 private:
  int32_t between(int32_t low, int32_t high) {
    return low + static_cast<int32_t>(rng_.below(static_cast<uint64_t>(high - low + 1)));
  }

  static int32_t stored(int32_t byte, bool wide) { return wide ? byte * 257 - 32768 : byte; }
  bool wide_result() const { return test_.result == GemmResult::WideCodes; }

  // Weights of wide problems thin out where there are many: their sum has a bound.
  void make_weights() {
    constexpr int64_t kMostWide = 32000;
    const int64_t count = test_.taps * test_.depth;
    const auto sparse = static_cast<uint64_t>(test_.wide ? count * 100 / kMostWide + 1 : 1);
    int64_t at = 0, sum = 0;
    constexpr int8_t kExtremes[] = {-128, -127, 0, 127};
    weights_.resize(static_cast<size_t>(test_.columns * test_.taps * test_.depth));
    for (int8_t& w : weights_) {
      const bool extreme = test_.data == GemmData::WeightsOfExtremes || rng_.below(16) == 0;
      w = test_.data == GemmData::SmallWeights ? static_cast<int8_t>(between(-7, 7))
          : test_.data == GemmData::BellShaped ? static_cast<int8_t>(std::clamp(rng_.normal() * 35, -128.0, 127.0))
          : extreme                            ? kExtremes[rng_.below(4)]
                                               : static_cast<int8_t>(between(-128, 127));
      if (at++ % count == 0) sum = 0;
      if (rng_.below(sparse) != 0 || (test_.wide && sum + std::abs(w) > kMostWide)) w = 0;
      sum += std::abs(w);
    }
  }

  // Rows lie at odd distances in one buffer of random bytes, which ends with the promised slack.
  void make_rows() {
    const int64_t count = test_.rows * test_.taps, size = test_.wide ? 2 : 1, stride = test_.depth * size + 3;
    bytes_.resize(static_cast<size_t>(count * stride) + kSlack);
    for (uint8_t& byte : bytes_) byte = static_cast<uint8_t>(rng_.below(256));
    for (int64_t i = 0; i < count; ++i) {
      uint8_t* row = bytes_.data() + i * stride + 3;
      rows_.push_back(row);
      const int64_t column = i / test_.taps / 2 % test_.columns, sign = i / test_.taps % 2 == 0 ? 1 : -1;
      for (int64_t d = 0; d < test_.depth; ++d) {
        const int64_t w = weights_[static_cast<size_t>((column * test_.taps + i % test_.taps) * test_.depth + d)];
        const bool adverse = test_.data == GemmData::RowsOfExtremes || test_.data == GemmData::BellShaped;
        const bool most = adverse ? w * sign > 0 : rng_.below(2) == 0;
        const bool random = !adverse && test_.data != GemmData::WeightsOfExtremes;
        if (test_.wide) {
          const auto code = static_cast<int16_t>(random ? between(INT16_MIN, INT16_MAX) : most ? INT16_MAX : INT16_MIN);
          std::memcpy(row + d * size, &code, sizeof(code));
        } else {
          row[d] = static_cast<uint8_t>(random ? between(0, test_.x_high) : most ? test_.x_high : 0);
        }
      }
    }
  }

  void make_constants() {
    const int64_t count = test_.taps * test_.depth;
    const int32_t reach_of_x = test_.wide ? 65535 : 255;
    const double usual =
        200 / (5000 * std::sqrt(static_cast<double>(count))) * (test_.wide && !wide_result() ? 1.0 / 256 : 1);
    for (int64_t c = 0; c < test_.columns; ++c) {
      int64_t reach = 0;
      for (int64_t i = 0; i < count; ++i) reach += reach_of_x * std::abs(weights_[static_cast<size_t>(c * count + i)]);
      const int64_t terms = test_.terms ? 128 * 1000 : 0;
      const int64_t room = (int64_t{1} << 31) - 1 - reach - terms;
      const auto large = static_cast<int32_t>(c % 2 == 0 ? room : -room);
      const auto small = static_cast<int32_t>(std::min<int64_t>(room, 20000));
      bias_.push_back(test_.data == GemmData::LargeBias ? large : between(-small, small));
      const double base = test_.multiplier_exponent ? std::ldexp(1.0, *test_.multiplier_exponent) : usual;
      multipliers_.push_back(static_cast<float>(base * rng_.uniform(1, 1.9)));
      column_terms_.push_back(between(-128, 128));
    }
    for (int64_t r = 0; r < test_.rows; ++r) {
      row_terms_.push_back(between(-1000, 1000));
      row_scales_.push_back(static_cast<float>(rng_.uniform(0.01, 3)));
    }
  }

  GemmCase test_;
  Rng rng_;
  std::vector<int8_t> weights_;
  std::vector<uint8_t> bytes_;
  std::vector<const uint8_t*> rows_;
  std::vector<int32_t> bias_, column_terms_, row_terms_;
  std::vector<float> multipliers_, row_scales_;
};

// Bytes aligned to 64, as blobs and scratch are.
class AlignedBytes {
 public:
  explicit AlignedBytes(size_t size) : bytes_(size + 64) {
    const size_t misaligned = reinterpret_cast<uintptr_t>(bytes_.data()) % 64;
    start_ = bytes_.data() + (misaligned == 0 ? 0 : 64 - misaligned);
  }
  std::byte* data() const { return start_; }

 private:
  std::vector<std::byte> bytes_;
  std::byte* start_;
};

// A destination whose rows have a margin that nobody may write.
class GemmOutput {
 public:
  explicit GemmOutput(const GemmCase& test)
      : size_(bytes_of(test.result)),
        columns_(test.columns),
        stride_((test.columns + 5) * size_),
        bytes_(static_cast<size_t>(kMargin + test.rows * stride_), std::byte{0xA5}) {}
  GemmRun aim(GemmRun run) {
    run.to = bytes_.data() + kMargin;
    run.to_stride = stride_;
    return run;
  }
  // "" when equal, margins included.
  std::string difference(const GemmOutput& other) const {
    if (bytes_ == other.bytes_) return "";
    for (size_t i = 0; i < bytes_.size(); ++i) {
      if (bytes_[i] == other.bytes_[i]) continue;
      const int64_t at = static_cast<int64_t>(i) - kMargin, column = at % stride_ / size_;
      return "row " + std::to_string(at / stride_) + ", column " + std::to_string(column) +
             (at < 0 || column >= columns_ ? " (outside)" : "") + ": wanted " +
             std::to_string(static_cast<int>(bytes_[i])) + ", found " +
             std::to_string(static_cast<int>(other.bytes_[i]));
    }
    return "";
  }

 private:
  static constexpr int64_t kMargin = 64;
  int64_t size_, columns_, stride_;
  std::vector<std::byte> bytes_;
};

class PackedGemm {
 public:
  PackedGemm(const GemmKernel& kernel, const GemmProblem& problem)
      : kernel_(kernel), taps_(problem.taps), blob_(kernel.packed_bytes(problem)), scratch_(fill(problem)) {}
  int64_t blocks() const { return kernel_.column_blocks(blob_.data()); }
  void run(GemmRun run) const {
    run.last_block = blocks();
    run.scratch = scratch_.data();
    kernel_.run(blob_.data(), run);
  }
  // The same in pieces of a few rows and single column blocks, later ones first.
  void run_cut(GemmRun run) const {
    run.scratch = scratch_.data();
    const int64_t step = run.row_count / 3 + 1;
    for (int64_t block = blocks() - 1; block >= 0; --block) {
      for (int64_t row = 0; row < run.row_count; row += step) {
        GemmRun part = run;
        part.first_block = block;
        part.last_block = block + 1;
        part.rows += row * taps_;
        part.row_count = std::min(step, run.row_count - row);
        part.to = static_cast<std::byte*>(run.to) + row * run.to_stride;
        if (run.row_terms != nullptr) part.row_terms += row;
        if (run.row_scales != nullptr) part.row_scales += row;
        kernel_.run(blob_.data(), part);
      }
    }
  }

 private:
  size_t fill(const GemmProblem& problem) const {
    kernel_.pack(problem, blob_.data());
    return kernel_.scratch_bytes(blob_.data());
  }
  const GemmKernel& kernel_;
  int64_t taps_;
  AlignedBytes blob_, scratch_;
};

}  // namespace halftone::kernels
