// Operands for tests of the family `depthwise`: problems that keep the planner's promise, with chosen or random shapes
// and contents.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include "halftone/base/rng.h"
#include "halftone/kernels/depthwise/depthwise.h"

namespace halftone::kernels {

enum class DepthwiseData {
  Random,
  WindowsOfExtremes,  // some windows hold 255 exactly where a channel's weights are positive, or where negative
  WeightsOfExtremes,  // weights -128, -127, 0 and 127, input bytes 0 and 255
  LargeBias,          // accumulators near both ends of int32
};

struct DepthwiseCase {
  int64_t channels = 1, multiplier = 1;
  int64_t kernel_h = 3, kernel_w = 3, stride_h = 1, stride_w = 1, dilation_h = 1, dilation_w = 1;
  int64_t images = 1, in_h = 5, in_w = 5;
  int64_t pad_top = 1, pad_left = 1, pad_bottom = 1, pad_right = 1;
  int32_t x_zero_point = 7, zero_point = 12, low = 0, high = 255;
  std::optional<int> multiplier_exponent = std::nullopt;  // without: codes spread over their range
  bool one_multiplier = false, bias = true;
  int64_t from_gap = 0, to_gap = 3;  // elements between pixels
  DepthwiseData data = DepthwiseData::Random;
  RequantizeMode mode = RequantizeMode::Float;
  DepthwiseResult result = DepthwiseResult::Codes;

  int64_t out_h() const { return (in_h + pad_top + pad_bottom - (kernel_h - 1) * dilation_h - 1) / stride_h + 1; }
  int64_t out_w() const { return (in_w + pad_left + pad_right - (kernel_w - 1) * dilation_w - 1) / stride_w + 1; }
  bool possible() const {
    return in_h + pad_top + pad_bottom > (kernel_h - 1) * dilation_h &&
           in_w + pad_left + pad_right > (kernel_w - 1) * dilation_w;
  }

  static DepthwiseCase random(Rng& rng) {
    const auto below = [&](int64_t n) { return static_cast<int64_t>(rng.below(static_cast<uint64_t>(n))); };
    const auto byte = [&] { return static_cast<int32_t>(rng.below(256)); };
    DepthwiseCase test;
    do {
      test = {.channels = 1 + below(130), .kernel_h = 1 + below(7), .kernel_w = 1 + below(7)};
      test.stride_h = 1 + below(3);
      test.stride_w = 1 + below(3);
      test.dilation_h = below(3) != 0 ? 1 : 1 + below(4);
      test.dilation_w = below(3) != 0 ? 1 : 1 + below(4);
      test.in_h = 1 + below(12);
      test.in_w = 1 + below(12);
      for (int64_t* pad : {&test.pad_top, &test.pad_left, &test.pad_bottom, &test.pad_right}) *pad = below(5);
    } while (!test.possible());
    if (below(4) == 0) test.multiplier = 1 + below(4);
    test.images = 1 + below(3);
    test.x_zero_point = byte();
    test.zero_point = byte();
    std::tie(test.low, test.high) = std::minmax({byte(), byte()});
    test.one_multiplier = below(4) == 0;
    test.bias = below(4) != 0;
    test.from_gap = below(2) * below(40);
    test.to_gap = below(2) * below(40);
    test.data = static_cast<DepthwiseData>(below(4));
    return test;
  }
};

inline std::ostream& operator<<(std::ostream& out, const DepthwiseCase& t) {
  return out << t.images << " images " << t.in_h << "x" << t.in_w << "x" << t.channels << ", multiplier "
             << t.multiplier << ", kernel " << t.kernel_h << "x" << t.kernel_w << ", strides " << t.stride_h << " "
             << t.stride_w << ", dilations " << t.dilation_h << " " << t.dilation_w << ", pads " << t.pad_top << " "
             << t.pad_left << " " << t.pad_bottom << " " << t.pad_right << ", data " << static_cast<int>(t.data)
             << ", mode " << static_cast<int>(t.mode) << ", result " << static_cast<int>(t.result);
}

class DepthwiseOperands {
 public:
  explicit DepthwiseOperands(const DepthwiseCase& test)
      : test_(test), rng_(static_cast<uint64_t>(test.channels * 31 + test.in_w * 7 + test.kernel_w)) {
    make_weights();
    make_image();
    make_constants();
  }

