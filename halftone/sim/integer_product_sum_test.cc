// Convolutions and matrix products in integers against loops over int64 written from the operators' definitions.
#include <gtest/gtest.h>

#include "halftone/base/thread_team.h"
#include "halftone/sim/integer_test_runs.h"

namespace halftone::sim::integer_product_sum_test {
namespace {

using test::int8_grid;
using test::NetBuilder;
using test::per_tensor;
using test::random_floats;
using test::uint8_grid;
using test::weight_grid;

struct ConvCase {
  std::string name;
  QuantParams x, y;
  int64_t ic, oc, group, height, width, kh, kw;
  std::vector<int64_t> strides, dilations, pads;
  bool per_channel, bias;
  std::string activation;
};

std::vector<ConvCase> conv_cases() {
  const QuantParams int4 = per_tensor(DType::Int4, 0.2F, -3, -8, 7), uint4 = per_tensor(DType::UInt4, 0.3F, 15, 0, 15);
  const QuantParams int16 = per_tensor(DType::Int16, 1e-3F, -32768, -32768, 32767);
  const QuantParams wide = per_tensor(DType::Int16, 2e-3F, 1000, -32768, 32767);
  return {
      {"Pointwise",
       uint8_grid(0.02F, 128),
       uint8_grid(0.05F, 100),
       5,
       7,
       1,
       3,
       5,
       1,
       1,
       {1, 1},
       {1, 1},
       {0, 0, 0, 0},
       true,
       true,
       ""},
      {"Dense3x3",
       uint8_grid(0.02F, 0),
       int8_grid(0.05F, -128),
       3,
       4,
       1,
       7,
       9,
       3,
       3,
       {1, 1},
       {1, 1},
       {1, 1, 1, 1},
       true,
       true,
       "Relu"},
      {"ZeroPoint255",
       uint8_grid(0.02F, 255),
       uint8_grid(0.04F, 3),
       3,
       4,
       1,
       6,
       5,
       3,
       3,
       {2, 2},
       {1, 1},
       {0, 1, 1, 0},
       false,
       true,
       ""},
      {"SignedExtremes",
       int8_grid(0.02F, 127),
       int8_grid(0.04F, -1),
       2,
       3,
       1,
       5,
       6,
       2,
       3,
       {1, 2},
       {2, 1},
       {2, 0, 1, 2},
       true,
       false,
       "Clip"},
      {"Depthwise",
       uint8_grid(0.02F, 17),
       uint8_grid(0.03F, 0),
       6,
       6,
       6,
       8,
       7,
       3,
       3,
       {2, 1},
       {1, 1},
       {1, 1, 1, 1},
       true,
       true,
       "Clip"},
      {"GroupsDilated",
       int8_grid(0.02F, -128),
       uint8_grid(0.03F, 128),
       4,
       6,
       2,
       9,
       9,
       3,
       3,
       {1, 1},
       {2, 3},
       {2, 3, 2, 3},
       true,
       true,
       ""},
      {"FourBits", int4, uint4, 4, 3, 1, 5, 5, 3, 3, {1, 1}, {1, 1}, {1, 1, 1, 1}, true, true, "Relu"},
      {"SixteenBits", int16, wide, 2, 2, 1, 4, 5, 2, 2, {1, 1}, {1, 1}, {0, 0, 1, 1}, true, true, ""},
      {"OneOutput",
       uint8_grid(0.02F, 9),
       int8_grid(0.5F, 0),
       3,
       1,
       1,
       4,
       4,
       4,
       4,
       {1, 1},
       {1, 1},
       {0, 0, 0, 0},
       false,
       true,
       ""},
  };
}

class IntegerConv : public testing::TestWithParam<ConvCase> {};

TEST_P(IntegerConv, EqualsNaiveSums) {
  const ConvCase& c = GetParam();
  Rng rng(11);
  NetBuilder net;
  const Shape x_shape = {2, c.ic, c.height, c.width}, w_shape = {c.oc, c.ic / c.group, c.kh, c.kw};
  std::vector<float> scales = {0.01F};
  for (int64_t i = 1; c.per_channel && i < c.oc; ++i) scales.push_back(static_cast<float>(rng.uniform(0.003, 0.02)));
  const QuantParams w_params = weight_grid(scales, c.per_channel ? 0 : -1);
  const std::vector<float> weights = random_floats(rng, element_count(w_shape), -1.3, 1.3);
  const std::vector<float> bias = random_floats(rng, c.oc, -2, 2);
  std::vector<ValueId> operands = {net.input("x", x_shape, c.x), net.constant("w", w_shape, weights, w_params)};
  if (c.bias) operands.push_back(net.constant("b", {c.oc}, bias));
  const bool absorbed = !c.activation.empty();
  const std::vector<std::pair<std::string, AttributeValue>> attributes = {
      {"strides", c.strides}, {"dilations", c.dilations}, {"pads", c.pads}, {"group", c.group}};
  ValueId out = net.node("Conv", operands, absorbed ? "sum" : "y", attributes);
  if (c.activation == "Relu") out = net.node("Relu", {out}, "y");
  if (c.activation == "Clip") {
    out = net.node("Clip", {out, net.constant("lo", {}, {-0.3F}), net.constant("hi", {}, {1.1F})}, "y");
  }
  net.encode("y", c.y);
  net.output(out);

  const Tensor x = random_on_grid(rng, x_shape, c.x);
  const Record run = record(net.model, {{"x", x}});
  EXPECT_FALSE(run.real.contains("sum")) << "an absorbed activation leaves no value behind it";
  ASSERT_EQ(run.codes.at("y").dtype(), c.y.dtype);
  const std::vector<int32_t> q = run.codes_of("x"), y = run.codes_of("y");
  const Shape y_shape = run.codes.at("y").shape();
  const std::vector<int32_t> qw = unpack_integers(quantize(Tensor::from(w_shape, weights), w_params));
  const int64_t icg = c.ic / c.group, ocg = c.oc / c.group;
  size_t at = 0;
  for (int64_t n = 0; n < 2; ++n) {
    for (int64_t oc = 0; oc < c.oc; ++oc) {
      const double s_w = scales[c.per_channel ? static_cast<size_t>(oc) : 0];
      const double s_x = c.x.scale[0];
      for (int64_t oh = 0; oh < y_shape[2]; ++oh) {
        for (int64_t ow = 0; ow < y_shape[3]; ++ow, ++at) {
          int64_t acc = c.bias ? std::llrint(bias[static_cast<size_t>(oc)] / (s_x * s_w)) : 0;
          for (int64_t ic = 0; ic < icg; ++ic) {
            for (int64_t kh = 0; kh < c.kh; ++kh) {
              for (int64_t kw = 0; kw < c.kw; ++kw) {
                const int64_t h = oh * c.strides[0] + kh * c.dilations[0] - c.pads[0];
                const int64_t w = ow * c.strides[1] + kw * c.dilations[1] - c.pads[1];
                if (h < 0 || h >= c.height || w < 0 || w >= c.width) continue;
                const int64_t channel = oc / ocg * icg + ic;
                const int64_t code = q[static_cast<size_t>(((n * c.ic + channel) * c.height + h) * c.width + w)];
                acc += (code - c.x.zero_point[0]) * qw[static_cast<size_t>(((oc * icg + ic) * c.kh + kh) * c.kw + kw)];
              }
            }
          }
          int32_t expected = reference_code(acc, s_x, s_w, c.y);
          const auto code = [&](float v) { return quantize(v, c.y.scale[0], c.y.zero_point[0], c.y.q_min, c.y.q_max); };
          if (c.activation == "Relu") expected = std::max(expected, code(0));
          if (c.activation == "Clip") expected = std::min(std::max(expected, code(-0.3F)), code(1.1F));
          ASSERT_EQ(y[at], expected) << n << " " << oc << " " << oh << " " << ow << " acc " << acc;
        }
      }
    }
  }
  ASSERT_EQ(at, y.size());
  expect_near_float(net.model, {{"x", x}});
}

INSTANTIATE_TEST_SUITE_P(Shapes, IntegerConv, testing::ValuesIn(conv_cases()),
                         [](const auto& instance) { return instance.param.name; });

TEST(IntegerConvolution, NoSumSaturatesOnTheWay) {
  // 255 exactly where the weights are positive, then where they are negative: the largest sums there are. Anything
  // that saturates pairs of products at 16 bits gives other numbers.
  constexpr int64_t kChannels = 64;
  Rng rng(5);
  std::vector<float> weights(kChannels);
  for (float& w : weights) w = rng.below(2) == 0 ? 127.0F : -127.0F;
  for (const bool positive : {true, false}) {
    NetBuilder net;
    const ValueId x = net.input("x", {1, kChannels, 1, 1}, uint8_grid(1, 0));
    net.output(net.node("Conv", {x, net.constant("w", {1, kChannels, 1, 1}, weights, weight_grid({1}, 0))}, "y"));
    std::vector<float> codes;
    double expected = 0;
    for (float w : weights) {
      codes.push_back((w > 0) == positive ? 255.0F : 0.0F);
      expected += double{codes.back()} * double{w};
    }
    const Tensor input = Tensor::from({1, kChannels, 1, 1}, codes);
    EXPECT_EQ(to_vector<double>(record(net.model, {{"x", input}}).real.at("y"))[0], expected);
  }
}

TEST(IntegerConvolution, ResultWithoutAGridIsTheSumTimesItsStep) {
  NetBuilder net;
  const ValueId x = net.input("x", {1, 1, 3}, uint8_grid(0.1F, 10));
  const ValueId w = net.constant("w", {1, 1, 2}, {0.5F, -0.25F}, weight_grid({0.25F}, 0));
  net.output(net.node("Conv", {x, w, net.constant("b", {1}, {0.06F})}, "y"));
  // Codes 10 + {3, -2, 7}; sums 2 * a - b + round(0.06 / 0.025 = 2.4).
  const Record run = record(net.model, {{"x", Tensor::from<float>({1, 1, 3}, std::vector<float>{0.3F, -0.2F, 0.7F})}});
  EXPECT_EQ(to_vector<float>(run.real.at("y")), (std::vector<float>{10 * (0.1F * 0.25F), -9 * (0.1F * 0.25F)}));
  EXPECT_FALSE(run.codes.contains("y"));
}

TEST(IntegerConvTranspose, EqualsNaiveScatter) {
  Rng rng(3);
  const QuantParams x_params = uint8_grid(0.02F, 77), y_params = int8_grid(0.06F, 5);
  const int64_t ic = 4, ocg = 3, groups = 2, h = 3, w = 4, k = 3, stride = 2, pad = 1;
  const std::vector<float> scales = {0.01F, 0.004F, 0.02F};
  const QuantParams w_params = weight_grid(scales, 1);
  const std::vector<float> weights = random_floats(rng, ic * ocg * k * k, -1, 1), bias = random_floats(rng, 6, -1, 1);
  NetBuilder net;
  const ValueId x = net.input("x", {1, ic, h, w}, x_params);
  net.output(net.node("ConvTranspose",
                      {x, net.constant("w", {ic, ocg, k, k}, weights, w_params), net.constant("b", {6}, bias)}, "y",
                      y_params,
                      {{"group", groups},
                       {"strides", std::vector<int64_t>{stride, stride}},
                       {"pads", std::vector<int64_t>{pad, pad, pad, pad}}}));
  const Tensor input = random_on_grid(rng, {1, ic, h, w}, x_params);
  const Record run = record(net.model, {{"x", input}});
  const std::vector<int32_t> q = run.codes_of("x"), y = run.codes_of("y");
  const std::vector<int32_t> qw = unpack_integers(quantize(Tensor::from({ic, ocg, k, k}, weights), w_params));
  const int64_t oh = (h - 1) * stride + k - 2 * pad, ow = (w - 1) * stride + k - 2 * pad;
  ASSERT_EQ(run.codes.at("y").shape(), (Shape{1, 6, oh, ow}));
  for (int64_t oc = 0; oc < 6; ++oc) {
    const double s_w = scales[static_cast<size_t>(oc % ocg)], s_x = x_params.scale[0];
    std::vector<int64_t> acc(static_cast<size_t>(oh * ow), std::llrint(bias[static_cast<size_t>(oc)] / (s_x * s_w)));
    for (int64_t i = 0; i < ic / groups; ++i) {
      const int64_t channel = oc / ocg * (ic / groups) + i;
      for (int64_t p = 0; p < h * w * k * k; ++p) {
        const int64_t kw = p % k, kh = p / k % k, c = p / k / k % w, r = p / k / k / w;
        const int64_t to_r = r * stride + kh - pad, to_c = c * stride + kw - pad;
        if (to_r < 0 || to_r >= oh || to_c < 0 || to_c >= ow) continue;
        acc[static_cast<size_t>(to_r * ow + to_c)] +=
            int64_t{q[static_cast<size_t>((channel * h + r) * w + c)] - 77} *
            qw[static_cast<size_t>(((channel * ocg + oc % ocg) * k + kh) * k + kw)];
      }
    }
    for (int64_t i = 0; i < oh * ow; ++i) {
      ASSERT_EQ(y[static_cast<size_t>(oc * oh * ow + i)],
                reference_code(acc[static_cast<size_t>(i)], s_x, s_w, y_params));
    }
  }
  expect_near_float(net.model, {{"x", input}});
}

TEST(IntegerGemm, EveryTransposition) {
  Rng rng(9);
  const int64_t m = 3, k = 5, n = 4;
  const QuantParams x_params = uint8_grid(0.02F, 200), y_params = int8_grid(0.07F, -9);
  for (const int64_t trans_a : {0, 1}) {
    for (const int64_t trans_b : {0, 1}) {
      for (const bool per_column : {false, true}) {
        NetBuilder net;
        const Shape a_shape = trans_a != 0 ? Shape{k, m} : Shape{m, k},
                    b_shape = trans_b != 0 ? Shape{n, k} : Shape{k, n};
        const std::vector<float> scales = per_column ? std::vector{0.01F, 0.02F, 0.005F, 0.015F} : std::vector{0.01F};
        const QuantParams w_params = weight_grid(scales, per_column ? 1 - trans_b : -1);
        const std::vector<float> weights = random_floats(rng, k * n, -2, 2), bias = random_floats(rng, n, -1, 1);
        net.output(net.node("Gemm",
                            {net.input("x", a_shape, x_params), net.constant("w", b_shape, weights, w_params),
                             net.constant("b", {n}, bias)},
                            "y", y_params, {{"transA", trans_a}, {"transB", trans_b}}));
        const Tensor input = random_on_grid(rng, a_shape, x_params);
        const Record run = record(net.model, {{"x", input}});
        const std::vector<int32_t> q = run.codes_of("x"), y = run.codes_of("y");
        const std::vector<int32_t> qw = unpack_integers(quantize(Tensor::from(b_shape, weights), w_params));
        for (int64_t i = 0; i < m * n; ++i) {
          const int64_t row = i / n, column = i % n;
          const double s_w = scales[per_column ? static_cast<size_t>(column) : 0], s_x = x_params.scale[0];
          int64_t acc = std::llrint(bias[static_cast<size_t>(column)] / (s_x * s_w));
          for (int64_t j = 0; j < k; ++j) {
            const auto a = static_cast<size_t>(trans_a != 0 ? j * m + row : row * k + j);
            const auto b = static_cast<size_t>(trans_b != 0 ? column * k + j : j * n + column);
            acc += int64_t{q[a] - 200} * qw[b];
          }
          ASSERT_EQ(y[static_cast<size_t>(i)], reference_code(acc, s_x, s_w, y_params)) << trans_a << trans_b;
        }
        expect_near_float(net.model, {{"x", input}});
      }
    }
  }
}

TEST(IntegerMatMul, TwoActivationsWithBroadcastBatches) {
  Rng rng(17);
  const QuantParams a_params = uint8_grid(0.02F, 255), b_params = int8_grid(0.03F, -128),
                    y_params = uint8_grid(0.3F, 128);
  NetBuilder net;
  const ValueId a = net.input("a", {2, 3, 4, 5}, a_params), b = net.input("b", {3, 5, 6}, b_params);
  net.output(net.node("MatMul", {a, b}, "y", y_params));
  const TensorMap inputs = {{"a", random_on_grid(rng, {2, 3, 4, 5}, a_params)},
                            {"b", random_on_grid(rng, {3, 5, 6}, b_params)}};
  const Record run = record(net.model, inputs);
  const std::vector<int32_t> qa = run.codes_of("a"), qb = run.codes_of("b"), y = run.codes_of("y");
  ASSERT_EQ(run.codes.at("y").shape(), (Shape{2, 3, 4, 6}));
  for (size_t i = 0; i < y.size(); ++i) {
    const size_t n = i % 6, m = i / 6 % 4, batch = i / 24;
    int64_t acc = 0;
    for (size_t k = 0; k < 5; ++k)
      acc += int64_t{qa[(batch * 4 + m) * 5 + k] - 255} * (qb[(batch % 3 * 5 + k) * 6 + n] + 128);
    ASSERT_EQ(y[i], reference_code(acc, a_params.scale[0], b_params.scale[0], y_params));
  }
  expect_near_float(net.model, inputs);
}

TEST(IntegerMatMul, WeightsByColumnWithARankThreeOperand) {
  Rng rng(23);
  const QuantParams x_params = int8_grid(0.02F, 11), y_params = uint8_grid(0.05F, 130);
  const std::vector<float> scales = {0.01F, 0.03F, 0.002F}, weights = random_floats(rng, 12, -0.3, 0.3);
  NetBuilder net;
  const ValueId x = net.input("x", {2, 5, 4}, x_params);
  net.output(net.node("MatMul", {x, net.constant("w", {4, 3}, weights, weight_grid(scales, 1))}, "y", y_params));
  const Record run = record(net.model, {{"x", random_on_grid(rng, {2, 5, 4}, x_params)}});
  const std::vector<int32_t> q = run.codes_of("x"), y = run.codes_of("y");
  const std::vector<int32_t> qw = unpack_integers(quantize(Tensor::from({4, 3}, weights), weight_grid(scales, 1)));
  for (size_t i = 0; i < y.size(); ++i) {
    int64_t acc = 0;
    for (size_t k = 0; k < 4; ++k) acc += int64_t{q[i / 3 * 4 + k] - 11} * qw[k * 3 + i % 3];
    ASSERT_EQ(y[i], reference_code(acc, x_params.scale[0], scales[i % 3], y_params)) << i;
  }
}

TEST(IntegerNetworks, AreWithinOneCodeOfFakeQuantizedFloatNodeByNode) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed);
    const QuantizedModel model = test::random_network(rng);
    const IntegerPlan plan = plan_integers(model);
    EXPECT_TRUE(plan.refusals.empty()) << plan.refusals.begin()->second;
    const Value& input = model.graph.value(model.graph.inputs()[0]);
    expect_near_float(model, {{"x", random_on_grid(rng, *input.type.fixed_shape(), model.encodings.at("x").params)}});
  }
}

TEST(IntegerNetworks, DoNotDependOnThreads) {
  Rng rng(99);
  const QuantizedModel model = test::random_network(rng);
  const Interpreter interpreter(model);
  const Value& input = model.graph.value(model.graph.inputs()[0]);
  const TensorMap inputs = {{"x", random_on_grid(rng, *input.type.fixed_shape(), model.encodings.at("x").params)}};
  const Tensor alone = interpreter.run(inputs).at("logits");
  std::vector<Tensor> together(8);
  ThreadTeam(4).run(8, [&](int64_t i) { together[static_cast<size_t>(i)] = interpreter.run(inputs).at("logits"); });
  for (const Tensor& logits : together) EXPECT_TRUE(logits.same_as(alone));
}

}  // namespace
}  // namespace halftone::sim::integer_product_sum_test
