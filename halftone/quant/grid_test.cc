// What holds for every line of grids.def, whatever the widths and the granularity.
#include "halftone/quant/grid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "halftone/base/error.h"
#include "halftone/base/rng.h"
#include "halftone/quant/weight_grid.h"
#include "halftone/tensor/packing.h"

namespace halftone::grid_test {
namespace {

struct Case {
  QuantSpec spec;
  int64_t axis;
};

std::string name_of(const Case& c) {
  return fmt::format("{} {}{}{} granularity {} axis {}", c.spec.grid, type_name(c.spec),
                     c.spec.symmetric ? " symmetric" : "", c.spec.narrow_range ? " narrow" : "",
                     static_cast<int>(c.spec.granularity), c.axis);
}

// Every width of every grid, with and without symmetry and narrow range, on scales by tensor, channel, group and block.
std::vector<Case> cases() {
  std::vector<Case> cases;
  for (const GridInfo& grid : all_grids()) {
    for (int bits = grid.least_bits; bits <= grid.most_bits; ++bits) {
      for (int flags = 0; flags < 8; ++flags) {
        QuantSpec spec;
        spec.grid = grid.name;
        spec.bits = bits;
        spec.is_signed = (flags & 1) != 0;
        spec.symmetric = (flags & 2) != 0;
        spec.narrow_range = (flags & 4) != 0;
        if (grid.weights_only && flags != 3) continue;
        if (bits == 1 && spec.symmetric && !grid.weights_only) continue;
        spec.group_size = 2;
        spec.block_size = 3;
        const std::pair<Granularity, int64_t> places[] = {{Granularity::PerTensor, -1},
                                                          {Granularity::PerChannel, 0},
                                                          {Granularity::PerChannel, 1},
                                                          {Granularity::PerGroup, 0},
                                                          {Granularity::PerBlock, 1}};
        for (const auto& [granularity, axis] : places) {
          if (granularity == Granularity::PerBlock && grid.weights_only) continue;
          spec.granularity = granularity;
          cases.push_back({spec, axis});
        }
      }
    }
  }
  return cases;
}

// [5, 7, 3] weights whose channels differ in scale, the last of which are zero; with an outlier, ties and zeros.
Tensor weights_for(uint64_t seed) {
  Rng rng(seed);
  std::vector<float> values;
  for (int i = 0; i < 5 * 7 * 3; ++i) {
    const auto channel = static_cast<float>(i / 21 + 1);
    values.push_back(i >= 4 * 21 ? 0 : 0.1F * channel * static_cast<float>(rng.normal()));
  }
  values[3] = 0;
  values[4] = values[5];
  values[30] = 5;
  return Tensor::from<float>({5, 7, 3}, values);
}

QuantParams params_of(const Case& c, const Tensor& weights) {
  WeightGrid grid = grid_of_weights(c.spec, c.axis, weights);
  finish(grid);
  return grid.params;
}

// The numbers of the grid, straight from the definition.
size_t count_of(const QuantParams& params) { return static_cast<size_t>(params.q_max - params.q_min + 1); }

// The k-th of the numbers that code elements of scale `index`, which ascend.
float number_of(const QuantParams& params, size_t index, size_t k) {
  if (params.levels.empty()) {
    const int64_t steps = params.q_min + static_cast<int64_t>(k) - params.zero_point[index];
    return params.scale[index] * static_cast<float>(steps);
  }
  const size_t first = params.levels.size() == count_of(params) ? 0 : index * count_of(params);
  return params.scale[index] * params.levels[first + k];
}

// How many of them are below x.
size_t count_below(const QuantParams& params, size_t index, float x) {
  size_t first = 0, last = count_of(params);
  while (first < last) {
    const size_t middle = (first + last) / 2;
    if (number_of(params, index, middle) < x) {
      first = middle + 1;
    } else {
      last = middle;
    }
  }
  return first;
}

size_t scale_of(const QuantParams& params, const Shape& shape, size_t flat) {
  if (params.axis < 0) return 0;
  const auto strides = contiguous_strides(shape);
  const auto axis = static_cast<size_t>(params.axis);
  const auto at = static_cast<int64_t>(flat);
  const int64_t along = at / strides[axis] % shape[axis];
  if (params.block_size == 0) return static_cast<size_t>(along);
  const int64_t blocks = (shape[axis] + params.block_size - 1) / params.block_size;
  const int64_t outer = at / (strides[axis] * shape[axis]), inner = at % strides[axis];
  return static_cast<size_t>((outer * blocks + along / params.block_size) * strides[axis] + inner);
}

TEST(Grids, EveryElementBecomesANearestNumberOfItsGrid) {
  const Tensor weights = weights_for(1);
  for (const Case& c : cases()) {
    const QuantParams params = params_of(c, weights);
    check_params(params, weights.shape(), name_of(c));
    const std::span<const float> x = weights.data<float>();
    const Tensor rounded = fake_quantize(weights, params);
    for (size_t i = 0; i < x.size(); ++i) {
      const size_t index = scale_of(params, weights.shape(), i);
      const auto distance_to = [&](size_t k) { return std::abs(double{x[i]} - number_of(params, index, k)); };
      const size_t above = count_below(params, index, x[i]);
      double least = std::numeric_limits<double>::infinity();
      if (above < count_of(params)) least = distance_to(above);
      if (above > 0) least = std::min(least, distance_to(above - 1));
      const float y = rounded.data<float>()[i];
      const size_t code = count_below(params, index, y);
      ASSERT_TRUE(code < count_of(params) && number_of(params, index, code) == y)
          << name_of(c) << ": " << x[i] << " -> " << y;
      // The affine quotient is rounded to float32 before the code is, which may move a tie.
      const double slack = params.levels.empty() ? 1e-6 * std::abs(double{x[i]}) : 0;
      ASSERT_LE(std::abs(double{x[i]} - y), least + slack) << name_of(c) << ": " << x[i] << " -> " << y;
    }
  }
}

TEST(Grids, CodesStandForTheRoundedNumbersAndRoundingTwiceIsRoundingOnce) {
  const Tensor weights = weights_for(2);
  for (const Case& c : cases()) {
    const QuantParams params = params_of(c, weights);
    const Tensor rounded = fake_quantize(weights, params);
    const Tensor codes = quantize(weights, params);
    EXPECT_EQ(codes.dtype(), params.dtype);
    ASSERT_TRUE(dequantize(codes, params).same_as(rounded)) << name_of(c);
    ASSERT_TRUE(fake_quantize(rounded, params).same_as(rounded)) << name_of(c);
    ASSERT_TRUE(quantize(rounded, params).same_as(codes)) << name_of(c);
    for (int32_t code : unpack_integers(codes)) {
      ASSERT_GE(code, params.q_min) << name_of(c);
      ASSERT_LE(code, params.q_max) << name_of(c);
    }
  }
}

TEST(Grids, ZeroIsExactInAllButTheBinaryOne) {
  const Tensor weights = weights_for(3);
  const Tensor zeros(DType::Float, weights.shape());
  for (const Case& c : cases()) {
    const Tensor rounded = fake_quantize(zeros, params_of(c, weights));
    for (float y : rounded.data<float>()) {
      if (c.spec.grid == "binary") {
        ASSERT_GT(y, 0) << "0 has the sign +";
      } else {
        ASSERT_EQ(y, 0) << name_of(c);
      }
    }
  }
}

TEST(Grids, RoundingIsMonotone) {
  const Tensor weights = weights_for(4);
  for (const Case& c : cases()) {
    if (c.axis >= 0) continue;
    const QuantParams params = params_of(c, weights);
    float before = -std::numeric_limits<float>::infinity();
    std::vector<float> ramp;
    for (int i = -600; i <= 600; ++i) ramp.push_back(static_cast<float>(i) * 0.01F);
    const Tensor rounded = fake_quantize(Tensor::from<float>({1201}, ramp), params);
    for (float y : rounded.data<float>()) {
      ASSERT_LE(before, y) << name_of(c);
      before = y;
    }
  }
}

TEST(Grids, GroupsAreEqualScalesAndTheLastMayBeSmaller) {
  QuantSpec spec;
  spec.is_signed = spec.symmetric = spec.narrow_range = true;
  spec.granularity = Granularity::PerGroup;
  spec.group_size = 2;
  const Tensor weights = weights_for(5);
  const QuantParams params = params_of({spec, 0}, weights);
  ASSERT_EQ(params.scale.size(), 5U);
  EXPECT_EQ(params.scale[0], params.scale[1]);
  EXPECT_EQ(params.scale[2], params.scale[3]);
  EXPECT_EQ(params.scale[0], 5.0F / 127) << "the largest weight of both channels";
  EXPECT_EQ(params.scale[4], params.scale[0]) << "weights that are all zero take the largest scale";
  spec.group_size = std::numeric_limits<int64_t>::max();
  const QuantParams one = params_of({spec, 0}, weights);
  EXPECT_EQ(one.scale, std::vector<float>(5, 5.0F / 127));
}

TEST(Grids, BlocksHaveTheScaleOfTheirOwnNumbers) {
  QuantSpec spec = parse_quant_type("int8");
  spec.symmetric = spec.narrow_range = true;
  spec.granularity = Granularity::PerBlock;
  spec.block_size = 2;
  const Tensor weights = Tensor::from<float>({2, 3}, std::vector<float>{1, -2, 3, 4, 5, -6});
  const QuantParams params = params_of({spec, 1}, weights);
  EXPECT_EQ(params.scale, (std::vector<float>{2.0F / 127, 3.0F / 127, 5.0F / 127, 6.0F / 127}));
  const QuantParams columns = params_of({spec, 0}, weights);
  EXPECT_EQ(columns.scale, (std::vector<float>{4.0F / 127, 5.0F / 127, 6.0F / 127}));
}

TEST(PowerOfTwoScale, CoversARangeAndTakesTheBetterNeighbourForNumbers) {
  QuantSpec spec = parse_quant_type("int8");
  spec.symmetric = spec.narrow_range = true;
  spec.grid = "power_of_two_scale";
  EXPECT_EQ(choose_params(spec, {-1}, {1}).scale[0], 0.015625F) << "1 / 127 is above 2^-7";
  EXPECT_EQ(choose_params(spec, {0}, {127.0F / 128}).scale[0], 0.0078125F);
  EXPECT_EQ(choose_params(spec, {0}, {1.5F}).scale[0], 0.015625F);
  // All numbers but one are multiples of 2^-7; clipping the other costs little.
  std::vector<float> values(100, 3 * 0.0078125F);
  values.push_back(1);
  const Slice slice{{0, 1}, values};
  EXPECT_EQ(lay_grid(spec, std::span(&slice, 1), -1).scale[0], 0.0078125F);
}

TEST(PowersOfTwo, HandValues) {
  QuantSpec spec = parse_quant_type("int4");
  spec.grid = "powers_of_two";
  const QuantParams params = choose_params(spec, {-1}, {4});
  EXPECT_EQ(params.levels, (std::vector<float>{-1, -0.5, -0.25, -0.125, -0.0625, -0.03125, -0.015625, 0, 0.015625,
                                               0.03125, 0.0625, 0.125, 0.25, 0.5, 1}));
  EXPECT_EQ(params.scale[0], 4);
  EXPECT_EQ(params.dtype, DType::UInt4);
  EXPECT_EQ(params.q_max, 14);
  const Tensor x = Tensor::from<float>({6}, std::vector<float>{3, 3.1F, -3, -3.1F, 0.03125F, NAN});
  // Halfway to the number nearer to zero.
  const std::vector<float> expected = {2, 4, -2, -4, 0, 0};
  EXPECT_TRUE(fake_quantize(x, params).same_as(Tensor::from<float>({6}, expected)));
}

TEST(SumsOfPowersOfTwo, TheLevelsOfThePaper) {
  // Li et al. 2020, figure 2: 4 bits unsigned are {0, 1, 2^-2, 2^-4} + {0, 2^-1, 2^-3, 2^-5}, over 1.5.
  QuantSpec spec = parse_quant_type("int5");
  spec.grid = "sums_of_powers_of_two";
  const QuantParams params = choose_params(spec, {0}, {1});
  std::vector<double> sums;
  for (double a : {0.0, 1.0, 0.25, 0.0625}) {
    for (double b : {0.0, 0.5, 0.125, 0.03125}) sums.push_back((a + b) / 1.5);
  }
  std::sort(sums.begin(), sums.end());
  ASSERT_EQ(params.levels.size(), 31U);
  for (size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(params.levels[15 + i], static_cast<float>(sums[i]));
    EXPECT_EQ(params.levels[15 - i], -static_cast<float>(sums[i]));
  }
  spec.bits = 2;
  EXPECT_EQ(choose_params(spec, {0}, {1}).levels, (std::vector<float>{-1, 0, 1}));
}

TEST(LevelScales, AreTheBestOfTheStepsTried) {
  QuantSpec spec = parse_quant_type("int3");
  spec.grid = "powers_of_two";
  // An outlier and many numbers that sit on the grid of scale 1.
  std::vector<float> values;
  for (int i = 0; i < 300; ++i) values.push_back(i % 3 == 0 ? 1.0F : i % 3 == 1 ? -0.5F : 0.25F);
  values.push_back(2);
  const Slice slice{{-0.5F, 2}, values};
  EXPECT_EQ(lay_grid(spec, std::span(&slice, 1), -1).scale[0], 1);
}

TEST(Binary, TheScaleIsTheMeanMagnitude) {
  QuantSpec spec = parse_quant_type("int1");
  spec.grid = "binary";
  spec.granularity = Granularity::PerChannel;
  const Tensor weights = Tensor::from<float>({2, 4}, std::vector<float>{1, -2, 3, 0, -0.5F, 0.25F, 0, -0.25F});
  const QuantParams params = params_of({spec, 0}, weights);
  EXPECT_EQ(params.scale, (std::vector<float>{1.5F, 0.25F}));
  const std::vector<float> expected = {1.5F, -1.5F, 1.5F, 1.5F, -0.25F, 0.25F, 0.25F, -0.25F};
  EXPECT_TRUE(fake_quantize(weights, params).same_as(Tensor::from<float>({2, 4}, expected)));
}

TEST(CheckSpec, WhatCanNotBeIsRefusedByName) {
  const auto refusal = [](auto change) {
    QuantSpec spec;
    change(spec);
    try {
      check_spec(spec);
      return std::string();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::InvalidArgument);
      return std::string(e.what());
    }
  };
  const auto expect = [&](const std::string& words, auto change) {
    EXPECT_NE(refusal(change).find(words), std::string::npos) << refusal(change) << " / " << words;
  };
  EXPECT_EQ(refusal([](QuantSpec&) {}), "");
  expect("1 to 16 bits, found 0", [](QuantSpec& s) { s.bits = 0; });
  expect("1 to 16 bits, found 17", [](QuantSpec& s) { s.bits = 17; });
  expect("1 to 1 bits, found 8", [](QuantSpec& s) { s.grid = "binary"; });
  expect("did you mean 'codebook'", [](QuantSpec& s) { s.grid = "codebok"; });
  expect("2 to 8 bits, found 1", [](QuantSpec& s) { s.bits = 1, s.grid = "codebook"; });
  expect("symmetric", [](QuantSpec& s) { s.bits = 1, s.symmetric = true; });
  expect("found 0", [](QuantSpec& s) { s.granularity = Granularity::PerBlock; });
  expect("found -4", [](QuantSpec& s) { s.granularity = Granularity::PerGroup, s.group_size = -4; });
  expect("per_block don't go together",
         [](QuantSpec& s) { s.grid = "codebook", s.granularity = Granularity::PerBlock, s.block_size = 32; });
  expect("rounding binary and the grid affine", [](QuantSpec& s) { s.rounding = "binary"; });
  expect("did you mean 'stochastic'", [](QuantSpec& s) { s.rounding = "stochastik:3"; });
}

TEST(ChannelBits, EveryChannelUsesItsOwnWidth) {
  QuantParams params{DType::Int8, -127, 127, {1, 1, 1, 1, 0.5F}, {0, 0, 0, 0, 0}, 0};
  params.channel_bits = {0, 1, 2, 4, 8};
  check_params(params, {5, 4}, "w");
  std::vector<float> values;
  for (int c = 0; c < 5; ++c) values.insert(values.end(), {-100, -1.4F, 0.6F, 100});
  const Tensor x = Tensor::from<float>({5, 4}, values);
  const std::vector<int8_t> expected = {0, 0, 0, 0, 0, 0, 0, 0, -1, -1, 1, 1, -7, -1, 1, 7, -127, -3, 1, 127};
  EXPECT_TRUE(quantize(x, params).same_as(Tensor::from<int8_t>({5, 4}, expected)));
  EXPECT_TRUE(dequantize(quantize(x, params), params).same_as(fake_quantize(x, params)));
  QuantParams bytes{DType::UInt8, 0, 255, {1, 1}, {0, 0}, 0};
  bytes.channel_bits = {3, 8};
  const Tensor y = Tensor::from<float>({2, 2}, std::vector<float>{-3, 99, 99, 300});
  EXPECT_TRUE(quantize(y, bytes).same_as(Tensor::from<uint8_t>({2, 2}, std::vector<uint8_t>{0, 7, 99, 255})));
}

TEST(CheckParams, RefusesLevelsAndWidthsThatAFileMayGetWrong) {
  QuantParams levels{DType::UInt4, 0, 2, {1, 2}, {0, 0}, 0};
  levels.levels = {-1, 0, 1};
  QuantParams widths{DType::Int8, -127, 127, {1, 2}, {0, 0}, 0};
  widths.channel_bits = {3, 8};
  const auto refuses = [](QuantParams bad, auto change) {
    change(bad);
    try {
      check_params(bad, {2, 3}, "w");
      return false;
    } catch (const Error& e) {
      return e.code() == ErrorCode::InvalidModel && std::string(e.what()).starts_with("w: ");
    }
  };
  EXPECT_FALSE(refuses(levels, [](QuantParams&) {}));
  EXPECT_FALSE(refuses(levels, [](QuantParams& p) { p.levels = {-1, 0, 1, 0, 0, 3}; })) << "a list per channel";
  EXPECT_TRUE(refuses(levels, [](QuantParams& p) { p.levels[1] = NAN; }));
  EXPECT_TRUE(refuses(levels, [](QuantParams& p) { p.levels[2] = INFINITY; }));
  EXPECT_TRUE(refuses(levels, [](QuantParams& p) { std::swap(p.levels[0], p.levels[2]); }));
  EXPECT_TRUE(refuses(levels, [](QuantParams& p) { p.levels.pop_back(); }));
  EXPECT_TRUE(refuses(levels, [](QuantParams& p) { p.zero_point[1] = 1; }));
  EXPECT_TRUE(refuses(levels, [](QuantParams& p) { p.q_max = 15; }));
  EXPECT_TRUE(refuses(levels, [](QuantParams& p) { p.dtype = DType::Int4; }));
  EXPECT_TRUE(refuses(levels, [](QuantParams& p) { p.channel_bits = {1, 1}; }));
  EXPECT_FALSE(refuses(widths, [](QuantParams&) {}));
  EXPECT_TRUE(refuses(widths, [](QuantParams& p) { p.channel_bits[0] = 9; }));
  EXPECT_TRUE(refuses(widths, [](QuantParams& p) { p.channel_bits[0] = -1; }));
  EXPECT_TRUE(refuses(widths, [](QuantParams& p) { p.channel_bits.pop_back(); }));
  EXPECT_TRUE(refuses(widths, [](QuantParams& p) { p.zero_point[0] = 4; }));
  QuantParams codes = levels;
  codes.levels = {-1, 0, 1};
  const Tensor three = pack_integers(DType::UInt4, {2, 3}, std::vector<int32_t>{0, 1, 2, 3, 0, 0});
  EXPECT_THROW(dequantize(three, codes), Error) << "a code without a level";
}

}  // namespace
}  // namespace halftone::grid_test