  DepthwiseProblem problem() const {
    return {.channels = test_.channels,
            .multiplier = test_.multiplier,
            .kernel_h = test_.kernel_h,
            .kernel_w = test_.kernel_w,
            .stride_h = test_.stride_h,
            .stride_w = test_.stride_w,
            .dilation_h = test_.dilation_h,
            .dilation_w = test_.dilation_w,
            .mode = test_.mode,
            .result = test_.result,
            .weights = weights_.data(),
            .bias = test_.bias ? bias_.data() : nullptr,
            .multipliers = multipliers_.data(),
            .multiplier_per_channel = !test_.one_multiplier,
            .x_zero_point = test_.x_zero_point,
            .zero_point = test_.zero_point,
            .low = test_.low,
            .high = test_.high};
  }
  // All rows; the blocks of channels are left open.
  DepthwiseRun run() const {
    return {.from = bytes_.data() + kOffset,
            .in_h = test_.in_h,
            .in_w = test_.in_w,
            .out_h = test_.out_h(),
            .out_w = test_.out_w(),
            .pad_top = test_.pad_top,
            .pad_left = test_.pad_left,
            .from_stride = stride(),
            .last_row = test_.images * test_.out_h()};
  }

 private:
  static constexpr int64_t kOffset = 5;

  int64_t stride() const { return test_.channels + test_.from_gap; }
  int64_t outputs() const { return test_.channels * test_.multiplier; }
  int64_t taps() const { return test_.kernel_h * test_.kernel_w; }
  int32_t between(int32_t low, int32_t high) {
    return low + static_cast<int32_t>(rng_.below(static_cast<uint64_t>(high - low + 1)));
  }

  void make_weights() {
    constexpr int8_t kExtremes[] = {-128, -127, 0, 127};
    weights_.resize(static_cast<size_t>(outputs() * taps()));
    for (int8_t& w : weights_) {
      const bool extreme = test_.data == DepthwiseData::WeightsOfExtremes || rng_.below(16) == 0;
      w = extreme ? kExtremes[rng_.below(4)] : static_cast<int8_t>(between(-128, 127));
    }
  }

  // Random bytes also between the pixels and in the slack.
  void make_image() {
    const int64_t pixels = test_.images * test_.in_h * test_.in_w;
    bytes_.resize(static_cast<size_t>(kOffset + pixels * stride()) + kSlack);
    const bool extremes = test_.data == DepthwiseData::WeightsOfExtremes;
    for (uint8_t& byte : bytes_) byte = static_cast<uint8_t>(extremes ? 255 * between(0, 1) : between(0, 255));
    if (test_.data != DepthwiseData::WindowsOfExtremes) return;
    const int64_t step_y = ((test_.kernel_h - 1) * test_.dilation_h) / test_.stride_h + 1;
    const int64_t step_x = ((test_.kernel_w - 1) * test_.dilation_w) / test_.stride_w + 1;
    for (int64_t y = 0; y < test_.out_h(); y += step_y) {
      for (int64_t x = 0; x < test_.out_w(); x += step_x) {
        for (int64_t c = 0; c < test_.channels; ++c) make_window(y, x, c, (x / step_x + y / step_y) % 2 == 0 ? 1 : -1);
      }
    }
  }

  void make_window(int64_t y, int64_t x, int64_t c, int64_t sign) {
    for (int64_t tap = 0; tap < taps(); ++tap) {
      const int64_t in_y = y * test_.stride_h + tap / test_.kernel_w * test_.dilation_h - test_.pad_top;
      const int64_t in_x = x * test_.stride_w + tap % test_.kernel_w * test_.dilation_w - test_.pad_left;
      if (in_y < 0 || in_y >= test_.in_h || in_x < 0 || in_x >= test_.in_w) continue;
      const int64_t w = weights_[static_cast<size_t>(c * test_.multiplier * taps() + tap)];
      bytes_[static_cast<size_t>(kOffset + (in_y * test_.in_w + in_x) * stride() + c)] = w * sign > 0 ? 255 : 0;
    }
  }

