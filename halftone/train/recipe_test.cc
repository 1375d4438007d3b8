#include "halftone/train/recipe.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "halftone/base/file.h"
#include "tests/support/error_of.h"

namespace halftone::train::recipe_test {
namespace {

TEST(TrainRecipe, SaysWhatTheFileSays) {
  const TrainRecipe recipe = TrainRecipe::from_json(R"({
    "quantize": {"weights": {"type": "int2"}, "activations": {"type": "uint3", "observer": "min_max"},
                 "rules": [{"match": {"layer": "first", "role": "weights"}, "spec": {"type": "int8"}}]},
    "quantizers": {"weights": "ternary:mode=learned", "activations": {"quantizer": "pact", "decay": 0.001},
                   "rules": [{"match": {"layer": "last", "role": "weights"}, "quantizer": "lsq"},
                             {"match": {"name": "a*", "op": "Conv"}, "quantizer": "dsq"}]},
    "calibration_images": 7,
    "losses": ["cross_entropy:smoothing=0.1", {"loss": "soft_targets", "weight": 2}],
    "augment": ["flip"], "mixup": 0.2, "optimizer": "adam", "schedule": "step:every=3",
    "rate": 0.5, "scale_rate": 0.25, "clip": 2, "average": 0.9, "freeze_batch_norm": 1.5,
    "epochs": 3, "batch": 16, "seed": 9})",
                                                    "r.json");
  ASSERT_TRUE(recipe.quantization);
  EXPECT_EQ(recipe.quantization->weights.bits, 2);
  EXPECT_EQ(recipe.quantization->weights.observer, "mse") << "where training starts unless the recipe says otherwise";
  EXPECT_EQ(recipe.quantization->activations.observer, "min_max");
  EXPECT_EQ(recipe.quantization->rules.at(0).place, Place::First);
  EXPECT_EQ(recipe.quantizers.weights, (StepRequest{"ternary", {{"mode", "learned"}}}));
  EXPECT_EQ(recipe.quantizers.activations, (StepRequest{"pact", {{"decay", "0.001"}}}));
  ASSERT_EQ(recipe.quantizers.rules.size(), 2U);
  EXPECT_EQ(recipe.quantizers.rules[0].place, Place::Last);
  EXPECT_EQ(recipe.quantizers.rules[0].role, Role::Weights);
  EXPECT_EQ(recipe.quantizers.rules[1].name, "a*");
  EXPECT_EQ(recipe.quantizers.rules[1].op, "Conv");
  EXPECT_EQ(recipe.quantizers.rules[1].role, std::nullopt);
  EXPECT_EQ(recipe.calibration_images, 7);
  EXPECT_EQ(recipe.losses.at(0), (StepRequest{"cross_entropy", {{"smoothing", "0.1"}}}));
  EXPECT_EQ(recipe.losses.at(1), (StepRequest{"soft_targets", {{"weight", "2"}}}));
  EXPECT_EQ(recipe.mixup, (StepRequest{"mixup", {{"alpha", "0.2"}}}));
  EXPECT_EQ(recipe.schedule, (StepRequest{"step", {{"every", "3"}}}));
  EXPECT_EQ(recipe.rates.weights, 0.5);
  EXPECT_EQ(recipe.rates.scales, 0.25);
  EXPECT_EQ(recipe.clip, 2);
  EXPECT_EQ(recipe.average, 0.9);
  EXPECT_EQ(recipe.freeze_batch_norm, 1.5);
  EXPECT_EQ(recipe.epochs, 3);
  EXPECT_EQ(recipe.batch, 16);
  EXPECT_EQ(recipe.seed, 9U);
}

TEST(TrainRecipe, ScalesHaveTheRateOfWeightsUnlessTold) {
  EXPECT_EQ(TrainRecipe::from_json(R"({"rate": 0.5})", "r").rates.scales, 0.5);
  EXPECT_FALSE(TrainRecipe::from_json("{}", "r").quantization);
}

TEST(TrainRecipe, MistakesAreErrorsThatNameThePlace) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{", "must be JSON"},
      {R"({"epoch": 1})", "did you mean 'epochs'?"},
      {R"({"epochs": 0})", "'epochs' must be a whole number from 1"},
      {R"({"epochs": 1.5})", "found 1.5"},
      {R"({"epochs": 18446744073709551615})", "'epochs' must be a whole number"},
      {R"({"rate": -1})", "'rate' must be a number from 0"},
      {R"({"rate": "fast"})", "found \"fast\""},
      {R"({"losses": "cross_entropy"})", "'losses' must be a list"},
      {R"({"losses": [3]})", "loss 1: an object in braces is required"},
      {R"({"losses": ["a, b"]})", "one name is required, found 'a, b'"},
      {R"({"losses": [{"loss": "l2", "weight": []}]})", "'weight' must be a text"},
      {R"({"quantizers": {"weights": "lsq"}})", "need grids"},
      {R"({"quantize": {"steps": ["equalize"]}})", "steps don't go into training"},
      {R"({"quantize": {"weights": {"typ": "int4"}}})", "quantize: weights: 'typ' is no word"},
      {R"({"quantize": {}, "quantizers": {"rules": [{"quantizer": "lsq"}]}})", "rule 1: \"match\""},
      {R"({"quantize": {}, "quantizers": {"rules": [{"match": {"role": "bias"}, "quantizer": "lsq"}]}})",
       "role must be weights or activations, found 'bias'"},
  };
  for (const auto& [text, expected] : cases) {
    const std::string message = test::error_of([&] { TrainRecipe::from_json(text, "r.json"); });
    EXPECT_NE(message.find(expected), std::string::npos) << text << "\n" << message;
    EXPECT_EQ(message.find("r.json"), 0U) << message;
  }
}

}  // namespace
}  // namespace halftone::train::recipe_test
