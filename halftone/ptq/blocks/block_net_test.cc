#include "halftone/ptq/blocks/block_net.h"

#include <gtest/gtest.h>

#include "halftone/graph/op_table.h"
#include "halftone/ptq/blocks/soft_rounding.h"
#include "halftone/ptq/test_bench.h"
#include "halftone/sim/interpreter.h"

namespace halftone::ptq::block_net_test {
namespace {

using test::Net;
using test::random_tensor;

// A block with convolutions of several kinds, a Relu, a Clip, an addition and a matrix product.
Graph many_kinds() {
  Net net({Dim(1), 4, 6, 5});
  Node& a = net.layer("Conv", "a", "x", random_tensor({6, 2, 3, 2}, 1, 0.5), random_tensor({6}, 2));
  a.set_attribute("group", int64_t{2});
  a.set_attribute("strides", std::vector<int64_t>{2, 1});
  a.set_attribute("pads", std::vector<int64_t>{1, 0, 1, 1});
  net.add("Relu", "ar", {"a"});
  Node& b = net.layer("Conv", "b", "ar", random_tensor({6, 1, 3, 3}, 3, 0.5));
  b.set_attribute("group", int64_t{6});
  b.set_attribute("dilations", std::vector<int64_t>{1, 2});
  b.set_attribute("pads", std::vector<int64_t>{1, 2, 1, 2});
  net.constant("low", Tensor::scalar(-0.7F));
  net.constant("high", Tensor::scalar(0.8F));
  net.add("Clip", "br", {"b", "low", "high"});
  net.layer("Conv", "c", "ar", random_tensor({6, 6, 1, 1}, 4, 0.5), random_tensor({6}, 5));
  net.add("Add", "s", {"br", "c"});
  Node& d = net.layer("ConvTranspose", "d", "s", random_tensor({6, 2, 2, 2}, 6, 0.5), random_tensor({2}, 7));
  d.set_attribute("strides", std::vector<int64_t>{2, 2});
  net.add("Flatten", "f", {"d"});
  net.layer("Gemm", "g", "f", random_tensor({2 * 6 * 10, 3}, 8, 0.2), random_tensor({3}, 9));
  net.finish("g");
  infer_shapes(net.graph);
  return net.graph;
}

std::span<const float> numbers(const Tensor& tensor) { return tensor.data<float>(); }

// All nodes up to the one that makes `output`, as one block.
Block block_up_to(const Graph& graph, const std::string& output) {
  Block block{output, "x", output, {}};
  for (int i = 0; block.nodes.empty() || graph.nodes()[static_cast<size_t>(i - 1)].name != output; ++i) {
    block.nodes.push_back(i);
  }
  return block;
}

TEST(BlockNet, ComputesWhatTheInterpreterDoes) {
  const Graph graph = many_kinds();
  const BlockNet net({graph, {}, {}}, block_up_to(graph, "g"));
  BlockNet::Pass pass(net);
  for (uint64_t seed : {10, 11}) {
    const Tensor x = random_tensor({1, 4, 6, 5}, seed);
    const auto y = pass.forward(net.parameters(), numbers(x), {});
    const Tensor expected = sim::Interpreter(graph).run({{"x", x}}).at("g");
    ASSERT_EQ(y.size(), 3U);
    for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(y[i], numbers(expected)[i], 1e-4);
  }
}

// Slopes by every weight and bias against differences of the loss sum of r y, which is piecewise linear in each.
TEST(BlockNet, SlopesAreTheDifferences) {
  const Graph graph = many_kinds();
  for (const Block& block : {block_up_to(graph, "s"), block_up_to(graph, "g")}) {
    const BlockNet net({graph, {}, {}}, block);
    const auto input = graph.value(graph.find(block.input)).type.fixed_shape().value();
    const Tensor x = random_tensor(input, 20), r = random_tensor({net.output_size()}, 21);
    BlockNet::Pass pass(net);
    BlockParameters parameters = net.parameters();
    const auto loss = [&] {
      const auto y = pass.forward(parameters, numbers(x), {});
      double sum = 0;
      for (size_t i = 0; i < y.size(); ++i) sum += double{y[i]} * numbers(r)[i];
      return sum;
    };
    loss();
    BlockSlopes slopes = net.no_slopes();
    pass.backward(parameters, numbers(r), slopes);
    int checked = 0, kinks = 0;
    const auto check = [&](float& parameter, double slope) {
      const float at = parameter;
      const double here = loss();
      parameter = at + 1e-2F;
      const double up = (loss() - here) / (double{parameter} - at);
      parameter = at - 1e-2F;
      const double down = (here - loss()) / (at - double{parameter});
      parameter = at;
      ++checked;
      // Where a bound lies between the two, neither is the slope.
      if (std::abs(up - down) > 1e-3 * (1 + std::abs(up))) {
        ++kinks;
        EXPECT_GE(slope, std::min(up, down) - 0.05 * (1 + std::abs(up - down)));
        EXPECT_LE(slope, std::max(up, down) + 0.05 * (1 + std::abs(up - down)));
        return;
      }
      EXPECT_NEAR(slope, up, 2e-3 * (1 + std::abs(up)));
    };
    for (size_t l = 0; l < parameters.weights.size(); ++l) {
      for (size_t i = 0; i < parameters.weights[l].size(); ++i) check(parameters.weights[l][i], slopes.weights[l][i]);
      for (size_t i = 0; i < parameters.biases[l].size(); ++i) check(parameters.biases[l][i], slopes.biases[l][i]);
    }
    EXPECT_LT(kinks, checked / 2) << "hardly anything was compared";
  }
}

TEST(BlockNet, RoundsWhatHasAGrid) {
  const Graph graph = many_kinds();
  QuantizedModel model{graph, {}, {}};
  const QuantParams coarse{DType::UInt4, 0, 15, {0.25F}, {0}}, sum{DType::Int4, -8, 7, {0.5F}, {0}};
  model.encodings = {{"ar", {coarse, {}}}, {"s", {sum, {}}}};
  const BlockNet net(model, block_up_to(graph, "s"));
  EXPECT_EQ(net.rounded(), (std::vector<std::string>{"ar", "s"}));
  BlockNet::Pass pass(net);
  const Tensor x = random_tensor({1, 4, 6, 5}, 30);
  const auto y = pass.forward(net.parameters(), numbers(x), {});
  Graph until = graph;
  until.outputs() = {until.find("s")};
  until.remove_dead();
  const Tensor expected = sim::Interpreter(QuantizedModel{until, model.encodings, {}}).run({{"x", x}}).at("s");
  // Sums in another order may fall on the other side of the middle between two codes, hardly ever.
  int apart = 0;
  for (size_t i = 0; i < y.size(); ++i) apart += y[i] != numbers(expected)[i];
  EXPECT_LE(apart, 1);

  // All dropped: as without grids.
  const std::vector<uint64_t> all(static_cast<size_t>(net.drop_words()), ~uint64_t{0});
  const auto real = pass.forward(net.parameters(), numbers(x), all);
  const std::vector<float> kept(real.begin(), real.end());
  const BlockNet plain({graph, {}, {}}, block_up_to(graph, "s"));
  BlockNet::Pass plain_pass(plain);
  const auto without = plain_pass.forward(plain.parameters(), numbers(x), {});
  EXPECT_EQ(kept, std::vector<float>(without.begin(), without.end()));
}

TEST(SoftRounding, BeginsWithTheCodesThatAreThere) {
  const Tensor real = random_tensor({6, 2, 3, 3}, 40, 0.7);
  QuantParams params{DType::Int4, -7, 7, {}, {}, 0};
  for (int c = 0; c < 6; ++c) {
    params.scale.push_back(c == 3 ? 1.0F : 0.15F + 0.01F * static_cast<float>(c));
    params.zero_point.push_back(0);
  }
  // Codes up to two away from the nearest ones.
  Tensor moved = random_tensor({6, 2, 3, 3}, 41, 0.2);
  for (size_t i = 0; i < static_cast<size_t>(moved.size()); ++i) {
    moved.mutable_data<float>()[i] += numbers(real)[i];
  }
  const Tensor content = fake_quantize(moved, params);
  transform::WeightLayout layout{6, 2, 9, 1, true};
  SoftRounding rounding(layer_shape(layout), content, params, real);
  EXPECT_TRUE(rounding.content().same_as(content));
  std::vector<float> soft(static_cast<size_t>(content.size()));
  rounding.soft(soft);
  for (size_t i = 0; i < soft.size(); ++i) {
    const float step = params.scale[i / 18];
    EXPECT_LE(std::abs(soft[i] - numbers(content)[i]), 0.46F * step);
    EXPECT_LE(std::abs(soft[i] - numbers(real)[i]), std::abs(numbers(content)[i] - numbers(real)[i]) + 0.02F * step);
  }
  // Slopes that ask for larger weights raise them by one step at most, never beyond the grid.
  const std::vector<double> slopes(soft.size(), -1.0);
  for (int i = 0; i < 1000; ++i) rounding.update(slopes, 0.01, 0, 2);
  const Tensor raised = rounding.content();
  EXPECT_TRUE(fake_quantize(raised, params).same_as(raised));
  bool any = false;
  for (size_t i = 0; i < soft.size(); ++i) {
    const float step = params.scale[i / 18], by = (numbers(raised)[i] - numbers(content)[i]) / step;
    EXPECT_TRUE(std::abs(by) < 0.01F || std::abs(by - 1) < 0.01F) << by;
    any |= by > 0.5F;
  }
  EXPECT_TRUE(any);
}

}  // namespace
}  // namespace halftone::ptq::block_net_test
