#include "halftone/ptq/ranges/short_scales.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "halftone/base/rng.h"
#include "halftone/ptq/test_bench.h"
#include "halftone/quant/requantize.h"
#include "halftone/sim/interpreter.h"

namespace halftone::ptq::short_scales_test {
namespace {

TEST(ShortScales, AreTheNearestOfTheirBits) {
  EXPECT_EQ(short_scale_above(0.3F, 1), 0.5F);
  EXPECT_EQ(short_scale_below(0.3F, 1), 0.25F);
  EXPECT_EQ(short_scale_above(0.3F, 3), 0.3125F);  // 5 / 16
  EXPECT_EQ(short_scale_below(0.3F, 3), 0.25F);
  EXPECT_EQ(short_scale_above(0.97F, 3), 1.0F);
  EXPECT_EQ(short_scale_below(0.97F, 3), 0.875F);
  for (int bits = 1; bits <= 12; ++bits) {
    EXPECT_EQ(short_scale_above(0.25F, bits), 0.25F);
    EXPECT_EQ(short_scale_below(0.25F, bits), 0.25F);
  }
}

// All products acc * k / d * 2^-e that are n + 1/2, against integers.
TEST(ShortScales, MultipliersThatKeepTiesDo) {
  int kept = 0, lost = 0;
  for (int64_t k = 1; k < 64; k += 2) {
    for (int64_t d = 1; d < 16; d += 2) {
      constexpr int kShift = 12;
      const double numerator = std::ldexp(static_cast<double>(k), -kShift);
      const float multiplier = make_multiplier(numerator, 1, static_cast<double>(d));
      const bool keeps = keeps_ties(numerator, static_cast<double>(d));
      bool wrong = false;
      // acc * k = (n + 1/2) d 2^12 has solutions acc = d * 2^11 * odd.
      for (int64_t odd = 1; odd * k < 1024; odd += 2) {
        const int64_t acc = d / std::gcd(d, k) * odd << (kShift - 1);
        const double tie = static_cast<double>(acc * k) / static_cast<double>(d << kShift);
        if (tie != std::floor(tie) + 0.5 || acc >= 1 << 24) continue;
        wrong |= static_cast<float>(acc) * multiplier != static_cast<float>(tie);
      }
      EXPECT_FALSE(keeps && wrong) << k << " / " << d;
      keeps ? ++kept : ++lost;
    }
  }
  EXPECT_GT(kept, 0);
  EXPECT_GT(lost, 0);
}

// Two convolutions that are added, read by a third one.
Graph residual_net() {
  test::Net net({Dim("N"), 3, 6, 5});
  net.layer("Conv", "a", "x", test::random_tensor({4, 3, 3, 3}, 1), test::random_tensor({4}, 2))
      .set_attribute("pads", std::vector<int64_t>{1, 1, 1, 1});
  net.add("Relu", "r", {"a"});
  net.layer("Conv", "b", "r", test::random_tensor({4, 4, 1, 1}, 3), test::random_tensor({4}, 4));
  net.add("Add", "s", {"b", "r"});
  net.layer("Conv", "c", "s", test::random_tensor({5, 4, 1, 1}, 5), test::random_tensor({5}, 6));
  return net.finish("c");
}

// What a float executor does with the network's file, its sums in an order of its own: exact in the first place, as the
// test shows by taking them forwards, backwards and in pairs.
class FloatExecutor {
 public:
  FloatExecutor(const QuantizedModel& model, int order) : model_(model), order_(order) {}

  std::vector<float> rounded(std::vector<float> x, const std::string& name) const {
    const QuantParams& grid = model_.encodings.at(name).params;
    for (float& v : x) {
      const int32_t code = halftone::quantize(v, grid.scale[0], grid.zero_point[0], grid.q_min, grid.q_max);
      v = dequantize(code, grid.scale[0], grid.zero_point[0]);
    }
    return x;
  }

