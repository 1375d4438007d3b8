// What grids of other kinds than the usual one do to the plan, and what comes out of it.
#include <gtest/gtest.h>

#include "halftone/base/error.h"
#include "halftone/graph/op_table.h"
#include "halftone/quant/assign.h"
#include "halftone/quant/integer_plan.h"
#include "tests/support/quantized_net.h"

namespace halftone::assign_grids_test {
namespace {

// x [1, 600] -> MatMul with ones [600, 4] -> Relu -> MatMul with [4, 2].
Graph two_products() {
  test::NetBuilder net;
  const ValueId x = net.input("x", {1, 600});
  const ValueId first = net.node("MatMul", {x, net.constant("w1", {600, 4}, std::vector<float>(2400, 1.0F))}, "first");
  const ValueId relu = net.node("Relu", {first}, "relu");
  const std::vector<float> small = {0.5F, -0.25F, 0.125F, 1, -1, 0.75F, 0.5F, 0.25F};
  net.output(net.node("MatMul", {relu, net.constant("w2", {4, 2}, small)}, "second"));
  infer_shapes(net.model.graph);
  return net.model.graph;
}

QuantizedModel assign(const Graph& graph, const std::string& recipe) {
  const QuantPlan plan = plan_quantization(graph, Recipe::from_json(recipe, "recipe"));
  return assign_encodings(graph, plan, std::vector<ChannelRanges>(plan.groups.size(), {Range{-1, 1}}));
}

TEST(AssignGrids, WideCodesKeepTheirGridWhereAccumulatorsAreTooNarrow) {
  const QuantizedModel wide = assign(two_products(), R"({"activations": {"type": "uint16"}})");
  EXPECT_NE(wide.float_reasons.at("first_node").find("beyond 32 bits"), std::string::npos);
  EXPECT_TRUE(wide.encodings.contains("w1")) << "16 bits were asked for: computed in float on rounded numbers";
  EXPECT_TRUE(wide.encodings.contains("w2"));
  EXPECT_FALSE(wide.float_reasons.contains("second_node")) << "a short sum fits";
}

TEST(AssignGrids, RangesAtRunTimeAreForProductsAlone) {
  const QuantizedModel all = assign(two_products(), R"({"rules": [{"match": {}, "range": "dynamic:per_row"}]})");
  EXPECT_EQ(all.dynamic, (DynamicProducts{{"first", DynamicRange::PerRow}, {"second", DynamicRange::PerRow}}));
  EXPECT_EQ(all.encodings.size(), 2U);
  EXPECT_EQ(all.float_reasons.size(), 1U) << "the Relu between them";
  const QuantizedModel one =
      assign(two_products(), R"({"rules": [{"match": {"name": "second*"}, "range": "dynamic"}]})");
  EXPECT_EQ(one.dynamic, (DynamicProducts{{"second", DynamicRange::PerTensor}}));
  EXPECT_TRUE(one.encodings.contains("x"));
  EXPECT_FALSE(one.encodings.contains("relu"));
  const QuantizedModel neither = assign(two_products(), R"({"rules": [
      {"match": {"name": "second*"}, "keep": "float"}, {"match": {}, "range": "dynamic"}]})");
  EXPECT_EQ(neither.dynamic.size(), 1U) << "the first rule that matches decides";
}

TEST(AssignGrids, AConvolutionHasNoRows) {
  test::NetBuilder net;
  const ValueId w = net.constant("w", {2, 3, 1, 1}, std::vector<float>(6, 0.5F));
  net.output(net.node("Conv", {net.input("x", {1, 3, 4, 4}), w}, "y"));
  infer_shapes(net.model.graph);
  const QuantizedModel model = assign(net.model.graph, R"({"rules": [{"match": {}, "range": "dynamic:per_row"}]})");
  EXPECT_TRUE(model.dynamic.empty());
  EXPECT_TRUE(model.encodings.empty()) << "its weights stay float";
  EXPECT_NE(model.float_reasons.at("y_node").find("no rows"), std::string::npos);
}

TEST(AssignGrids, BiasesRaiseTheScalesOfWholeGroupsAndStayPowersOfTwo) {
  test::NetBuilder net;
  const std::vector<float> weights = {0.5F, -0.5F, 0.25F, 0.5F};
  const ValueId x = net.input("x", {1, 1, 4, 4});
  const ValueId bias = net.constant("b", {4}, {0, 3e7F, 0, 0});
  net.output(net.node("Conv", {x, net.constant("w", {4, 1, 1, 1}, weights), bias}, "y"));
  infer_shapes(net.model.graph);
  const QuantizedModel model =
      assign(net.model.graph, R"({"weights": {"granularity": "per_group:2", "grid": "power_of_two_scale"},
                           "activations": {"grid": "power_of_two_scale", "observer": "min_max"}})");
  const std::vector<float>& scale = model.encodings.at("w").params.scale;
  // 3e7 / (2^-6 * s) <= 2^30 needs s >= 1.788: the next power of two is 2.
  EXPECT_EQ(model.encodings.at("x").params.scale[0], 0.0078125F * 2);
  EXPECT_EQ(scale, (std::vector<float>{2, 2, 0.0078125F, 0.0078125F}));
  EXPECT_TRUE(plan_integers(model).nodes[0].has_value());
}

TEST(AssignGrids, LevelsAreForConstants) {
  test::NetBuilder net;
  QuantParams levels{DType::UInt2, 0, 1, {1}, {0}};
  levels.levels = {-1, 1};
  net.output(net.node("Relu", {net.input("x", {3}, levels)}, "y"));
  infer_shapes(net.model.graph);
  EXPECT_THROW(plan_integers(net.model), Error);
}

}  // namespace
}  // namespace halftone::assign_grids_test
