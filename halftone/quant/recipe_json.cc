#include <array>

#include "halftone/base/error.h"
#include "halftone/quant/assign_dynamic.h"
#include "halftone/quant/json_section.h"
#include "halftone/quant/observer.h"
#include "halftone/quant/recipe.h"
#include "halftone/quant/rounding.h"
#include "halftone/quant/rule_match.h"

namespace halftone {
namespace {

QuantSpec read_spec(const JsonSection& section, Role role, QuantSpec spec) {
  section.allow(std::to_array<std::string_view>(
      {"type", "symmetric", "narrow_range", "granularity", "grid", "rounding", "observer"}));
  if (section.has("type")) {
    const QuantSpec type = section.parse("type", [](const std::string& word) { return parse_quant_type(word); });
    spec.bits = type.bits;
    spec.is_signed = type.is_signed;
  }
  if (section.has("symmetric")) spec.symmetric = section.flag("symmetric");
  if (section.has("narrow_range")) spec.narrow_range = section.flag("narrow_range");
  if (section.has("granularity")) {
    section.parse("granularity", [&](const std::string& word) { parse_granularity(word, spec); });
  }
  if (section.has("grid")) spec.grid = section.text("grid");
  if (section.has("rounding")) {
    spec.rounding = section.text("rounding");
    section.parse("rounding", [](const std::string& word) { make_rounding(word); });
  }
  if (section.has("observer")) {
    spec.observer = section.text("observer");
    section.parse("observer", [](const std::string& word) { make_observer(word); });
  }
  section.guard([&] { check_spec(spec, role); });
  return spec;
}

// "dynamic", "dynamic:per_row".
DynamicRange read_range(const std::string& word) {
  const size_t colon = word.find(':');
  if (word.substr(0, colon) != "dynamic") {
    fail(ErrorCode::InvalidArgument, "range", "dynamic or dynamic:per_row is required, found '{}'", word);
  }
  return colon == std::string::npos ? DynamicRange::PerTensor : parse_dynamic_range(word.substr(colon + 1));
}

RecipeRule read_rule(const JsonSection& section, const Recipe& recipe) {
  section.allow(std::to_array<std::string_view>({"match", "spec", "keep", "range"}));
  if (!section.has("match")) section.refuse("a rule requires \"match\"");
  if (section.has("spec") + section.has("keep") + section.has("range") != 1) {
    section.refuse("a rule requires either \"spec\", \"keep\" or \"range\"");
  }
  const JsonSection match = section.section("match");
  RecipeRule rule = read_match(match);
  if (section.has("keep")) {
    if (section.text("keep") != "float")
      section.refuse("\"keep\" can only be \"float\", found '{}'", section.text("keep"));
    return rule;
  }
  if (section.has("range")) {
    if (rule.role) match.refuse("a rule with \"range\" speaks of a layer as a whole, found a role");
    rule.dynamic = section.parse("range", read_range);
    return rule;
  }
  if (!rule.role) match.refuse("a rule with \"spec\" requires \"role\", weights or activations");
  const QuantSpec& defaults = *rule.role == Role::Weights ? recipe.weights : recipe.activations;
  rule.spec = read_spec(section.section("spec"), *rule.role, defaults);
  return rule;
}

}  // namespace

Recipe Recipe::from_json(const std::string& text, const std::string& where, const Recipe& defaults) {
  const nlohmann::json document = parse_recipe_json(text, where);
  const JsonSection section(document, where);
  section.allow(std::to_array<std::string_view>({"weights", "activations", "sums", "rules", "steps"}));
  Recipe recipe = defaults;
  if (section.has("weights")) recipe.weights = read_spec(section.section("weights"), Role::Weights, recipe.weights);
  if (section.has("activations")) {
    recipe.activations = read_spec(section.section("activations"), Role::Activations, recipe.activations);
  }
  if (section.has("sums")) recipe.sums = read_spec(section.section("sums"), Role::Activations, recipe.spec_of_sums());
  for (const JsonSection& rule : section.sections("rules", "rule")) recipe.rules.push_back(read_rule(rule, recipe));
  if (section.has("steps")) recipe.steps = section.requests("steps", "step");
  return recipe;
}

}  // namespace halftone
