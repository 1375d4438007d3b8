#include <cmath>

#include "halftone/sim/ops/test_one_op.h"

namespace halftone::sim::conv_test {
namespace {

// A convolution of two spatial dimensions with everything that can vary.
struct Case {
  int64_t batch, groups, ic, oc;  // channels per group
  Ints in, kernel, strides, dilations, pads;

  Attributes attributes() const {
    return {{"group", groups}, {"strides", strides}, {"dilations", dilations}, {"pads", pads}};
  }
};

Case random_case(Rng& rng) {
  const auto draw = [&](int64_t low, int64_t high) {
    return low + static_cast<int64_t>(rng.below(static_cast<uint64_t>(high - low + 1)));
  };
  Case c{draw(1, 2), draw(1, 3), draw(1, 3), draw(1, 3), {}, {}, {}, {}, {0, 0, 0, 0}};
  for (size_t i = 0; i < 2; ++i) {
    c.kernel.push_back(draw(1, 3));
    c.strides.push_back(draw(1, 3));
    c.dilations.push_back(draw(1, 3));
    c.pads[i] = draw(0, 3);
    c.pads[2 + i] = draw(0, 3);
    c.in.push_back(draw((c.kernel[i] - 1) * c.dilations[i] + 1, 9));
  }
  return c;
}

// Conv by its definition, one output element after the other.
std::vector<double> naive_conv(const Case& c, const Tensor& x, const Tensor& w, const Tensor& bias, Shape& shape) {
  Ints out(2);
  for (size_t i = 0; i < 2; ++i) {
    out[i] = (c.in[i] + c.pads[i] + c.pads[2 + i] - (c.kernel[i] - 1) * c.dilations[i] - 1) / c.strides[i] + 1;
  }
  shape = {c.batch, c.groups * c.oc, out[0], out[1]};
  std::vector<double> y;
  const auto xs = x.data<float>(), ws = w.data<float>(), bs = bias.data<float>();
  for (int64_t n = 0; n < c.batch; ++n) {
    for (int64_t m = 0; m < c.groups * c.oc; ++m) {
      for (int64_t oh = 0; oh < out[0]; ++oh) {
        for (int64_t ow = 0; ow < out[1]; ++ow) {
          double sum = bs[static_cast<size_t>(m)];
          for (int64_t i = 0; i < c.ic; ++i) {
            for (int64_t kh = 0; kh < c.kernel[0]; ++kh) {
              for (int64_t kw = 0; kw < c.kernel[1]; ++kw) {
                const int64_t h = oh * c.strides[0] + kh * c.dilations[0] - c.pads[0];
                const int64_t v = ow * c.strides[1] + kw * c.dilations[1] - c.pads[1];
                if (h < 0 || h >= c.in[0] || v < 0 || v >= c.in[1]) continue;
                const int64_t channel = m / c.oc * c.ic + i;
                const int64_t at = ((n * c.groups * c.ic + channel) * c.in[0] + h) * c.in[1] + v;
                const int64_t weight = ((m * c.ic + i) * c.kernel[0] + kh) * c.kernel[1] + kw;
                sum += static_cast<double>(xs[static_cast<size_t>(at)] * ws[static_cast<size_t>(weight)]);
              }
            }
          }
          y.push_back(sum);
        }
      }
    }
  }
  return y;
}

double dot(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = to_vector<double>(a), y = to_vector<double>(b);
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i) sum += x[i] * y[i];
  return sum;
}

TEST(Conv, IsItsDefinitionOnOddShapes) {
  Rng rng(1);
  for (int trial = 0; trial < 200; ++trial) {
    const Case c = random_case(rng);
    const Tensor x = random_integers(rng, {c.batch, c.groups * c.ic, c.in[0], c.in[1]});
    const Tensor w = random_integers(rng, {c.groups * c.oc, c.ic, c.kernel[0], c.kernel[1]});
    const Tensor bias = random_integers(rng, {c.groups * c.oc});
    Shape shape;
    const std::vector<double> expected = naive_conv(c, x, w, bias, shape);
    expect_equal(OneOp{"Conv", {x, w, bias}, c.attributes()}.run(), shape, expected);
  }
}

// <conv(x), y> = <x, conv_transpose(y)> for every x and y: one is the other's adjoint.
TEST(ConvTranspose, IsTheAdjointOfConv) {
  Rng rng(2);
  for (int trial = 0; trial < 200; ++trial) {
    const Case c = random_case(rng);
    const Tensor x = random_integers(rng, {c.batch, c.groups * c.ic, c.in[0], c.in[1]});
    const Tensor w = random_integers(rng, {c.groups * c.oc, c.ic, c.kernel[0], c.kernel[1]});
    const Tensor y = OneOp{"Conv", {x, w}, c.attributes()}.run();
    const Tensor z = random_integers(rng, y.shape());
    // Input elements that no window reaches at the end of an axis are output_padding of the transpose.
    Ints surplus;
    bool expressible = true;
    for (size_t i = 0; i < 2; ++i) {
      const int64_t reached = (y.dim(2 + static_cast<int64_t>(i)) - 1) * c.strides[i] +
                              (c.kernel[i] - 1) * c.dilations[i] + 1 - c.pads[i] - c.pads[2 + i];
      surplus.push_back(c.in[i] - reached);
      expressible = expressible && surplus[i] < std::max(c.strides[i], c.dilations[i]);
    }
    if (!expressible) continue;
    Attributes attributes = c.attributes();
    attributes.emplace_back("output_padding", surplus);
    const Tensor back = OneOp{"ConvTranspose", {z, w}, attributes}.run();
    ASSERT_EQ(back.shape(), x.shape());
    EXPECT_EQ(dot(y, z), dot(x, back));
  }
}

TEST(Conv, OneAndThreeDimensions) {
  const OneOp line{"Conv", {tensor({1, 1, 4}, {1, 2, 3, 4}), tensor({1, 1, 2}, {1, 10})}, {{"pads", Ints{1, 0}}}};
  expect_equal(line.run(), {1, 1, 4}, {10, 21, 32, 43});
  const OneOp cube{"Conv", {counting({1, 1, 2, 2, 3}), tensor({1, 1, 2, 2, 2}, {1, 1, 1, 1, 1, 1, 1, 1})}, {}};
  expect_equal(cube.run(), {1, 1, 1, 1, 2}, {40, 48});
}

TEST(Conv, AutoPadSplitsTheOddElement) {
  const Tensor x = tensor({1, 1, 4}, {1, 2, 3, 4}), w = tensor({1, 1, 2}, {1, 10});
  const auto padded = [&](const char* mode) { return OneOp{"Conv", {x, w}, {{"auto_pad", std::string(mode)}}}.run(); };
  expect_equal(padded("SAME_UPPER"), {1, 1, 4}, {21, 32, 43, 4});
  expect_equal(padded("SAME_LOWER"), {1, 1, 4}, {10, 21, 32, 43});
  expect_equal(padded("VALID"), {1, 1, 3}, {21, 32, 43});
}

TEST(Conv, HalvesAreSummedInFloat) {
  // 2048 + 1 + 1 is 2050 in float; summed in float16 it would stay 2048.
  const Tensor x = convert(tensor({1, 3, 1}, {2048, 1, 1}), DType::Float16);
  const Tensor w = convert(tensor({1, 3, 1}, {1, 1, 1}), DType::Float16);
  const Tensor y = OneOp{"Conv", {x, w}}.run();
  EXPECT_EQ(y.dtype(), DType::Float16);
  expect_equal(y, {1, 1, 1}, {2050});
}

TEST(Conv, RefusesContradictions) {
  const Tensor x = counting({1, 4, 5, 5}), w = counting({2, 4, 3, 3});
  EXPECT_REFUSED((OneOp{"Conv", {x, counting({2, 3, 3, 3})}}), "don't match for 1 groups");
  EXPECT_REFUSED((OneOp{"Conv", {x, w}, {{"group", int64_t{0}}}}), "groups");
  EXPECT_REFUSED((OneOp{"Conv", {x, w}, {{"strides", Ints{1}}}}), "strides requires 2 numbers, found 1");
  EXPECT_REFUSED((OneOp{"Conv", {x, w}, {{"strides", Ints{0, 1}}}}), "strides must lie in");
  EXPECT_REFUSED((OneOp{"Conv", {x, w}, {{"pads", Ints{0, -1, 0, 0}}}}), "pads must lie in");
  EXPECT_REFUSED((OneOp{"Conv", {x, w}, {{"kernel_shape", Ints{2, 2}}}}), "contradicts weights");
  EXPECT_REFUSED((OneOp{"Conv", {x, w}, {{"auto_pad", std::string("SAME")}}}), "auto_pad must be");
  EXPECT_REFUSED((OneOp{"Conv", {x, w}, {{"dilations", Ints{3, 1}}}}), "reaches over 7 elements");
  EXPECT_REFUSED((OneOp{"Conv", {x, w, counting({3})}}), "must have 2 elements");
  EXPECT_REFUSED((OneOp{"Conv", {x, convert(w, DType::Double)}}), "must be float like the first");
  EXPECT_REFUSED((OneOp{"Conv", {x, w}, {{"pads", Ints(4, int64_t{1} << 20)}}}), "elements");
  EXPECT_REFUSED((OneOp{"Conv", {x, w}, {{"pads", Ints(4, INT64_MAX)}}}), "pads must lie in");
}

TEST(ConvTranspose, GivenOutputShapes) {
  const Tensor x = tensor({1, 1, 2}, {1, 2}), w = tensor({1, 1, 3}, {1, 10, 100});
  const auto run = [&](Attributes attributes) {
    attributes.emplace_back("strides", Ints{2});
    return OneOp{"ConvTranspose", {x, w}, attributes}.run();
  };
  expect_equal(run({}), {1, 1, 5}, {1, 10, 102, 20, 200});
  expect_equal(run({{"output_padding", Ints{1}}}), {1, 1, 6}, {1, 10, 102, 20, 200, 0});
  // One element too many: SAME_UPPER takes it from the end, SAME_LOWER from the start.
  expect_equal(run({{"auto_pad", std::string("SAME_UPPER")}}), {1, 1, 4}, {1, 10, 102, 20});
  expect_equal(run({{"auto_pad", std::string("SAME_LOWER")}}), {1, 1, 4}, {10, 102, 20, 200});
  expect_equal(run({{"output_shape", Ints{3}}}), {1, 1, 3}, {10, 102, 20});
  expect_equal(run({{"output_shape", Ints{7}}}), {1, 1, 7}, {1, 10, 102, 20, 200, 0, 0});
  EXPECT_REFUSED((OneOp{"ConvTranspose", {x, w}, {{"pads", Ints{2, 2}}}}), "output extent of 0");
  EXPECT_REFUSED((OneOp{"ConvTranspose", {x, counting({2, 1, 3})}}), "don't match");
}

Tensor codes(Shape shape, std::vector<uint8_t> values) { return tensor<uint8_t>(std::move(shape), std::move(values)); }

TEST(ConvInteger, PaddingIsRealZero) {
  const OneOp op{
      "ConvInteger",
      {codes({1, 1, 3}, {7, 9, 4}), codes({2, 1, 3}, {1, 2, 3, 255, 0, 255}), codes({}, {5}), codes({2}, {0, 255})},
      {{"pads", Ints{1, 1}}}};
  // Operands are 2 4 -1 and 1 2 3 / 0 -255 0.
  const Tensor y = op.run();
  EXPECT_EQ(y.dtype(), DType::Int32);
  expect_equal(y, {1, 2, 3}, {16, 7, 2, -510, -1020, 255});
}

TEST(QLinearConv, RoundsHalfToEvenAndSaturates) {
  const auto op = [](std::vector<uint8_t> x, int32_t bias) {
    const auto count = static_cast<int64_t>(x.size());
    return OneOp{"QLinearConv",
                 {codes({1, 1, count}, x), Tensor::scalar(0.5f), codes({}, {128}), tensor<int8_t>({1, 1, 1}, {1}),
                  tensor({1}, {1}), tensor<int8_t>({1}, {0}), Tensor::scalar(1.0f), codes({}, {10}),
                  tensor<int32_t>({1}, {bias})}};
  };
  // Sums are -1 1 3 5 (-128, 127): halves of them are rounded to even and moved to zero point 10.
  expect_equal(op({127, 129, 131, 133, 0, 255}, 0).run(), {1, 1, 6}, {10, 10, 12, 12, 0, 74});
  expect_equal(op({127, 255}, 1000).run(), {1, 1, 2}, {255, 255});
  OneOp infinite = op({1}, 0);
  infinite.inputs[1] = Tensor::scalar(INFINITY);
  EXPECT_REFUSED(infinite, "scales must be positive and finite");
  OneOp mixed = op({1}, 0);
  mixed.inputs[2] = tensor<int8_t>({}, {0});
  EXPECT_REFUSED(mixed, "zero points of uint8 codes");
}

}  // namespace
}  // namespace halftone::sim::conv_test
