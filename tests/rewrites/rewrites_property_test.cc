// Random networks: rewrites before quantization compute what the network computed, within 1e-4 of its largest output.
#include <gtest/gtest.h>

#include <cmath>

#include "halftone/graph/op_table.h"
#include "halftone/sim/interpreter.h"
#include "halftone/transform/absorb_bias.h"
#include "halftone/transform/channel_groups.h"
#include "halftone/transform/equalize.h"
#include "halftone/transform/pass.h"
#include "halftone/transform/split_channels.h"
#include "tests/engine/random_graph.h"
#include "tests/rewrites/block_net.h"
#include "tests/support/relative_difference.h"

namespace halftone::transform {
namespace {

constexpr uint64_t kNets = 60;

double difference(const Graph& graph, const TensorMap& inputs, const TensorMap& expected) {
  verify(graph);
  return test::relative_difference(sim::Interpreter(graph).run(inputs), expected);
}

// What every value's channels hold in this run.
ChannelRanges watch(const Graph& graph, const TensorMap& inputs) {
  ChannelRanges ranges;
  sim::Interpreter(graph).run(inputs, [&](std::string_view name, const Tensor& real, const Tensor*) {
    if (real.dtype() != DType::Float || real.rank() < 2) return;
    const int64_t channels = real.dim(1), inner = real.size() / (real.dim(0) * channels);
    std::vector<Range> of_value(static_cast<size_t>(channels), Range{INFINITY, -INFINITY});
    for (int64_t i = 0; i < real.size(); ++i) {
      Range& range = of_value[static_cast<size_t>(i / inner % channels)];
      const float number = real.data<float>()[static_cast<size_t>(i)];
      range = {std::min(range.low, number), std::max(range.high, number)};
    }
    ranges.emplace(name, of_value);
  });
  return ranges;
}

template <typename Check>
void for_each_net(Check check) {
  for (uint64_t seed = 0; seed < kNets; ++seed) {
    SCOPED_TRACE(fmt::format("block net, seed {}", seed));
    const test::BlockNet net = test::block_net(seed);
    check(simplify(net.graph), net.inputs, sim::Interpreter(net.graph).run(net.inputs));
  }
  for (uint64_t seed = 0; seed < kNets; ++seed) {
    SCOPED_TRACE(fmt::format("random net, seed {}", seed));
    test::RandomNet net = test::random_net(seed);
    infer_shapes(net.graph);
    check(simplify(net.graph), net.inputs, sim::Interpreter(net.graph).run(net.inputs));
  }
}

TEST(RewriteProperty, EqualizationKeepsTheFunction) {
  int scaled = 0;
  for_each_net([&](const Graph& graph, const TensorMap& inputs, const TensorMap& expected) {
    const Equalization exact = equalize(graph, {.upper_bounds = UpperBounds::PerChannel});
    EXPECT_LE(difference(exact.graph, inputs, expected), 1e-4);
    scaled += !exact.factors.empty();
    const ChannelRanges ranges = watch(graph, inputs);
    EXPECT_LE(difference(equalize(graph, {.ranges = ranges}).graph, inputs, expected), 1e-4);
    EXPECT_LE(difference(zero_dead_weights(graph, ranges), inputs, expected), 1e-5);
    const EqualizeOptions by_activations = {.balance = Balance::Activations, .ranges = ranges};
    EXPECT_LE(difference(equalize(graph, by_activations).graph, inputs, expected), 1e-4);
    // A second time finds nothing left to do.
    const Equalization again = equalize(exact.graph, {.upper_bounds = UpperBounds::PerChannel});
    for (const auto& [name, factors] : again.factors) {
      for (const float factor : factors) EXPECT_NEAR(factor, 1, 1e-3) << name;
    }
  });
  EXPECT_GT(scaled, static_cast<int>(kNets)) << "the networks have too little to equalize";
}

// Every group with one maker and one reader has equal ranges on both sides.
TEST(RewriteProperty, EqualizedRangesAreEqual) {
  int64_t compared = 0;
  for_each_net([&](const Graph& graph, const TensorMap&, const TensorMap&) {
    Graph equalized = equalize(graph, {.upper_bounds = UpperBounds::PerChannel}).graph;
    infer_shapes(equalized);
    const ChannelGroups groups(equalized);
    std::vector<std::vector<double>> made(groups.count()), read(groups.count());
    for (const ChannelGroups::Layer& layer : groups.layers()) {
      const Node& node = equalized.nodes()[static_cast<size_t>(layer.node)];
      const Tensor& weights = *equalized.value(node.inputs[1]).constant;
      std::vector<double> rows(static_cast<size_t>(layer.layout.outputs()));
      std::vector<double> columns(static_cast<size_t>(layer.layout.inputs()));
      layer.layout.for_each([&](int64_t out, int64_t in, int64_t offset) {
        for (int64_t k = offset; k < offset + layer.layout.inner; ++k) {
          const double w = std::abs(weights.data<float>()[static_cast<size_t>(k)]);
          rows[static_cast<size_t>(out)] = std::max(rows[static_cast<size_t>(out)], w);
          columns[static_cast<size_t>(in)] = std::max(columns[static_cast<size_t>(in)], w);
        }
      });
      for (size_t c = 0; c < rows.size(); ++c)
        made[groups.group(layer.output, static_cast<int64_t>(c))].push_back(rows[c]);
      for (size_t c = 0; c < columns.size(); ++c)
        read[groups.group(layer.input, static_cast<int64_t>(c))].push_back(columns[c]);
    }
    for (size_t g = 0; g < groups.count(); ++g) {
      if (groups.fixed(g) || made[g].size() != 1 || read[g].size() != 1 || made[g][0] * read[g][0] == 0) continue;
      EXPECT_NEAR(made[g][0], read[g][0], 1e-4 * made[g][0]);
      ++compared;
    }
  });
  EXPECT_GT(compared, 1000);
}

TEST(RewriteProperty, SplittingKeepsTheFunction) {
  int layers = 0;
  for_each_net([&](const Graph& graph, const TensorMap& inputs, const TensorMap& expected) {
    const ChannelSplit split = split_channels(graph, {.ratio = 0.2});
    EXPECT_LE(difference(split.graph, inputs, expected), 1e-4);
    layers += split.layers;
  });
  EXPECT_GT(layers, static_cast<int>(kNets));
}

// Statistics that put every number seen above what is absorbed make absorption exact.
TEST(RewriteProperty, AbsorptionKeepsTheFunctionAboveWhatItTakes) {
  int64_t channels = 0;
  for_each_net([&](const Graph& graph, const TensorMap& inputs, const TensorMap& expected) {
    NormStatistics norms;
    for (const auto& [name, ranges] : watch(graph, inputs)) {
      for (const Range& range : ranges) {
        norms[name].mean.push_back((range.low + range.high) / 2);
        norms[name].deviation.push_back((range.high - range.low) / 2 * 1.001f);
      }
    }
    const Absorption absorbed = absorb_bias(graph, norms, 1);
    EXPECT_LE(difference(absorbed.graph, inputs, expected), 1e-4);
    channels += absorbed.channels;
  });
  EXPECT_GT(channels, 10) << "the networks have too little to absorb";
}

}  // namespace
}  // namespace halftone::transform
