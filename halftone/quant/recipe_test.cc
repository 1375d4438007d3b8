#include "halftone/quant/recipe.h"

#include <gtest/gtest.h>

#include <map>

#include "halftone/base/error.h"
#include "halftone/quant/assign.h"
#include "halftone/quant/named_rules.h"
#include "tests/support/test_graph.h"

namespace halftone::recipe_test {
namespace {

TEST(Glob, MatchesAsShellsDo) {
  EXPECT_TRUE(glob_match("*", ""));
  EXPECT_TRUE(glob_match("", ""));
  EXPECT_FALSE(glob_match("", "a"));
  EXPECT_TRUE(glob_match("conv?", "conv1"));
  EXPECT_FALSE(glob_match("conv?", "conv"));
  EXPECT_FALSE(glob_match("conv?", "conv12"));
  EXPECT_TRUE(glob_match("features.*.conv", "features.0.3.conv"));
  EXPECT_TRUE(glob_match("*a*b*", "xxaxxbxx"));
  EXPECT_FALSE(glob_match("*a*b", "xxaxxbxx"));
  EXPECT_TRUE(glob_match("**", "x"));
  EXPECT_TRUE(glob_match("a[0].b", "a[0].b")) << "brackets are ordinary characters";
}

TEST(Glob, HostilePatternsTakeBoundedTime) {
  std::string pattern;
  for (int i = 0; i < 2000; ++i) pattern += "*a";
  EXPECT_FALSE(glob_match(pattern + "b", std::string(2000, 'a')));
}

TEST(Recipe, DefaultsAreTheUsualInt8) {
  const Recipe recipe;
  EXPECT_EQ(type_name(recipe.weights), "int8");
  EXPECT_TRUE(recipe.weights.symmetric && recipe.weights.narrow_range);
  EXPECT_EQ(recipe.weights.granularity, Granularity::PerChannel);
  EXPECT_EQ(type_name(recipe.activations), "uint8");
  EXPECT_FALSE(recipe.activations.symmetric);
}

TEST(Recipe, ReadsEverythingAFileCanSay) {
  const Recipe recipe = Recipe::from_json(R"({
    "weights": {"type": "int4", "granularity": "per_tensor", "observer": "percentile:99.9", "narrow_range": false},
    "activations": {"type": "int8", "symmetric": true, "observer": "min_max"},
    "rules": [
      {"match": {"name": "head.*", "op": "Gemm"}, "keep": "float"},
      {"match": {"op": "Conv", "role": "weights"}, "spec": {"type": "int8"}}
    ]})",
                                          "r.json");
  EXPECT_EQ(type_name(recipe.weights), "int4");
  EXPECT_TRUE(recipe.weights.symmetric);
  EXPECT_FALSE(recipe.weights.narrow_range);
  EXPECT_EQ(recipe.weights.granularity, Granularity::PerTensor);
  EXPECT_TRUE(recipe.activations.is_signed && recipe.activations.symmetric);
  ASSERT_EQ(recipe.rules.size(), 2U);
  EXPECT_FALSE(recipe.rules[0].role || recipe.rules[0].spec);
  EXPECT_EQ(recipe.rules[1].spec->bits, 8);
  EXPECT_EQ(recipe.rules[1].spec->observer, "percentile:99.9") << "what a rule leaves out is the recipe's default";
}

TEST(Recipe, ReadsGridsGranularitiesAndRangesFoundAtRunTime) {
  const Recipe recipe = Recipe::from_json(R"({
    "weights": {"type": "int4", "granularity": "per_block:32", "grid": "power_of_two_scale",
                "rounding": "stochastic:7"},
    "activations": {"granularity": "per_channel"},
    "rules": [
      {"match": {"op": "MatMul"}, "range": "dynamic:per_row"},
      {"match": {"op": "Conv"}, "range": "dynamic"},
      {"match": {"role": "weights"}, "spec": {"type": "int1", "grid": "binary", "granularity": "per_channel",
                                               "rounding": "stochastic_binary"}}
    ]})",
                                          "r.json");
  EXPECT_EQ(recipe.weights.granularity, Granularity::PerBlock);
  EXPECT_EQ(recipe.weights.block_size, 32);
  EXPECT_EQ(recipe.weights.grid, "power_of_two_scale");
  EXPECT_EQ(recipe.weights.rounding, "stochastic:7");
  EXPECT_EQ(recipe.activations.granularity, Granularity::PerChannel);
  ASSERT_EQ(recipe.rules.size(), 3U);
  EXPECT_EQ(recipe.rules[0].dynamic, DynamicRange::PerRow);
  EXPECT_EQ(recipe.rules[1].dynamic, DynamicRange::PerTensor);
  EXPECT_FALSE(recipe.rules[0].keeps_float());
  EXPECT_EQ(recipe.rules[2].spec->grid, "binary");
}

