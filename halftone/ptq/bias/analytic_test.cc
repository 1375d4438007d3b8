// The definition, on layers whose inputs' moments are known.
#include <gtest/gtest.h>

#include <cmath>

#include "halftone/ptq/bias/correct.h"
#include "halftone/ptq/test_bench.h"

namespace halftone::ptq::analytic_test {
namespace {

using test::Bench;
using test::Net;
using test::random_samples;
using test::random_tensor;

std::vector<float> bias_of(const Graph& graph, const std::string& layer) {
  for (const Node& node : graph.nodes()) {
    if (node.name == layer) return to_vector<float>(*graph.value(node.inputs.at(2)).constant);
  }
  return {};
}

// A layer, Relu, and a second layer of `kernel` x `kernel` weights over images of 4x4.
Graph two_layers(int64_t kernel, const std::vector<int64_t>& pads) {
  Net net({1, 2, 4, 4});
  net.layer("Conv", "first", "x", random_tensor({3, 2, 1, 1}, 1), random_tensor({3}, 2));
  net.add("Relu", "relu", {"first"});
  Node& second = net.layer("Conv", "second", "relu", random_tensor({5, 3, kernel, kernel}, 3), random_tensor({5}, 4));
  second.set_attribute("pads", pads);
  net.add("Relu", "out", {"second"});
  return net.finish("out");
}

// E[relu(x)] of a normal x: Nagel et al. 2019, equation 19.
double mean_of_relu(double mean, double deviation) {
  const double a = mean / deviation;
  return deviation * std::exp(-a * a / 2) / std::sqrt(2 * std::acos(-1.0)) + mean * std::erfc(-a / std::sqrt(2.0)) / 2;
}

// The share of positions at which each row and column of a 3x3 kernel lies over the image of 4x4 itself.
struct Padding {
  std::vector<int64_t> pads;  // top, left, bottom, right
  double rows[3], columns[3];
};
const Padding kPaddings[] = {{{0, 0, 0, 0}, {1, 1, 1}, {1, 1, 1}},
                             {{1, 1, 1, 1}, {3. / 4, 1, 3. / 4}, {3. / 4, 1, 3. / 4}},
                             {{2, 0, 0, 1}, {2. / 4, 3. / 4, 1}, {1, 1, 2. / 3}}};

TEST(AnalyticCorrection, TakesTheExpectedErrorOut) {
  for (const Padding& padding : kPaddings) {
    SCOPED_TRACE(padding.pads[0]);
    Bench bench(two_layers(3, padding.pads), random_samples({1, 2, 4, 4}, 2, 5));
    bench.bench.norms = {{"first", {{0.5f, -1, 2}, {1, 2, 0.25f}}}};
    const double expected_input[] = {mean_of_relu(0.5, 1), mean_of_relu(-1, 2), mean_of_relu(2, 0.25)};
    const std::vector<float> before = bias_of(bench.bench.model.graph, "second");
    const Graph rounded = with_rounded_weights(bench.bench.model);
    correct_bias_analytically(bench.bench, "second");
    const std::vector<float> after = bias_of(bench.bench.model.graph, "second");

    const Tensor &w = *bench.bench.reference.value(bench.bench.reference.find("second_w")).constant,
                 &r = *rounded.value(rounded.find("second_w")).constant;
    for (size_t out = 0; out < 5; ++out) {
      double error = 0;
      for (size_t in = 0; in < 3; ++in) {
        for (size_t k = 0; k < 9; ++k) {
          const size_t at = (out * 3 + in) * 9 + k;
          error += (double{r.data<float>()[at]} - double{w.data<float>()[at]}) * expected_input[in] *
                   padding.rows[k / 3] * padding.columns[k % 3];
        }
      }
      EXPECT_NEAR(after[out], before[out] - error, 1e-6);
      EXPECT_NE(after[out], before[out]);
    }
  }
}

TEST(AnalyticCorrection, LeavesLayersOfUnknownInput) {
  Bench bench(two_layers(1, {0, 0, 0, 0}), random_samples({1, 2, 4, 4}, 2, 5));
  const std::vector<float> before = bias_of(bench.bench.model.graph, "second");
  correct_bias_analytically(bench.bench, "*");
  EXPECT_EQ(bias_of(bench.bench.model.graph, "second"), before);
}

}  // namespace
}  // namespace halftone::ptq::analytic_test