  void make_constants() {
    const double usual = 200 / (5000 * std::sqrt(static_cast<double>(taps())));
    for (int64_t o = 0; o < outputs(); ++o) {
      int64_t reach = 0;
      for (int64_t i = 0; i < taps(); ++i) reach += 255 * std::abs(weights_[static_cast<size_t>(o * taps() + i)]);
      const int64_t room = (int64_t{1} << 31) - 1 - reach;
      const auto large = static_cast<int32_t>(o % 2 == 0 ? room : -room);
      bias_.push_back(test_.data == DepthwiseData::LargeBias ? large : between(-20000, 20000));
      const double base = test_.multiplier_exponent ? std::ldexp(1.0, *test_.multiplier_exponent) : usual;
      multipliers_.push_back(static_cast<float>(base * rng_.uniform(1, 1.9)));
    }
  }

  DepthwiseCase test_;
  Rng rng_;
  std::vector<int8_t> weights_;
  std::vector<uint8_t> bytes_;
  std::vector<int32_t> bias_;
  std::vector<float> multipliers_;
};

// A blob aligned to 64.
class PackedDepthwise {
 public:
  PackedDepthwise(const DepthwiseKernel& kernel, const DepthwiseProblem& problem)
      : kernel_(kernel), bytes_(kernel.packed_bytes(problem) + 64) {
    const size_t misaligned = reinterpret_cast<uintptr_t>(bytes_.data()) % 64;
    blob_ = bytes_.data() + (misaligned == 0 ? 0 : 64 - misaligned);
    kernel.pack(problem, blob_);
  }
  int64_t blocks() const { return kernel_.blocks(blob_); }
  void run(DepthwiseRun run) const {
    run.last_block = blocks();
    kernel_.run(blob_, run);
  }
  // The same in pieces of a few rows and single blocks, later ones first.
  void run_cut(DepthwiseRun run) const {
    const int64_t step = run.last_row / 3 + 1, rows = run.last_row;
    for (int64_t block = blocks() - 1; block >= 0; --block) {
      for (int64_t row = 0; row < rows; row += step) {
        DepthwiseRun part = run;
        part.first_block = block;
        part.last_block = block + 1;
        part.first_row = row;
        part.last_row = std::min(row + step, rows);
        kernel_.run(blob_, part);
      }
    }
  }

 private:
  const DepthwiseKernel& kernel_;
  std::vector<std::byte> bytes_;
  std::byte* blob_;
};

// A destination with margins that nobody may write.
class DepthwiseOutput {
 public:
  explicit DepthwiseOutput(const DepthwiseCase& test)
      : size_(test.result == DepthwiseResult::Real ? 4 : 1),
        outputs_(test.channels * test.multiplier),
        out_w_(test.out_w()),
        stride_((outputs_ + test.to_gap) * size_),
        bytes_(static_cast<size_t>(2 * kMargin + test.images * test.out_h() * out_w_ * stride_), std::byte{0xA5}) {}
  DepthwiseRun aim(DepthwiseRun run) {
    run.to = bytes_.data() + kMargin;
    run.to_stride = stride_;
    return run;
  }
  // "" when equal, margins included.
  std::string difference(const DepthwiseOutput& other) const {
    if (bytes_ == other.bytes_) return "";
    for (size_t i = 0; i < bytes_.size(); ++i) {
      if (bytes_[i] == other.bytes_[i]) continue;
      const int64_t at = static_cast<int64_t>(i) - kMargin, pixel = at / stride_, o = at % stride_ / size_;
      return "row " + std::to_string(pixel / out_w_) + ", column " + std::to_string(pixel % out_w_) + ", output " +
             std::to_string(o) + (at < 0 || o >= outputs_ ? " (outside)" : "") + ": wanted " +
             std::to_string(static_cast<int>(bytes_[i])) + ", found " +
             std::to_string(static_cast<int>(other.bytes_[i]));
    }
    return "";
  }

 private:
  static constexpr int64_t kMargin = 64;
  int64_t size_, outputs_, out_w_, stride_;
  std::vector<std::byte> bytes_;
};

}  // namespace halftone::kernels