TEST(Recipe, TheFirstMatchingRuleOfTheRoleDecides) {
  const Recipe recipe = Recipe::from_json(R"({"rules": [
      {"match": {"name": "a*"}, "keep": "float"},
      {"match": {"name": "ab", "role": "weights"}, "spec": {"type": "int4"}},
      {"match": {"role": "weights"}, "spec": {"type": "int2"}}]})",
                                          "r.json");
  EXPECT_EQ(recipe.find_rule({{"ab"}, "Conv"}, Role::Weights), 1U);
  EXPECT_EQ(recipe.find_rule({{"xy"}, "Conv"}, Role::Weights), 2U);
  EXPECT_EQ(recipe.find_rule({{"ab"}, "Conv"}, std::nullopt), 0U);
  EXPECT_EQ(recipe.find_rule({{"xy", "ay"}, "Conv"}, std::nullopt), 0U) << "one of several names is enough";
  EXPECT_EQ(recipe.find_rule({{"ab"}, "Conv"}, Role::Activations), std::nullopt);
}

TEST(Recipe, RulesOfPlacesTakeTheNamesOfTheNetwork) {
  const Recipe recipe = Recipe::from_json(R"({"rules": [
      {"match": {"layer": "first", "role": "weights"}, "spec": {"type": "int8"}},
      {"match": {"layer": "last", "role": "weights"}, "spec": {"type": "int8"}},
      {"match": {"layer": "last", "role": "activations"}, "spec": {"type": "uint8"}},
      {"match": {"layer": "last"}, "keep": "float"},
      {"match": {"name": "b*"}, "keep": "float"}]})",
                                          "r.json");
  Graph graph;
  const ValueId x = graph.add_value("x", {DType::Float, to_dims({2, 3})});
  graph.inputs() = {x};
  ValueId last = x;
  for (const std::string name : {"a", "b", "c"}) {
    Node relu, product;
    relu.op_type = "Relu";
    relu.inputs = {last};
    relu.outputs = {graph.add_value(name + ".relu")};
    product.op_type = "MatMul";
    product.inputs = {relu.outputs[0], graph.add_constant(name + ".w", Tensor(DType::Float, {3, 3}))};
    product.outputs = {graph.add_value(name + ".y")};
    last = product.outputs[0];
    graph.nodes().push_back(relu);
    graph.nodes().push_back(product);
  }
  graph.outputs() = {last};
  const Recipe named = with_named_rules(recipe, graph);
  std::vector<std::string> names;
  for (const RecipeRule& rule : named.rules) names.push_back(rule.name);
  EXPECT_EQ(names, (std::vector<std::string>{"a.w", "c.w", "c.relu", "c.y", "b*"}));
  graph.nodes().clear();
  EXPECT_EQ(with_named_rules(recipe, graph).find_rule({{"a.w"}, "MatMul"}, Role::Weights), std::nullopt);
}

TEST(Recipe, WhatTheLastLayerReadsHasItsGridWhereItIsMade) {
  test::TestGraph net;
  const ValueId x = net.input("x", test::typed({1, 2, 4, 4}));
  const ValueId kernels = net.constant(Tensor::from<float>({2, 2, 1, 1}, {1, 0.5F, -1, 2}));
  const ValueId convolved = net("Conv", {x, kernels});
  const ValueId pooled = net("GlobalAveragePool", {convolved});
  const ValueId flat = net("Flatten", {pooled});
  net.graph.outputs() = {net("Gemm", {flat, net.constant(Tensor::from<float>({2, 2}, {1, 2, 3, 4}))})};
  infer_shapes(net.graph);
  const Recipe recipe = Recipe::from_json(
      R"({"activations": {"type": "uint2"},
          "rules": [{"match": {"layer": "last", "role": "activations"}, "spec": {"type": "uint6"}}]})",
      "r.json");
  const QuantPlan plan = plan_quantization(net.graph, recipe);
  std::map<std::string, int> bits;
  for (const GridGroup& group : plan.groups) {
    for (ValueId id : group.values) bits[net.graph.value(id).name] = group.spec.bits;
  }
  const auto bits_of_value = [&](ValueId id) { return bits.at(net.graph.value(id).name); };
  EXPECT_EQ(bits_of_value(pooled), 6) << "the same numbers as what the Gemm reads";
  EXPECT_EQ(bits_of_value(flat), 6);
  EXPECT_EQ(bits_of_value(convolved), 2) << "the pool computes others";
  EXPECT_EQ(plan.unused_rules.size(), 0U);
}

