// Products on grids found at run time, against the definition in docs/quantization.md (section 8) written out in place,
// and against the standard operators that files say the same with.
#include <gtest/gtest.h>

#include <cfloat>
#include <cmath>

#include "halftone/quant/dynamic_grid.h"
#include "halftone/sim/integer_test_runs.h"

namespace halftone::sim::integer_dynamic_product_test {
namespace {

using test::NetBuilder;
using test::random_floats;
using test::weight_grid;

// The grid and the distances from zero of one stretch of numbers, by the formulas.
struct Rounded {
  float scale;
  std::vector<int64_t> steps;
};
Rounded rounded(const std::vector<float>& x) {
  float low = 0, high = 0;
  for (float v : x) {
    low = std::min(low, v);
    high = std::max(high, v);
  }
  Rounded result{low == high ? 1.0F : std::max((high - low) / 255.0F, FLT_MIN), {}};
  const double zero = std::min(std::max(std::nearbyint(double{-low / result.scale}), 0.0), 255.0);
  for (float v : x) {
    const double q = std::min(std::max(std::nearbyint(double{v / result.scale}) + zero, 0.0), 255.0);
    result.steps.push_back(static_cast<int64_t>(q - zero));
  }
  return result;
}

std::vector<float> part(const std::vector<float>& x, size_t begin, size_t count) {
  return {x.begin() + static_cast<ptrdiff_t>(begin), x.begin() + static_cast<ptrdiff_t>(begin + count)};
}

// x [rows, k] times weight codes [k, n].
std::vector<float> expected_product(const std::vector<float>& x, size_t k, const std::vector<int32_t>& w,
                                    const std::vector<float>& s_w, const std::vector<float>& bias, bool by_row) {
  const size_t n = w.size() / k;
  std::vector<float> y;
  const Rounded whole = rounded(x);
  for (size_t begin = 0; begin < x.size(); begin += k) {
    const Rounded row = by_row ? rounded(part(x, begin, k)) : whole;
    for (size_t c = 0; c < n; ++c) {
      int64_t acc = 0;
      for (size_t i = 0; i < k; ++i) acc += row.steps[by_row ? i : begin + i] * w[i * n + c];
      const float step = row.scale * s_w[s_w.size() == 1 ? 0 : c];
      float real = static_cast<float>(acc) * step;
      if (!bias.empty()) real = real + bias[c];
      y.push_back(real);
    }
  }
  return y;
}

std::vector<int32_t> random_codes(Rng& rng, size_t count) {
  std::vector<int32_t> codes(count);
  for (int32_t& q : codes) q = static_cast<int32_t>(rng.below(255)) - 127;
  return codes;
}

std::vector<float> reals(const std::vector<int32_t>& codes, const std::vector<float>& scales) {
  std::vector<float> real;
  for (size_t i = 0; i < codes.size(); ++i) real.push_back(dequantize(codes[i], scales[i % scales.size()], 0));
  return real;
}

std::vector<float> run(const NetBuilder& net, const TensorMap& inputs) {
  const IntegerPlan plan = plan_integers(net.model);
  EXPECT_TRUE(plan.refusals.empty()) << plan.refusals.begin()->second;
  EXPECT_EQ(plan.nodes.back()->form, IntegerForm::DynamicProduct);
  return to_vector<float>(Interpreter(net.model).run(inputs).at("y"));
}

TEST(DynamicProduct, MatMulAndGemmWithWeights) {
  Rng rng(1);
  for (const bool by_row : {false, true}) {
    for (const bool gemm : {false, true}) {
      for (const size_t k : {1, 7, 33}) {
        const size_t n = 5, rows = 6;
        std::vector<float> x = random_floats(rng, static_cast<int64_t>(rows * k), -3, 5);
        // A row of zeros, one above and one below zero, one that is very small.
        for (size_t i = 0; i < k; ++i) {
          x[i] = 0;
          x[k + i] = std::abs(x[k + i]) + 1;
          x[2 * k + i] = -std::abs(x[2 * k + i]) - 1;
          x[3 * k + i] *= 1e-30F;
        }
        const std::vector<int32_t> w = random_codes(rng, k * n);
        const std::vector<float> scales = {0.01F, 0.02F, 0.003F, 0.5F, 1e-5F};
        const std::vector<float> bias = gemm ? std::vector<float>{1, -2, 0.1F, 0, 3} : std::vector<float>{};
        NetBuilder net;
        const Shape shape = gemm ? Shape{6, static_cast<int64_t>(k)} : Shape{2, 3, static_cast<int64_t>(k)};
        std::vector<ValueId> operands = {net.input("x", shape), net.constant("w", {static_cast<int64_t>(k), 5},
                                                                             reals(w, scales), weight_grid(scales, 1))};
        if (gemm) operands.push_back(net.constant("b", {5}, bias));
        net.output(net.node(gemm ? "Gemm" : "MatMul", operands, "y"));
        net.model.dynamic["y"] = by_row ? DynamicRange::PerRow : DynamicRange::PerTensor;
        EXPECT_EQ(run(net, {{"x", Tensor::from(shape, x)}}), expected_product(x, k, w, scales, bias, by_row))
            << k << by_row << gemm;
      }
    }
  }
}

TEST(DynamicProduct, TransposedWeights) {
  Rng rng(2);
  const std::vector<int32_t> w = random_codes(rng, 12);  // [k=4, n=3]
  const std::vector<float> scales = {0.01F, 0.02F, 0.03F}, x = random_floats(rng, 8, -1, 2);
  std::vector<float> transposed;
  for (size_t c = 0; c < 3; ++c) {
    for (size_t i = 0; i < 4; ++i) transposed.push_back(dequantize(w[i * 3 + c], scales[c], 0));
  }
  NetBuilder net;
  net.output(net.node("Gemm", {net.input("x", {2, 4}), net.constant("w", {3, 4}, transposed, weight_grid(scales, 0))},
                      "y", {{"transB", int64_t{1}}}));
  net.model.dynamic["y"] = DynamicRange::PerRow;
  EXPECT_EQ(run(net, {{"x", Tensor::from({2, 4}, x)}}), expected_product(x, 4, w, scales, {}, true));
}

TEST(DynamicProduct, TwoActivationsThatBroadcast) {
  Rng rng(3);
  // a [2, 3, 4] by row times b [4, 5], which has one grid; and the same b for both batches.
  const std::vector<float> a = random_floats(rng, 24, -1, 3), b = random_floats(rng, 20, -2, 0.5);
  const Rounded right = rounded(b);
  const std::vector<int32_t> codes(right.steps.begin(), right.steps.end());
  NetBuilder net;
  net.output(net.node("MatMul", {net.input("a", {2, 3, 4}), net.input("b", {4, 5})}, "y"));
  net.model.dynamic["y"] = DynamicRange::PerRow;
  EXPECT_EQ(run(net, {{"a", Tensor::from({2, 3, 4}, a)}, {"b", Tensor::from({4, 5}, b)}}),
            expected_product(a, 4, codes, {right.scale}, {}, true));
}

TEST(DynamicProduct, SameAsTheStandardOperators) {
  Rng rng(4);
  const std::vector<float> x = random_floats(rng, 2 * 3 * 5 * 5, -2, 3);
  const std::vector<int32_t> w = random_codes(rng, 4 * 3 * 3 * 3);
  const std::vector<float> scales = {0.01F, 0.02F, 0.003F, 0.5F};
  std::vector<float> weights;
  for (size_t i = 0; i < w.size(); ++i) weights.push_back(dequantize(w[i], scales[i / 27], 0));
  const std::pair<std::string, AttributeValue> pads = {"pads", std::vector<int64_t>{1, 0, 1, 2}};
  NetBuilder net;
  net.output(net.node("Conv",
                      {net.input("x", {2, 3, 5, 5}), net.constant("w", {4, 3, 3, 3}, weights, weight_grid(scales, 0)),
                       net.constant("b", {4}, {0.5F, -1, 0, 2})},
                      "y", {pads}));
  net.model.dynamic["y"] = DynamicRange::PerTensor;

  NetBuilder file;
  const ValueId in = file.input("x", {2, 3, 5, 5});
  const ValueId codes = file.node("DynamicQuantizeLinear", {in}, "codes");
  Graph& graph = file.model.graph;
  const ValueId scale = graph.add_value("scale"), zero = graph.add_value("zero");
  graph.nodes().back().outputs = {codes, scale, zero};
  const ValueId acc =
      file.node("ConvInteger", {codes, graph.add_constant("w", pack_integers(DType::Int8, {4, 3, 3, 3}, w)), zero},
                "acc", {pads});
  const ValueId real = file.node("Cast", {acc}, "real", {{"to", int64_t{1}}});
  const ValueId step = file.node("Mul", {scale, file.constant("s_w", {4, 1, 1}, scales)}, "step");
  file.output(file.node(
      "Add", {file.node("Mul", {real, step}, "product"), file.constant("b", {1, 4, 1, 1}, {0.5F, -1, 0, 2})}, "y"));
  const TensorMap inputs = {{"x", Tensor::from({2, 3, 5, 5}, x)}};
  EXPECT_EQ(run(net, inputs), to_vector<float>(Interpreter(graph).run(inputs).at("y")));
}

TEST(DynamicProduct, OtherReadersSeeTheActivationUnrounded) {
  NetBuilder net;
  const ValueId x = net.input("x", {1, 2});
  const ValueId y = net.node("MatMul", {x, net.constant("w", {2, 2}, {1, 0, 0, 1}, weight_grid({1}, -1))}, "y");
  net.output(y);
  net.output(net.node("Neg", {x}, "z"));
  net.model.dynamic["y"] = DynamicRange::PerTensor;
  const TensorMap results = Interpreter(net.model).run({{"x", Tensor::from<float>({1, 2}, std::vector{0.3F, 10.0F})}});
  EXPECT_EQ(to_vector<float>(results.at("z")), (std::vector{-0.3F, -10.0F}));
  EXPECT_NE(to_vector<float>(results.at("y"))[0], 0.3F);
}

TEST(DynamicProduct, NanHasTheCodeOfZeroAndInfinityIsRefused) {
  NetBuilder net;
  const ValueId x = net.input("x", {1, 2});
  net.output(net.node("MatMul", {x, net.constant("w", {2, 2}, {1, 0, 0, 1}, weight_grid({1}, -1))}, "y"));
  net.model.dynamic["y"] = DynamicRange::PerTensor;
  const auto run_on = [&](float a, float b) {
    return to_vector<float>(
        Interpreter(net.model).run({{"x", Tensor::from<float>({1, 2}, std::vector{a, b})}}).at("y"));
  };
  EXPECT_EQ(run_on(NAN, 255), (std::vector{0.0F, 255.0F}));
  EXPECT_EQ(run_on(0, 0), (std::vector{0.0F, 0.0F}));
  for (float b : {INFINITY, -INFINITY, -3e38F}) {
    try {
      run_on(3e38F, b);
      ADD_FAILURE() << b << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::NumericRange);
      EXPECT_EQ(error.where(), "MatMul 'y_node'");
    }
  }
}

TEST(DynamicProduct, WhatIsRefusedIsComputedInFloat) {
  const auto refusal = [](const std::string& op, const Shape& x, const Shape& w, DynamicRange range,
                          const std::vector<std::pair<std::string, AttributeValue>>& attributes = {}) {
    NetBuilder net;
    const auto count = static_cast<size_t>(element_count(w));
    net.output(net.node(op,
                        {net.input("x", x), net.constant("w", w, std::vector<float>(count, 127), weight_grid({1}, -1))},
                        "y", attributes));
    net.model.dynamic["y"] = range;
    const IntegerPlan plan = plan_integers(net.model);
    return plan.refusals.empty() ? "" : plan.refusals.begin()->second;
  };
  const auto per_row = DynamicRange::PerRow;
  EXPECT_EQ(refusal("MatMul", {1, 66311}, {66311, 1}, per_row), "");
  EXPECT_NE(refusal("MatMul", {1, 66312}, {66312, 1}, per_row).find("beyond 32 bits"), std::string::npos);
  EXPECT_NE(refusal("Conv", {1, 1, 2, 2}, {1, 1, 1, 1}, per_row).find("no rows"), std::string::npos);
  EXPECT_NE(refusal("Gemm", {2, 2}, {2, 2}, per_row, {{"transA", int64_t{1}}}).find("transposed"), std::string::npos);
  EXPECT_NE(refusal("Gemm", {2, 2}, {2, 2}, per_row, {{"alpha", 2.0F}}).find("alpha"), std::string::npos);
  EXPECT_NE(refusal("Add", {2, 2}, {2, 2}, per_row).find("only Conv, Gemm and MatMul"), std::string::npos);
}

}  // namespace
}  // namespace halftone::sim::integer_dynamic_product_test
