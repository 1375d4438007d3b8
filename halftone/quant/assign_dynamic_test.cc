#include "halftone/quant/assign_dynamic.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/base/error.h"
#include "halftone/quant/integer_plan.h"
#include "tests/support/quantized_net.h"

namespace halftone::assign_dynamic_test {
namespace {

using test::NetBuilder;

// x [4, 6] times w [6, 3], with what a test adds.
struct Net : NetBuilder {
  ValueId x = input("x", {4, 6}), w = ValueId::None;
  explicit Net(float last = -0.9F) {
    std::vector<float> values(18, 0.1F);
    values[0] = 1.27F;
    values[4] = 0.254F;
    values[17] = last;
    w = constant("w", {6, 3}, values);
  }
  void product(const std::string& name) { output(node("MatMul", {x, w}, name)); }
  QuantizedModel assigned(const Recipe& recipe = {}, DynamicRange range = DynamicRange::PerRow) const {
    return assign_dynamic(model.graph, recipe, range);
  }
};

RecipeRule keep_float(const std::string& name, std::optional<Role> role = std::nullopt) {
  RecipeRule rule;
  rule.name = name;
  rule.role = role;
  return rule;
}

TEST(AssignDynamic, ProductsAndTheirWeights) {
  Net net;
  net.product("y");
  net.product("z");
  net.output(net.node("MatMul", {net.x, net.node("Exp", {net.input("v", {6, 2})}, "e")}, "u"));
  const QuantizedModel model = net.assigned();
  EXPECT_EQ(model.dynamic,
            (DynamicProducts{{"u", DynamicRange::PerRow}, {"y", DynamicRange::PerRow}, {"z", DynamicRange::PerRow}}));
  ASSERT_EQ(model.encodings.size(), 1U);
  const QuantParams& grid = model.encodings.at("w").params;
  EXPECT_EQ(grid.axis, 1);
  EXPECT_EQ(grid.scale, (std::vector<float>{1.27F / 127, 0.254F / 127, 0.9F / 127}));
  EXPECT_EQ(model.float_reasons.at("e_node"), "only matrix products find their ranges at run time");
  EXPECT_EQ(model.float_reasons.size(), 1U);
  EXPECT_EQ(net.assigned({}, DynamicRange::PerTensor).dynamic.at("y"), DynamicRange::PerTensor);
}

TEST(AssignDynamic, TheRecipeDecides) {
  Net net;
  net.product("y");
  net.product("z");
  Recipe recipe;
  recipe.rules = {keep_float("y*")};
  // What one layer reads rounded, the other would too.
  QuantizedModel model = net.assigned(recipe);
  EXPECT_TRUE(model.dynamic.empty());
  EXPECT_EQ(model.float_reasons.at("y_node"), "rule 1 of the recipe keeps it in float");
  EXPECT_EQ(model.float_reasons.at("z_node"), "its weights 'w' are also read by others");
  recipe.rules = {keep_float("w", Role::Weights)};
  model = net.assigned(recipe);
  EXPECT_TRUE(model.encodings.empty());
  EXPECT_EQ(model.float_reasons.at("z_node"), "rule 1 of the recipe keeps its weights in float");
  recipe.rules = {keep_float("w", Role::Weights)};
  recipe.rules[0].spec = parse_quant_type("int8");
  EXPECT_TRUE(net.assigned(recipe).encodings.at("w").params.per_tensor());
}

TEST(AssignDynamic, WhatCannotBeSharedOrComputedStaysFloat) {
  Net shared;
  shared.product("y");
  shared.output(shared.node("Neg", {shared.w}, "n"));
  EXPECT_TRUE(shared.assigned().encodings.empty());
  Net scaled;
  scaled.output(scaled.node("Gemm", {scaled.x, scaled.w}, "y", {{"alpha", 0.5F}}));
  const QuantizedModel model = scaled.assigned();
  EXPECT_TRUE(model.dynamic.empty());
  EXPECT_TRUE(model.encodings.empty());
  EXPECT_EQ(model.float_reasons.at("y_node"), "its alpha is not 1");
}

TEST(AssignDynamic, DamagedWeightsAndUnknownWords) {
  Net net(NAN);
  net.product("y");
  EXPECT_THROW(net.assigned(), Error);
  EXPECT_EQ(parse_dynamic_range("per_row"), DynamicRange::PerRow);
  try {
    parse_dynamic_range("per_tonsor");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean 'per_tensor'?"), std::string::npos);
  }
}

}  // namespace
}  // namespace halftone::assign_dynamic_test