TEST(Recipe, MistakesAreErrorsThatNameThePlace) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "must be JSON"},
      {"[]", "object in braces"},
      {R"({"rules": [{"match": {"layer": "middle"}, "keep": "float"}]})", "first or last is required"},
      {R"({"rules": [{"match": {"layer": "last", "name": "a"}, "keep": "float"}]})", "don't go together"},
      {R"({"wieghts": {}})", "did you mean 'weights'?"},
      {R"({"weights": 8})", "r.json: weights: an object"},
      {R"({"weights": {"typ": "int8"}})", "did you mean 'type'?"},
      {R"({"weights": {"type": "itn8"}})", "did you mean 'int8'?"},
      {R"({"weights": {"type": 8}})", "must be a text"},
      {R"({"weights": {"symmetric": "yes"}})", "must be true or false"},
      {R"({"weights": {"granularity": "per_chanel"}})", "did you mean 'per_channel'?"},
      {R"({"activations": {"granularity": "per_block:4"}})", "found per_block"},
      {R"({"activations": {"grid": "codebook"}})", "found codebook"},
      {R"({"activations": {"rounding": "stochastic"}})", "nearest_even is required"},
      {R"({"weights": {"observer": "batch_norm"}})", "observer of numbers"},
      {R"({"weights": {"type": "int4", "grid": "codebook", "granularity": "per_block:4"}})", "don't go together"},
      {R"({"weights": {"grid": "affin"}})", "did you mean 'affine'?"},
      {R"({"weights": {"type": "int1"}})", "r.json: weights: quantization: 1 bit"},
      {R"({"weights": {"grid": "binary"}})", "found 8"},
      {R"({"weights": {"rounding": "stochastic:x"}})", "requires a seed"},
      {R"({"weights": {"granularity": "per_group"}})", "per_group:32"},
      {R"({"weights": {"granularity": "per_group:0"}})", "at least 1"},
      {R"({"weights": {"granularity": "per_block:1.5"}})", "at least 1"},
      {R"({"weights": {"granularity": "per_channel:2"}})", "takes no size"},
      {R"({"rules": [{"match": {}, "range": "static"}]})", "dynamic or dynamic:per_row"},
      {R"({"rules": [{"match": {}, "range": "dynamic:per_rov"}]})", "did you mean 'per_row'?"},
      {R"({"rules": [{"match": {"role": "weights"}, "range": "dynamic"}]})", "as a whole"},
      {R"({"rules": [{"match": {}, "range": "dynamic", "keep": "float"}]})", "either"},
      {R"({"activations": {"observer": "percentil"}})", "did you mean 'percentile'?"},
      {R"({"activations": {"observer": "percentile:200"}})", "from 50 to 100"},
      {R"({"rules": {}})", "list in brackets"},
      {R"({"rules": [{"keep": "float"}]})", "r.json: rule 1: a rule requires \"match\""},
      {R"({"rules": [{"match": {}}]})", "either"},
      {R"({"rules": [{"match": {}, "keep": "int8"}]})", "can only be \"float\""},
      {R"({"rules": [{"match": {"op": "Convv"}, "keep": "float"}]})", "did you mean 'Conv'?"},
      {R"({"rules": [{"match": {"role": "weight"}, "keep": "float"}]})", "did you mean 'weights'?"},
      {R"({"rules": [{"match": {}, "spec": {}}]})", "requires \"role\""},
      {R"({"rules": [{"match": {"nome": "x"}, "keep": "float"}]})", "did you mean 'name'?"},
  };
  for (const auto& [text, expected] : cases) {
    try {
      Recipe::from_json(text, "r.json");
      ADD_FAILURE() << text << " was accepted";
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::InvalidArgument);
      EXPECT_TRUE(std::string(e.what()).starts_with("r.json: ")) << e.what();
      EXPECT_NE(std::string(e.what()).find(expected), std::string::npos) << text << "\n" << e.what();
    }
  }
}

TEST(Recipe, DeeplyNestedTextIsRefusedWithoutHarm) {
  EXPECT_THROW(Recipe::from_json(std::string(1000000, '['), "r.json"), Error);
  EXPECT_THROW(Recipe::from_json("{\"rules\": " + std::string(100000, '[') + std::string(100000, ']') + "}", "r.json"),
               Error);
}

TEST(MakeRecipe, TakesTheCommandLinesWords) {
  const Recipe recipe = make_recipe("int4", "int8", "per_tensor", "percentile:99.9");
  EXPECT_EQ(type_name(recipe.weights), "int4");
  EXPECT_TRUE(recipe.weights.symmetric);
  EXPECT_EQ(recipe.weights.granularity, Granularity::PerTensor);
  EXPECT_EQ(type_name(recipe.activations), "int8");
  EXPECT_EQ(recipe.activations.observer, "percentile:99.9");
  const Recipe groups = make_recipe("int4:codebook", "uint16", "per_group:16", "min_max");
  EXPECT_EQ(groups.weights.grid, "codebook");
  EXPECT_EQ(groups.weights.granularity, Granularity::PerGroup);
  EXPECT_EQ(groups.weights.group_size, 16);
  EXPECT_EQ(groups.activations.bits, 16);
  EXPECT_THROW(make_recipe("int4:codebok", "uint8", "per_channel", "min_max"), Error);
  EXPECT_THROW(make_recipe("int9:codebook", "uint8", "per_channel", "min_max"), Error);
  EXPECT_THROW(make_recipe("int0", "uint8", "per_channel", "min_max"), Error);
  EXPECT_THROW(make_recipe("int17", "uint8", "per_channel", "min_max"), Error);
  EXPECT_THROW(make_recipe("int8", "uint8", "per_layer", "min_max"), Error);
  EXPECT_THROW(make_recipe("int8", "uint8", "per_channel", "max_min"), Error);
  EXPECT_THROW(make_recipe("float", "uint8", "per_channel", "min_max"), Error);
}

}  // namespace
}  // namespace halftone::recipe_test
