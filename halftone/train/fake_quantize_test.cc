#include "halftone/train/fake_quantize.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "halftone/quant/quant_params.h"
#include "halftone/train/test_tensors.h"

namespace halftone::train::fake_quantize_test {
namespace {

// Beyond the ends of the grids.
at::Tensor spread(const std::vector<int64_t>& shape, uint64_t seed) { return drawn(shape, seed, 3); }

at::Tensor list(std::vector<float> values) { return at::tensor(values); }

struct Case {
  std::vector<int64_t> shape;
  std::vector<float> scales, zero_points;
  CodeGrid grid;
  DType dtype;
};

std::vector<Case> cases() {
  return {
      {{7}, {0.31f}, {0}, {-127, 127, -1}, DType::Int8},
      {{2, 3, 5, 5}, {0.5f}, {7}, {0, 15, -1}, DType::UInt8},
      {{4, 3, 3, 3}, {0.1f, 0.7f, 1.3f, 2.0f}, {0, 0, 0, 0}, {-7, 7, 0}, DType::Int8},
      {{2, 3, 70, 300}, {0.2f, 0.4f, 0.9f}, {3, 0, 15}, {0, 15, 1}, DType::UInt8},  // runs longer than a piece
      {{3, 1, 9}, {0.9f}, {1}, {0, 3, -1}, DType::UInt8},
  };
}

// What inference makes of the same grid.
TEST(FakeQuantize, RoundsAsInferenceDoes) {
  for (const Case& test : cases()) {
    const at::Tensor x = spread(test.shape, 1);
    QuantParams params;
    params.dtype = test.dtype;
    params.q_min = static_cast<int64_t>(test.grid.low);
    params.q_max = static_cast<int64_t>(test.grid.high);
    params.scale = test.scales;
    for (float z : test.zero_points) params.zero_point.push_back(static_cast<int32_t>(z));
    params.axis = test.grid.axis;
    const Tensor expected = fake_quantize(from_torch(x), params);
    const at::Tensor found = fake_quantize(x, list(test.scales), list(test.zero_points), test.grid);
    const Tensor y = from_torch(found);
    ASSERT_EQ(y.shape(), expected.shape());
    for (size_t i = 0; i < static_cast<size_t>(y.size()); ++i) {
      ASSERT_EQ(y.data<float>()[i], expected.data<float>()[i]) << i;
    }
  }
}

// The three gradients, element by element as the header defines them, summed in double.
TEST(FakeQuantize, GradientsAreThoseOfTheDefinition) {
  constexpr double kFactor = 0.25;
  for (const Case& test : cases()) {
    const at::Tensor x = spread(test.shape, 1).set_requires_grad(true);
    const at::Tensor s = list(test.scales).set_requires_grad(true);
    const at::Tensor z = list(test.zero_points).set_requires_grad(true);
    const at::Tensor dy = spread(test.shape, 2);
    fake_quantize(x, s, z, test.grid, {kFactor}).backward(dy);

    int64_t inner = 1;
    for (size_t d = test.grid.axis < 0 ? test.shape.size() : static_cast<size_t>(test.grid.axis) + 1;
         d < test.shape.size(); ++d) {
      inner *= test.shape[d];
    }
    std::vector<double> ds(test.scales.size()), dz(test.scales.size());
    for (int64_t i = 0; i < x.numel(); ++i) {
      const auto slice = test.scales.size() == 1 ? size_t{0} : static_cast<size_t>(i / inner) % test.scales.size();
      const float code = x.data_ptr<float>()[i] / test.scales[slice];
      const double rounded = std::nearbyint(code) + test.zero_points[slice];
      const double g = dy.data_ptr<float>()[i];
      const bool inside = rounded >= test.grid.low && rounded <= test.grid.high;
      EXPECT_EQ(x.grad().data_ptr<float>()[i], inside ? g : 0) << i;
      if (inside) {
        ds[slice] += g * (std::nearbyint(code) - static_cast<double>(code));
      } else {
        ds[slice] += g * ((rounded < test.grid.low ? test.grid.low : test.grid.high) - test.zero_points[slice]);
        dz[slice] -= g * static_cast<double>(test.scales[slice]);
      }
    }
    for (size_t c = 0; c < ds.size(); ++c) {
      EXPECT_NEAR(s.grad().data_ptr<float>()[c], kFactor * ds[c], 1e-3 * (1 + std::abs(ds[c])));
      EXPECT_NEAR(z.grad().data_ptr<float>()[c], kFactor * dz[c], 1e-3 * (1 + std::abs(dz[c])));
    }
  }
}

TEST(FakeQuantize, OneScaleForAllSlices) {
  const at::Tensor x = spread({2, 3, 4}, 1);
  const at::Tensor s = list({0.5f}).set_requires_grad(true), z = list({0});
  const at::Tensor whole = list({0.5f}).set_requires_grad(true);
  fake_quantize(x, s, z, {-7, 7, 1}).sum().backward();
  fake_quantize(x, whole, z, {-7, 7, -1}).sum().backward();
  EXPECT_NEAR(s.grad().item<float>(), whole.grad().item<float>(), 1e-4);
}

TEST(FakeQuantize, TheZeroPointThatCountsIsAWholeCode) {
  const at::Tensor x = list({-9, -0.2f, 0, 0.3f, 9});
  // 2.6 becomes 3: codes -3 to 12 around zero; real zero stays.
  const at::Tensor y = fake_quantize(x, list({0.5f}), list({2.6f}), {0, 15, -1});
  EXPECT_TRUE(y.equal(list({-1.5f, 0, 0, 0.5f, 6})));
  EXPECT_TRUE(fake_quantize(x, list({0.5f}), list({99}), {0, 15, -1}).equal(list({-7.5f, 0, 0, 0, 0})));
}

TEST(FakeQuantize, TheSameOnAnyNumberOfThreads) {
  const at::Tensor x = spread({2, 3, 300, 300}, 1);
  const auto gradient = [&](int threads) {
    at::set_num_threads(threads);
    const at::Tensor s = list({0.1f, 0.2f, 0.3f}).set_requires_grad(true);
    fake_quantize(x, s, list({0}), {-7, 7, 1}).pow(2).sum().backward();
    return s.grad().clone();
  };
  const at::Tensor one = gradient(1), three = gradient(3);
  at::set_num_threads(2);
  EXPECT_TRUE(one.equal(three));
}

TEST(FakeQuantize, ExtremesAndOtherLayouts) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const at::Tensor x = list({-kInf, kInf, std::nanf(""), 3e38f});
  const at::Tensor y = fake_quantize(x, list({0.5f}), list({0}), {-7, 7, -1});
  EXPECT_EQ(y.data_ptr<float>()[0], -3.5f);
  EXPECT_EQ(y.data_ptr<float>()[1], 3.5f);
  EXPECT_TRUE(std::isnan(y.data_ptr<float>()[2]));
  EXPECT_EQ(y.data_ptr<float>()[3], 3.5f);
  const at::Tensor flipped = spread({5, 4}, 1).t();
  EXPECT_TRUE(fake_quantize(flipped, list({0.5f}), list({0}), {-7, 7, -1})
                  .equal(fake_quantize(flipped.contiguous(), list({0.5f}), list({0}), {-7, 7, -1})));
  EXPECT_EQ(fake_quantize(at::empty({0, 3}), list({0.5f}), list({0}), {-7, 7, -1}).numel(), 0);
}

}  // namespace
}  // namespace halftone::train::fake_quantize_test
