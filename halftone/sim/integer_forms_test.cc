// Sums, products, means, moves: hand values, and the arithmetic repeated in double from the definitions.
#include <gtest/gtest.h>

#include <algorithm>

#include "halftone/sim/integer_test_runs.h"

namespace halftone::sim::integer_forms_test {
namespace {

using test::int8_grid;
using test::NetBuilder;
using test::per_tensor;
using test::random_floats;
using test::uint8_grid;

Tensor floats(const Shape& shape, const std::vector<float>& values) { return Tensor::from(shape, values); }

int32_t clamp_code(double steps, const QuantParams& y) {
  const double code = std::nearbyint(steps) + y.zero_point[0];
  return static_cast<int32_t>(std::clamp(code, static_cast<double>(y.q_min), static_cast<double>(y.q_max)));
}

TEST(IntegerSum, BroadcastsAndRoundsEachStep) {
  Rng rng(1);
  for (const QuantParams& y_params :
       {uint8_grid(0.03F, 0), int8_grid(0.5F, -20), per_tensor(DType::Int16, 1e-3F, 5, -32768, 32767)}) {
    NetBuilder net;
    const QuantParams a_params = uint8_grid(0.02F, 255), b_params = int8_grid(0.7F, -128);
    const ValueId a = net.input("a", {2, 3, 4}, a_params), b = net.input("b", {3, 1}, b_params);
    net.output(net.node("Add", {a, b}, "y", y_params));
    const TensorMap inputs = {{"a", random_on_grid(rng, {2, 3, 4}, a_params)},
                              {"b", random_on_grid(rng, {3, 1}, b_params)}};
    const Record run = record(net.model, inputs);
    const std::vector<int32_t> qa = run.codes_of("a"), qb = run.codes_of("b"), y = run.codes_of("y");
    const auto ma = static_cast<float>(double{0.02F} / double{y_params.scale[0]});
    const auto mb = static_cast<float>(double{0.7F} / double{y_params.scale[0]});
    for (size_t i = 0; i < y.size(); ++i) {
      const float left = static_cast<float>(qa[i] - 255) * ma, right = static_cast<float>(qb[i / 4 % 3] + 128) * mb;
      const volatile float sum = left + right;
      ASSERT_EQ(y[i], clamp_code(double{sum}, y_params));
    }
    expect_near_float(net.model, inputs);
  }
}

TEST(IntegerSum, ReluAfterwardsIsABound) {
  NetBuilder net;
  const ValueId a = net.input("a", {4}, int8_grid(0.5F)), b = net.input("b", {4}, int8_grid(0.25F));
  net.output(net.node("Relu", {net.node("Add", {a, b}, "sum")}, "y", uint8_grid(0.5F, 10)));
  const Record run =
      record(net.model, {{"a", floats({4}, {1, -3, 0.5F, 60})}, {"b", floats({4}, {0.25F, 1, -0.5F, 30})}});
  // 1.25 / 0.5 = 2.5 rounds to 2; -2 is cut to 0; 90 / 0.5 + 10 = 190.
  EXPECT_EQ(run.codes_of("y"), (std::vector<int32_t>{12, 10, 10, 190}));
}

TEST(IntegerSum, ConstantsWithoutAnEncoding) {
  for (const bool first : {true, false}) {
    NetBuilder net;
    const ValueId x = net.input("x", {2, 2}, uint8_grid(0.5F, 4));
    const ValueId c = net.constant("c", {2}, {0.3F, -100});
    net.output(net.node("Add", {first ? c : x, first ? x : c}, "y", uint8_grid(0.25F, 1)));
    // x = {0, 1, 2.5, 125.5}; in quarter steps plus {1.2, -400}, plus 1.
    const Record run = record(net.model, {{"x", floats({2, 2}, {0, 1, 2.5F, 125.5F})}});
    EXPECT_EQ(run.codes_of("y"), (std::vector<int32_t>{2, 0, 12, 103}));
    expect_near_float(net.model, {{"x", floats({2, 2}, {0, 1, 2.5F, 125.5F})}});
  }
}

TEST(IntegerProduct, TwoActivationsAndConstants) {
  NetBuilder net;
  const ValueId a = net.input("a", {3}, uint8_grid(0.5F, 100)), b = net.input("b", {3}, int8_grid(0.25F));
  net.node("Mul", {a, b}, "ab", int8_grid(0.125F, 3));
  const ValueId c = net.constant("c", {}, {-0.1F});
  net.output(net.node("Mul", {c, a}, "ca", uint8_grid(0.02F, 200)));
  const TensorMap inputs = {{"a", floats({3}, {-2, 1.5F, 77.5F})}, {"b", floats({3}, {3, 0.5F, -32})}};
  const Record run = record(net.model, inputs);
  // -6 / 0.125 = -48; 0.75 / 0.125 = 6; far below the grid.
  EXPECT_EQ(run.codes_of("ab"), (std::vector<int32_t>{-45, 9, -128}));
  // -0.1 * a / 0.02 = 10, -7.5 (a tie up to the rounding of -0.1F and 0.02F), -387.5.
  EXPECT_EQ(run.codes_of("ca")[0], 210);
  EXPECT_EQ(run.codes_of("ca")[2], 0);
  expect_near_float(net.model, inputs);
}

TEST(IntegerActivation, ReluClipLeakyRelu) {
  NetBuilder net;
  const ValueId x = net.input("x", {5}, int8_grid(0.5F, -10));
  net.node("Relu", {x}, "relu", uint8_grid(1, 3));
  net.node("Clip", {x, net.constant("lo", {}, {-1}), net.constant("hi", {}, {4})}, "clip", int8_grid(0.5F, -10));
  net.output(net.node("LeakyRelu", {x}, "leaky", int8_grid(0.25F), {{"alpha", 0.25F}}));
  const TensorMap inputs = {{"x", floats({5}, {-20, -1.5F, 0, 2.5F, 30})}};
  const Record run = record(net.model, inputs);
  EXPECT_EQ(run.codes_of("relu"), (std::vector<int32_t>{3, 3, 3, 5, 33}));
  EXPECT_EQ(run.codes_of("clip"), (std::vector<int32_t>{-12, -12, -10, -5, -2}));
  // Slope 0.25 below zero: -5 / 0.25, -0.375 / 0.25 = -1.5 rounds to -2.
  EXPECT_EQ(run.codes_of("leaky"), (std::vector<int32_t>{-20, -2, 0, 10, 120}));
}

TEST(IntegerMeans, AveragePoolCountsWhatItIsTold) {
  for (const int64_t include : {0, 1}) {
    NetBuilder net;
    const ValueId x = net.input("x", {1, 1, 3}, uint8_grid(1, 5));
    net.output(net.node("AveragePool", {x}, "y", int8_grid(0.5F),
                        {{"kernel_shape", std::vector<int64_t>{2}},
                         {"pads", std::vector<int64_t>{1, 1}},
                         {"count_include_pad", include}}));
    const Record run = record(net.model, {{"x", floats({1, 1, 3}, {7, 2, -4})}});
    // Sums 7, 9, -2, -4 over 1, 2, 2, 1 elements, or over 2 each with the padding; in half steps.
    EXPECT_EQ(run.codes_of("y"),
              include != 0 ? (std::vector<int32_t>{7, 9, -2, -4}) : (std::vector<int32_t>{14, 9, -2, -8}));
  }
}

TEST(IntegerMeans, OddShapesAgainstTheFormula) {
  Rng rng(4);
  const QuantParams x_params = uint8_grid(0.02F, 200), y_params = int8_grid(0.013F, 17);
  const Shape shape = {2, 3, 5, 7};
  const Tensor x = random_on_grid(rng, shape, x_params);
  NetBuilder net;
  const ValueId in = net.input("x", shape, x_params);
  net.node("GlobalAveragePool", {in}, "global", y_params);
  net.node("ReduceMean", {in}, "mean", y_params, {{"axes", std::vector<int64_t>{-1, 1}}, {"keepdims", int64_t{0}}});
  net.output(net.node("AveragePool", {in}, "pool", y_params,
                      {{"kernel_shape", std::vector<int64_t>{3, 2}},
                       {"strides", std::vector<int64_t>{2, 3}},
                       {"pads", std::vector<int64_t>{1, 0, 1, 1}},
                       {"ceil_mode", int64_t{1}}}));
  const Record run = record(net.model, {{"x", x}});
  const std::vector<int32_t> q = run.codes_of("x"), global = run.codes_of("global"), mean = run.codes_of("mean");
  const auto code = [&](int64_t sum, int64_t count) {
    const auto multiplier = static_cast<float>(double{0.02F} / (double{0.013F} * static_cast<double>(count)));
    const volatile float steps = static_cast<float>(sum) * multiplier;
    return clamp_code(double{steps}, y_params);
  };
  EXPECT_EQ(run.codes.at("global").shape(), (Shape{2, 3, 1, 1}));
  for (size_t plane = 0; plane < 6; ++plane) {
    int64_t sum = 0;
    for (size_t i = 0; i < 35; ++i) sum += q[plane * 35 + i] - 200;
    EXPECT_EQ(global[plane], code(sum, 35));
  }
  EXPECT_EQ(run.codes.at("mean").shape(), (Shape{2, 5}));
  for (size_t n = 0; n < 2; ++n) {
    for (size_t h = 0; h < 5; ++h) {
      int64_t sum = 0;
      for (size_t c = 0; c < 3; ++c) {
        for (size_t w = 0; w < 7; ++w) sum += q[((n * 3 + c) * 5 + h) * 7 + w] - 200;
      }
      EXPECT_EQ(mean[n * 5 + h], code(sum, 21));
    }
  }
  expect_near_float(net.model, {{"x", x}});
}

TEST(IntegerMoves, SameGridKeepsTheCodes) {
  Rng rng(6);
  for (const QuantParams& grid :
       {uint8_grid(0.0173F, 91), int8_grid(3.1F, -128), per_tensor(DType::Int16, 1.7e-3F, 32767, -32768, 32767),
        per_tensor(DType::Int4, 0.3F, 2, -8, 7)}) {
    const Tensor x = random_on_grid(rng, {2, 3, 4}, grid);
    NetBuilder net;
    const ValueId in = net.input("x", {2, 3, 4}, grid);
    net.node("Reshape", {in, net.integers("shape", {4, 6})}, "reshaped", grid);
    net.node("Identity", {in}, "same", grid);
    net.output(net.node("Transpose", {in}, "turned", grid, {{"perm", std::vector<int64_t>{2, 0, 1}}}));
    const Record run = record(net.model, {{"x", x}});
    const std::vector<int32_t> q = run.codes_of("x"), turned = run.codes_of("turned");
    EXPECT_EQ(run.codes_of("reshaped"), q);
    EXPECT_EQ(run.codes_of("same"), q);
    for (size_t i = 0; i < q.size(); ++i) EXPECT_EQ(turned[i % 4 * 6 + i / 4], q[i]);
  }
}

TEST(IntegerMoves, AnotherGridIsRequantized) {
  NetBuilder net;
  const ValueId x = net.input("x", {4}, uint8_grid(0.5F, 10));
  net.output(net.node("Identity", {x}, "y", int8_grid(1, 3)));
  // 1.5, 2.5 are ties on the coarser grid.
  EXPECT_EQ(record(net.model, {{"x", floats({4}, {-5, 1.5F, 2.5F, 122.5F})}}).codes_of("y"),
            (std::vector<int32_t>{-2, 5, 5, 125}));
}

TEST(IntegerMoves, PaddingIsTheConstantOnTheGrid) {
  for (const float value : {0.0F, 2.0F, 1e9F, -INFINITY}) {
    NetBuilder net;
    const ValueId x = net.input("x", {2}, uint8_grid(0.5F, 10));
    net.output(net.node("Pad", {x, net.integers("pads", {1, 1}), net.constant("value", {}, {value})}, "y",
                        uint8_grid(0.25F, 20)));
    const int32_t pad = quantize(value, 0.25F, 20, 0, 255);
    EXPECT_EQ(record(net.model, {{"x", floats({2}, {1, -2})}}).codes_of("y"), (std::vector<int32_t>{pad, 24, 12, pad}));
  }
  NetBuilder reflect;
  const ValueId x = reflect.input("x", {3}, uint8_grid(0.5F, 10));
  reflect.output(reflect.node("Pad", {x, reflect.integers("pads", {2, 0})}, "y", uint8_grid(0.5F, 10),
                              {{"mode", std::string("reflect")}}));
  EXPECT_EQ(record(reflect.model, {{"x", floats({3}, {1, 2, 3})}}).codes_of("y"),
            (std::vector<int32_t>{16, 14, 12, 14, 16}));
}

TEST(IntegerMoves, MaxPoolsAndConcat) {
  Rng rng(8);
  const QuantParams a_params = uint8_grid(0.02F, 128), b_params = int8_grid(0.05F), y_params = uint8_grid(0.04F, 120);
  NetBuilder net;
  const ValueId a = net.input("a", {1, 2, 5, 5}, a_params), b = net.input("b", {1, 3, 3, 3}, b_params);
  const ValueId pooled = net.node("MaxPool", {a}, "pooled", a_params,
                                  {{"kernel_shape", std::vector<int64_t>{3, 3}},
                                   {"strides", std::vector<int64_t>{2, 2}},
                                   {"pads", std::vector<int64_t>{1, 1, 1, 1}}});
  const ValueId both = net.node("Concat", {pooled, b}, "both", y_params, {{"axis", int64_t{1}}});
  net.output(net.node("GlobalMaxPool", {both}, "top", y_params));
  const TensorMap inputs = {{"a", random_on_grid(rng, {1, 2, 5, 5}, a_params)},
                            {"b", random_on_grid(rng, {1, 3, 3, 3}, b_params)}};
  const Record run = record(net.model, inputs);
  const std::vector<int32_t> qa = run.codes_of("a"), pool = run.codes_of("pooled"), all = run.codes_of("both");
  for (int64_t i = 0; i < 18; ++i) {
    int32_t best = 0;
    for (int64_t h = std::max<int64_t>(i / 3 % 3 * 2 - 1, 0); h <= std::min<int64_t>(i / 3 % 3 * 2 + 1, 4); ++h) {
      for (int64_t w = std::max<int64_t>(i % 3 * 2 - 1, 0); w <= std::min<int64_t>(i % 3 * 2 + 1, 4); ++w) {
        best = std::max(best, qa[static_cast<size_t>(i / 9 * 25 + h * 5 + w)]);
      }
    }
    EXPECT_EQ(pool[static_cast<size_t>(i)], best);
    EXPECT_EQ(all[static_cast<size_t>(i)], reference_code(best - 128, double{0.02F}, 1, y_params));
  }
  const std::vector<int32_t> qb = run.codes_of("b"), top = run.codes_of("top");
  for (size_t i = 0; i < 27; ++i) EXPECT_EQ(all[18 + i], reference_code(qb[i], double{0.05F}, 1, y_params));
  for (size_t c = 0; c < 5; ++c)
    EXPECT_EQ(top[c], *std::max_element(all.begin() + static_cast<int64_t>(c) * 9,
                                        all.begin() + static_cast<int64_t>(c) * 9 + 9));
  expect_near_float(net.model, inputs);
}

TEST(IntegerMoves, NearestResizeAndSplit) {
  NetBuilder net;
  const ValueId x = net.input("x", {1, 1, 2, 2}, int8_grid(0.5F));
  const ValueId scales = net.constant("scales", {4}, {1, 1, 2, 2});
  const ValueId big =
      net.node("Resize", {x, ValueId::None, scales}, "big", int8_grid(0.5F),
               {{"coordinate_transformation_mode", std::string("asymmetric")}, {"nearest_mode", std::string("floor")}});
  net.node("Split", {big, net.integers("sizes", {1, 3})}, "left", int8_grid(0.5F), {{"axis", int64_t{3}}});
  const ValueId right = net.model.graph.add_value("right");
  net.encode("right", int8_grid(1));
  net.model.graph.nodes().back().outputs.push_back(right);
  net.output(right);
  const Record run = record(net.model, {{"x", floats({1, 1, 2, 2}, {1, 2, 3, 4})}});
  EXPECT_EQ(run.codes_of("left"), (std::vector<int32_t>{2, 2, 6, 6}));
  EXPECT_EQ(run.codes_of("right"), (std::vector<int32_t>{1, 2, 2, 1, 2, 2, 3, 4, 4, 3, 4, 4}));
  EXPECT_TRUE(plan_integers(net.model).refusals.empty());
}

TEST(IntegerInterpreter, FloatNodesReadRealValuesAndAreRounded) {
  NetBuilder net;
  const ValueId x = net.input("x", {2}, uint8_grid(0.5F, 0));
  net.output(net.node("Sigmoid", {x}, "y", uint8_grid(1.0F / 256, 0)));
  const Record run = record(net.model, {{"x", floats({2}, {0.7F, 100})}});
  EXPECT_EQ(run.codes_of("x"), (std::vector<int32_t>{1, 200}));
  // sigmoid(0.5) * 256 = 159.35; sigmoid(100) = 1 is beyond the grid.
  EXPECT_EQ(run.codes_of("y"), (std::vector<int32_t>{159, 255}));
  EXPECT_EQ(to_vector<float>(run.real.at("y")), (std::vector<float>{159.0F / 256, 255.0F / 256}));
}

}  // namespace
}  // namespace halftone::sim::integer_forms_test
