#include <gtest/gtest.h>

#include "halftone/base/rng.h"
#include "halftone/runtime/session.h"
#include "halftone/sim/interpreter.h"
#include "tests/support/quantized_net.h"
#include "tests/support/relative_difference.h"

namespace halftone::convolve_test {
namespace {

struct Case {
  Shape x;
  int64_t out = 1, groups = 1;
  std::vector<int64_t> kernel, strides, dilations, pads;
};

QuantizedModel network(const Case& c, Rng& rng) {
  test::NetBuilder net;
  const ValueId x = net.input("x", c.x);
  Shape shape = {c.out, c.x[1] / c.groups};
  shape.insert(shape.end(), c.kernel.begin(), c.kernel.end());
  const ValueId weights = net.constant("w", shape, test::random_floats(rng, element_count(shape), -1, 1));
  const ValueId bias = net.constant("b", {c.out}, test::random_floats(rng, c.out, -1, 1));
  const ValueId y =
      net.node("Conv", {x, weights, bias}, "y",
               {{"group", c.groups}, {"strides", c.strides}, {"dilations", c.dilations}, {"pads", c.pads}});
  net.output(net.node("Relu", {y}, "z"));
  return std::move(net.model);
}

void expect_equal_and_fast(const Case& c, Rng& rng) {
  SCOPED_TRACE(fmt::format("{} to {} channels in {} groups, kernel {}, strides {}, dilations {}, padding {}",
                           to_string(c.x), c.out, c.groups, to_string(c.kernel), to_string(c.strides),
                           to_string(c.dilations), to_string(c.pads)));
  const QuantizedModel model = network(c, rng);
  const TensorMap inputs = {{"x", Tensor::from(c.x, test::random_floats(rng, element_count(c.x), -1, 1))}};
  const Tensor expected = sim::Interpreter(model).run(inputs).at("z");
  for (const int threads : {1, 2, 3, 5}) {
    const Session session(model, {threads, nullptr, {}});
    const Tensor actual = session.run(inputs).at("z");
    ASSERT_EQ(actual.shape(), expected.shape());
    EXPECT_LE(test::relative_difference(actual, expected), 1e-5) << threads << " threads";
    for (const NodeNote& note : session.explain({{"x", c.x}})) {
      EXPECT_EQ(note.kernel.find("ref"), std::string::npos) << note.node << " by " << note.kernel;
      EXPECT_EQ(note.fused.size(), 1U) << note.node;
    }
  }
}

// Kernels differ in what padding, dilation and numbers of channels they take. Whatever is asked for, the result is the
// interpreter's, activation included, and never computed by oneDNN's own reference, which takes hundreds of times as
// long.
TEST(Convolve, EqualsTheInterpreterAndAvoidsTheReference) {
  Rng rng(11);
  for (const int64_t dilation : {1, 2, 5, 12}) {
    for (const int64_t stride : {1, 2}) {
      for (const int64_t channels : {3, 16, 20}) {
        expect_equal_and_fast({{1, channels, 17, 13},
                               16,
                               1,
                               {3, 3},
                               {stride, stride},
                               {dilation, dilation},
                               {dilation, dilation, dilation, dilation}},
                              rng);
      }
      // Depthwise.
      expect_equal_and_fast({{1, 24, 17, 13},
                             24,
                             24,
                             {3, 3},
                             {stride, stride},
                             {dilation, dilation},
                             {dilation, dilation, dilation, dilation}},
                            rng);
    }
  }
}

TEST(Convolve, TakesUnevenPaddingLinesImagesAndGroups) {
  Rng rng(12);
  for (const int64_t images : {1, 2, 5}) {
    expect_equal_and_fast({{images, 5, 9, 31}, 7, 1, {5, 7}, {2, 3}, {1, 3}, {4, 0, 1, 11}}, rng);
    expect_equal_and_fast({{images, 32, 40}, 32, 1, {5}, {1}, {6}, {12, 12}}, rng);
    expect_equal_and_fast({{images, 40, 7, 7}, 24, 1, {1, 1}, {1, 1}, {1, 1}, {0, 0, 0, 0}}, rng);
    expect_equal_and_fast({{images, 40, 7, 7}, 24, 1, {1, 1}, {2, 2}, {1, 1}, {0, 0, 0, 0}}, rng);
    expect_equal_and_fast({{images, 40, 7, 7}, 24, 1, {1, 1}, {1, 1}, {1, 1}, {1, 1, 0, 0}}, rng);
    for (const int64_t groups : {2, 4, 12}) {
      expect_equal_and_fast({{images, 48, 14, 11}, 48, groups, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}}, rng);
      expect_equal_and_fast({{images, 48, 14, 11}, 96, groups, {3, 3}, {1, 1}, {4, 4}, {4, 4, 4, 4}}, rng);
    }
    expect_equal_and_fast({{images, 48, 14, 11}, 48, 48, {5, 5}, {2, 2}, {1, 1}, {2, 2, 2, 2}}, rng);
    expect_equal_and_fast({{images, 10, 14, 11}, 20, 10, {3, 3}, {1, 1}, {1, 1}, {1, 1, 1, 1}}, rng);
  }
}

}  // namespace
}  // namespace halftone::convolve_test
