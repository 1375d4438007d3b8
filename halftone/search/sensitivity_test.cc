// Units and their share of the noise, against a linear network whose noise is known by hand.
#include "halftone/search/sensitivity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "tests/support/quantized_net.h"

namespace halftone::search::sensitivity_test {
namespace {

data::Batch batch_of(const std::vector<float>& values) {
  data::Batch batch;
  batch.inputs["x"] = Tensor::from({1, static_cast<int64_t>(values.size())}, values);
  batch.labels = {std::nullopt};
  batch.ids = {"0"};
  return batch;
}

// y = 2 relu(x w), with x, w and the activation on coarse grids.
QuantizedModel two_layers() {
  test::NetBuilder net;
  const ValueId x = net.input("x", {1, 2}, test::uint8_grid(0.5F, 0));
  const ValueId w = net.constant("w", {2, 2}, {1, 0, 0, 1.25F}, test::weight_grid({0.5F}, -1));
  const ValueId product = net.node("MatMul", {x, w}, "product");
  const ValueId hidden = net.node("Relu", {product}, "hidden", test::uint8_grid(1, 0));
  const ValueId v = net.constant("v", {2, 1}, {2, 2}, test::weight_grid({1}, -1));
  net.output(net.node("MatMul", {hidden, v}, "y"));
  return std::move(net.model);
}

TEST(Units, EveryGridBelongsToOne) {
  const QuantizedModel model = two_layers();
  const std::vector<QuantizedUnit> units = units_of(model);
  ASSERT_EQ(units.size(), 3U);
  EXPECT_EQ(units[0].name, "x");
  EXPECT_EQ(units[0].op, "Input");
  EXPECT_EQ(units[0].grids, std::vector<std::string>{"x"});
  // The product has no grid of its own: the Relu's is the layer's.
  EXPECT_EQ(units[1].name, "product_node");
  EXPECT_EQ(units[1].grids, (std::vector<std::string>{"w", "hidden"}));
  EXPECT_EQ(units[2].grids, std::vector<std::string>{"v"});
  std::set<std::string> all;
  for (const QuantizedUnit& unit : units) all.insert(unit.grids.begin(), unit.grids.end());
  EXPECT_EQ(all.size(), model.encodings.size());
}

TEST(Sensitivity, NoiseOfEachUnitAlone) {
  const QuantizedModel model = two_layers();
  ThreadTeam team(2);
  // Float: hidden = (0.6, 1.5), y = 4.2.
  const std::vector<data::Batch> samples = {batch_of({0.6F, 1.2F})};
  const std::vector<Sensitivity> result = one_at_a_time(model.graph, model, samples, team, silent_progress());
  ASSERT_EQ(result.size(), 3U);
  std::map<std::string, double> alone;
  for (const Sensitivity& each : result) alone[each.unit.name] = each.alone_db;
  const auto decibel = [](double y) { return 10 * std::log10(4.2 * 4.2 / ((y - 4.2) * (y - 4.2))); };
  // x on its grid: (0.5, 1.0), so hidden = (0.5, 1.25) and y = 3.5.
  EXPECT_NEAR(alone.at("x"), decibel(3.5), 1e-3);
  // w: 1.25 / 0.5 = 2.5 rounds to 2, so 1.0; hidden = (0.6, 1.2) rounds to (1, 1); y = 4.
  EXPECT_NEAR(alone.at("product_node"), decibel(4), 1e-3);
  EXPECT_TRUE(std::isinf(alone.at(result.back().unit.name)));  // v lies on its grid
  EXPECT_EQ(result.front().unit.name, "x");                    // the worst comes first
}

}  // namespace
}  // namespace halftone::search::sensitivity_test
