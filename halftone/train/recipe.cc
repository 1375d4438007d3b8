#include "halftone/train/recipe.h"

#include "halftone/quant/json_section.h"
#include "halftone/quant/rule_match.h"

namespace halftone::train {
namespace {

using Words = std::vector<std::string_view>;

// Rates beyond these are typing mistakes.
constexpr double kLeastRate = 0, kLargestRate = 1000;
constexpr int64_t kMostEpochs = 1'000'000, kLargestBatch = 1 << 16;

// Ranges of least squared error are where training starts best; what the recipe says goes before.
Recipe usual_grids() {
  Recipe recipe;
  recipe.weights.observer = recipe.activations.observer = "mse";
  return recipe;
}

QuantizerRule read_rule(const JsonSection& section) {
  section.allow(Words{"match", "quantizer"});
  if (!section.has("match") || !section.has("quantizer")) section.refuse("\"match\" and \"quantizer\" are required");
  const RecipeRule match = read_match(section.section("match"));
  QuantizerRule rule;
  rule.name = match.name;
  rule.op = match.op;
  rule.role = match.role;
  rule.place = match.place;
  rule.quantizer = section.request("quantizer", "quantizer");
  return rule;
}

QuantizerChoice read_choice(const JsonSection& section) {
  section.allow(Words{"weights", "activations", "rules"});
  QuantizerChoice choice;
  if (section.has("weights")) choice.weights = section.request("weights", "quantizer");
  if (section.has("activations")) choice.activations = section.request("activations", "quantizer");
  for (const JsonSection& rule : section.sections("rules", "rule")) choice.rules.push_back(read_rule(rule));
  return choice;
}

}  // namespace

TrainRecipe TrainRecipe::from_json(const std::string& text, const std::string& where) {
  const nlohmann::json document = parse_recipe_json(text, where);
  const JsonSection section(document, where);
  section.allow(Words{"quantize", "quantizers", "calibration_images", "losses", "augment", "mixup", "optimizer",
                      "schedule", "rate", "scale_rate", "clip", "average", "freeze_batch_norm", "epochs", "batch",
                      "seed"});
  TrainRecipe recipe;
  if (section.has("quantize")) {
    recipe.quantization = Recipe::from_json(section.at("quantize").dump(), section.path("quantize"), usual_grids());
    if (!recipe.quantization->steps.empty()) {
      section.refuse("steps don't go into training, which changes the weights itself, found '{}'",
                     recipe.quantization->steps.front().name);
    }
  }
  if (section.has("quantizers")) {
    if (!recipe.quantization) section.refuse("\"quantizers\" need grids, \"quantize\", e.g. {{\"weights\": ...}}");
    recipe.quantizers = read_choice(section.section("quantizers"));
  }
  if (section.has("calibration_images")) recipe.calibration_images = section.count("calibration_images", 1, INT64_MAX);
  if (section.has("losses")) recipe.losses = section.requests("losses", "loss");
  if (section.has("augment")) recipe.augment = section.requests("augment", "change");
  if (section.has("mixup")) recipe.mixup = {"mixup", {{"alpha", section.at("mixup").dump()}}};
  if (section.has("optimizer")) recipe.optimizer = section.request("optimizer", "optimizer");
  if (section.has("schedule")) recipe.schedule = section.request("schedule", "schedule");
  if (section.has("rate")) recipe.rates = {section.number("rate", kLeastRate, kLargestRate), 0};
  recipe.rates.scales =
      section.has("scale_rate") ? section.number("scale_rate", kLeastRate, kLargestRate) : recipe.rates.weights;
  if (section.has("clip")) recipe.clip = section.number("clip", 1e-6, 1e6);
  if (section.has("average")) recipe.average = section.number("average", 0, 1);
  if (section.has("freeze_batch_norm")) {
    recipe.freeze_batch_norm = section.number("freeze_batch_norm", 0, static_cast<double>(kMostEpochs));
  }
  if (section.has("epochs")) recipe.epochs = section.count("epochs", 1, kMostEpochs);
  if (section.has("batch")) recipe.batch = section.count("batch", 1, kLargestBatch);
  if (section.has("seed")) recipe.seed = static_cast<uint64_t>(section.count("seed", 0, INT64_MAX));
  recipe.text = document.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return recipe;
}

}  // namespace halftone::train
