#include "halftone/train/fake_quantized.h"

#include <gtest/gtest.h>

#include "halftone/quant/integer_plan.h"
#include "halftone/sim/interpreter.h"
#include "halftone/train/tensors.h"
#include "halftone/train/test_network.h"

namespace halftone::train::fake_quantized_test {
namespace {

std::map<std::string, Tensor> seen_by_interpreter(const QuantizedModel& model, const Tensor& x) {
  std::map<std::string, Tensor> seen;
  sim::Interpreter(model).run(
      {{"x", x}}, [&](std::string_view name, const Tensor& real, const Tensor*) { seen[std::string(name)] = real; });
  return seen;
}

double largest_difference(const Tensor& a, const Tensor& b) {
  const std::vector<double> x = to_vector<double>(a), y = to_vector<double>(b);
  double largest = 0;
  for (size_t i = 0; i < x.size(); ++i) largest = std::max(largest, std::abs(x[i] - y[i]));
  return largest;
}

TEST(FakeQuantized, ComputesWhatTheQuantizedNetworkDoes) {
  const Quantized quantized;
  Executor executor(trainable(quantized.float_graph));
  FakeQuantized rounding(executor, quantized.planned, quantized.plan, {{"lsq", {}}, {"lsq", {}}}, 0);
  const Tensor x = reals({2, 3, 6, 6}, 99);
  const at::Tensor y = executor.forward({to_torch(x)}, BatchStatistics::Frozen, &rounding)[0];
  const Tensor expected = seen_by_interpreter(quantized.planned, x).at("y");
  // A code that fell on the other side would show: steps of the last layer's input are 0.3, of its weights 0.2.
  EXPECT_LT(largest_difference(from_torch(y), expected), 1e-4);
  // Without rounding it is another network.
  const at::Tensor plain = executor.forward({to_torch(x)}, BatchStatistics::Frozen)[0];
  EXPECT_GT(largest_difference(from_torch(plain), expected), 5e-2);
}

// Whose weights have their output channels on the second axis.
TEST(FakeQuantized, FoldsIntoTransposedConvolutions) {
  Net net;
  const ValueId x = net.graph.add_value("x", {DType::Float, to_dims({2, 3, 4, 4})});
  net.graph.inputs() = {x};
  const ValueId up = net.add("ConvTranspose", {x, net.graph.add_constant("up.w", reals({3, 4, 2, 2}, 1, 0.3))}, "up");
  const ValueId a = net.add("Relu", {net.norm(up, "norm", 4, 10)}, "relu");
  net.graph.outputs() = {net.conv(a, "y", {2, 4, 3, 3}, true, 3)};
  const Graph simple = transform::simplify(net.graph);
  const QuantPlan plan = plan_quantization(simple, make_recipe("int8", "uint8", "per_tensor", "min_max"));
  const std::vector<ChannelRanges> ranges(plan.groups.size(), {Range{-2, 3}});
  const QuantizedModel planned = assign_encodings(simple, plan, ranges);
  Executor executor(trainable(net.graph));
  FakeQuantized rounding(executor, planned, plan, {}, 0);
  const Tensor input = reals({2, 3, 4, 4}, 99);
  const at::Tensor y = executor.forward({to_torch(input)}, BatchStatistics::Frozen, &rounding)[0];
  EXPECT_LT(largest_difference(from_torch(y), seen_by_interpreter(planned, input).at("y")), 1e-4);
}

TEST(FakeQuantized, FinishedIsThePlannedNetworkBeforeTraining) {
  const Quantized quantized;
  Executor executor(trainable(quantized.float_graph));
  const FakeQuantized rounding(executor, quantized.planned, quantized.plan, {}, 0);
  const QuantizedModel finished = rounding.finished();
  EXPECT_EQ(finished.encodings.size(), quantized.planned.encodings.size());
  const Tensor x = reals({2, 3, 6, 6}, 99);
  EXPECT_LT(
      largest_difference(seen_by_interpreter(finished, x).at("y"), seen_by_interpreter(quantized.planned, x).at("y")),
      1e-6);
}

TEST(FakeQuantized, TrainsTowardsATargetAndInferenceAgrees) {
  const Quantized quantized(3);
  Executor executor(trainable(quantized.float_graph));
  FakeQuantized rounding(executor, quantized.planned, quantized.plan, {{"lsq", {}}, {"lsq_plus", {}}}, 0);
  std::vector<at::Tensor> learned;
  for (auto& [name, tensor] : executor.constants()) {
    if (!tensor.is_floating_point() || name.ends_with(".mean") || name.ends_with(".var")) continue;
    tensor.set_requires_grad(true);
    learned.push_back(tensor);
  }
  for (const auto& [name, quantizer] : rounding.quantizers()) {
    for (const Learned& each : quantizer->learned()) learned.push_back(each.tensor);
  }
  const Tensor x = reals({2, 3, 6, 6}, 99);
  const at::Tensor input = to_torch(x), wanted = to_torch(reals({2, 5}, 55));
  const auto loss = [&](Mode mode) {
    rounding.set_mode(mode);
    return (executor.forward({input}, BatchStatistics::Frozen, &rounding)[0] - wanted).pow(2).mean();
  };
  const float before = loss(Mode::Inference).item<float>();
  for (int step = 0; step < 100; ++step) {
    loss(Mode::Training).backward();
    const at::NoGradGuard no_grad;
    for (at::Tensor& tensor : learned) {
      if (!tensor.grad().defined()) continue;
      tensor -= 0.02 * tensor.grad();
      tensor.mutable_grad().zero_();
    }
    rounding.project();
  }
  EXPECT_LT(loss(Mode::Inference).item<float>(), 0.2 * before);
  const QuantizedModel finished = rounding.finished();
  rounding.set_mode(Mode::Inference);
  const at::Tensor y = executor.forward({input}, BatchStatistics::Frozen, &rounding)[0];
  EXPECT_LT(largest_difference(from_torch(y), seen_by_interpreter(finished, x).at("y")), 1e-4);
}

TEST(FakeQuantized, BatchStatisticsAreThoseOfTheUnroundedScale) {
  const Quantized quantized(8);
  Executor executor(trainable(quantized.float_graph)), plain(trainable(quantized.float_graph));
  for (auto& [name, tensor] : executor.constants()) tensor = tensor.clone();
  FakeQuantized rounding(executor, quantized.planned, quantized.plan, {}, 0);
  const at::Tensor x = to_torch(reals({2, 3, 6, 6}, 99));
  executor.forward({x}, BatchStatistics::Updated, &rounding);
  plain.forward({x}, BatchStatistics::Updated);
  const at::Tensor found = executor.constants().at("n1.mean"), expected = plain.constants().at("n1.mean");
  // Channel 1 has gamma 0: its folded weights are nothing, and what its statistics were can't be told.
  for (int64_t c : {0, 2, 3}) {
    EXPECT_NEAR(found[c].item<float>(), expected[c].item<float>(), 0.02 * (1 + std::abs(expected[c].item<float>())));
  }
}

TEST(FakeQuantized, AChannelThatTrainingGaveUpStaysInIntegers) {
  const Quantized quantized;
  Executor executor(trainable(quantized.float_graph));
  FakeQuantized rounding(executor, quantized.planned, quantized.plan, {}, 0);
  {
    const at::NoGradGuard no_grad;
    at::Tensor scales = rounding.quantizers().at("c1.w")->learned().at(0).tensor;
    ASSERT_EQ(scales.numel(), 4);
    scales[2] = 1e-12;  // its bias would be far beyond 32 bits of steps
  }
  rounding.set_mode(Mode::Inference);
  const QuantizedModel finished = rounding.finished();
  const IntegerPlan before = plan_integers(quantized.planned), after = plan_integers(finished);
  ASSERT_EQ(after.nodes.size(), before.nodes.size());
  for (size_t i = 0; i < after.nodes.size(); ++i) EXPECT_EQ(after.nodes[i].has_value(), before.nodes[i].has_value());
  const Tensor x = reals({2, 3, 6, 6}, 99);
  const at::Tensor y = executor.forward({to_torch(x)}, BatchStatistics::Frozen, &rounding)[0];
  EXPECT_LT(largest_difference(from_torch(y), seen_by_interpreter(finished, x).at("y")), 1e-4);
}

TEST(FakeQuantized, SharedGridsStayShared) {
  const Quantized quantized;
  Executor executor(trainable(quantized.float_graph));
  FakeQuantized rounding(executor, quantized.planned, quantized.plan, {}, 0);
  for (const auto& [name, quantizer] : rounding.quantizers()) {
    const at::NoGradGuard no_grad;
    for (const Learned& each : quantizer->learned()) at::Tensor(each.tensor).mul_(1.25);
  }
  const QuantizedModel finished = rounding.finished();
  EXPECT_EQ(finished.encodings.at("flat").params, finished.encodings.at("pool").params);
  EXPECT_NE(finished.encodings.at("flat").params, quantized.planned.encodings.at("flat").params);
}

}  // namespace
}  // namespace halftone::train::fake_quantized_test