  // A convolution of 6 x 5 positions by a square kernel with padding to keep the size.
  std::vector<float> conv(const std::vector<float>& x, const std::string& name, float input_scale) const {
    const Tensor& real = *model_.graph.value(model_.graph.find(name + "_w")).constant;
    const QuantParams& grid = model_.encodings.at(name + "_w").params;
    const Tensor weights = fake_quantize(real, grid);
    const Tensor& bias = *model_.graph.value(model_.graph.find(name + "_b")).constant;
    const int64_t out = real.dim(0), in = real.dim(1), k = real.dim(2);
    std::vector<float> y;
    for (int64_t o = 0; o < out; ++o) {
      const float step = input_scale * grid.scale[static_cast<size_t>(o)];
      const float b = std::nearbyint(bias.data<float>()[static_cast<size_t>(o)] / step) * step;
      for (int64_t at = 0; at < 30; ++at) {
        std::vector<float> terms = {b};
        for (int64_t t = 0; t < in * k * k; ++t) {
          const int64_t row = at / 5 + t / k % k - k / 2, column = at % 5 + t % k - k / 2;
          if (row < 0 || row >= 6 || column < 0 || column >= 5) continue;
          terms.push_back(x[static_cast<size_t>(t / (k * k) * 30 + row * 5 + column)] *
                          weights.data<float>()[static_cast<size_t>(o * in * k * k + t)]);
        }
        y.push_back(added_up(terms));
      }
    }
    return y;
  }

 private:
  float added_up(std::vector<float> terms) const {
    if (order_ == 1) std::reverse(terms.begin(), terms.end());
    while (order_ == 2 && terms.size() > 1) {
      std::vector<float> pairs;
      for (size_t i = 0; i < terms.size(); i += 2)
        pairs.push_back(i + 1 < terms.size() ? terms[i] + terms[i + 1] : terms[i]);
      terms = pairs;
    }
    float total = 0;
    for (float term : terms) total += term;
    return total;
  }

  const QuantizedModel& model_;
  const int order_;
};

TEST(ShortScales, FloatExecutorsComputeTheSameCodesInAnyOrder) {
  const std::vector<Tensor> samples = test::random_samples({1, 3, 6, 5}, 6, 10);
  test::Bench made(residual_net(), samples);
  shorten_scales(made.bench, {});
  const QuantizedModel& model = made.bench.model;
  const sim::Interpreter interpreter(model);
  for (const Tensor& sample : test::random_samples({1, 3, 6, 5}, 40, 100)) {
    std::map<std::string, std::vector<float>> expected;
    interpreter.run({{"x", sample}}, [&](std::string_view name, const Tensor& value, const Tensor*) {
      expected[std::string(name)] = {value.data<float>().begin(), value.data<float>().end()};
    });
    for (int order = 0; order < 3; ++order) {
      const FloatExecutor executor(model, order);
      const auto scale = [&](const std::string& name) { return model.encodings.at(name).params.scale[0]; };
      const auto x = executor.rounded({sample.data<float>().begin(), sample.data<float>().end()}, "x");
      std::vector<float> r = executor.conv(x, "a", scale("x"));
      for (float& v : r) v = std::max(v, 0.0F);
      r = executor.rounded(r, "r");
      EXPECT_EQ(r, expected.at("r"));
      const std::vector<float> b = executor.rounded(executor.conv(r, "b", scale("r")), "b");
      EXPECT_EQ(b, expected.at("b"));
      std::vector<float> s = b;
      for (size_t i = 0; i < s.size(); ++i) s[i] += r[i];
      s = executor.rounded(s, "s");
      EXPECT_EQ(s, expected.at("s"));
      EXPECT_EQ(executor.conv(s, "c", scale("s")), expected.at("c"));
    }
  }
}

TEST(ShortScales, CoverTheRangeExceptForTheShareThatMayBeClipped) {
  const std::vector<Tensor> samples = test::random_samples({1, 3, 6, 5}, 6, 10);
  for (double clip : {0.0, 0.2}) {
    for (int bits : {1, 2, 3, 5, 8}) {
      test::Bench made(residual_net(), samples);
      const Encodings old = made.bench.model.encodings;
      shorten_scales(made.bench, {bits, bits, clip});
      ASSERT_EQ(old.size(), made.bench.model.encodings.size());
      for (const auto& [name, encoding] : made.bench.model.encodings) {
        const QuantParams& was = old.at(name).params;
        for (size_t i = 0; i < was.scale.size(); ++i) {
          EXPECT_GE(encoding.params.scale[i], (1 - clip) * was.scale[i]) << name;
          EXPECT_LE(encoding.params.scale[i], 2 * was.scale[i]) << name;
          EXPECT_EQ(short_scale_above(encoding.params.scale[i], bits), encoding.params.scale[i]) << name;
        }
        EXPECT_EQ(encoding.params.zero_point[0] % 2, 0) << name;
      }
    }
  }
}

}  // namespace
}  // namespace halftone::ptq::short_scales_test
