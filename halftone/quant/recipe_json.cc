#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "halftone/base/error.h"
#include "halftone/graph/op_table.h"
#include "halftone/quant/assign_dynamic.h"
#include "halftone/quant/observer.h"
#include "halftone/quant/recipe.h"
#include "halftone/quant/rounding.h"

namespace halftone {
namespace {

using nlohmann::json;

// A value as messages show it; lists and objects may be of any size and depth.
std::string shown(const json& value) {
  if (value.is_array()) return "a list";
  if (value.is_object()) return "an object";
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

// One object of the file and the place where it stands, for messages.
class Section {
 public:
  Section(const json& object, std::string where) : object_(object), where_(std::move(where)) {
    if (!object.is_object()) refuse("an object in braces is required, found {}", shown(object));
  }

  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorCode::InvalidArgument, where_, format, std::forward<Args>(args)...);
  }

  template <size_t n>
  void allow(const std::array<std::string_view, n>& words) const {
    for (const auto& [key, value] : object_.items()) {
      if (std::find(words.begin(), words.end(), key) != words.end()) continue;
      const std::string nearest = nearest_word(key, words);
      refuse("'{}' is no word of a recipe here, {}", key,
             nearest.empty() ? fmt::format("one of {} is required", fmt::join(words, ", "))
                             : fmt::format("did you mean '{}'?", nearest));
    }
  }

  bool has(std::string_view key) const { return object_.contains(key); }
  Section section(const char* key) const { return {object_.at(key), path(key)}; }
  const json& at(const char* key) const { return object_.at(key); }
  std::string path(std::string_view key) const { return fmt::format("{}: {}", where_, key); }

  std::string text(const char* key) const {
    if (!object_.at(key).is_string()) refuse("'{}' must be a text in quotes, found {}", key, shown(object_.at(key)));
    return object_.at(key).get<std::string>();
  }
  bool flag(const char* key) const {
    if (!object_.at(key).is_boolean()) refuse("'{}' must be true or false, found {}", key, shown(object_.at(key)));
    return object_.at(key).get<bool>();
  }

  // Runs a parser of one word and puts the place before what it complains about.
  template <typename F>
  auto parse(const char* key, const F& parser) const {
    const std::string word = text(key);
    return guard([&] { return parser(word); });
  }
  // The same for any check.
  template <typename F>
  auto guard(const F& check) const {
    try {
      return check();
    } catch (const Error& e) {
      refuse("{}", e.what());
    }
  }

 private:
  const json& object_;
  std::string where_;
};

QuantSpec read_spec(const Section& section, Role role, QuantSpec spec) {
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

void require_known_op(const Section& section, const std::string& op) {
  if (op.find_first_of("*?") != std::string::npos || op == "Input") return;
  std::vector<std::string_view> names;
  for (const OpRow& row : all_ops()) names.push_back(row.name);
  if (std::find(names.begin(), names.end(), op) != names.end()) return;
  const std::string nearest = nearest_word(op, names);
  section.refuse("'{}' is no operator that Halftone quantizes{}", op,
                 nearest.empty() ? "" : fmt::format(", did you mean '{}'?", nearest));
}

// "dynamic", "dynamic:per_row".
DynamicRange read_range(const std::string& word) {
  const size_t colon = word.find(':');
  if (word.substr(0, colon) != "dynamic") {
    fail(ErrorCode::InvalidArgument, "range", "dynamic or dynamic:per_row is required, found '{}'", word);
  }
  return colon == std::string::npos ? DynamicRange::PerTensor : parse_dynamic_range(word.substr(colon + 1));
}

RecipeRule read_rule(const Section& section, const Recipe& recipe) {
  section.allow(std::to_array<std::string_view>({"match", "spec", "keep", "range"}));
  if (!section.has("match")) section.refuse("a rule requires \"match\"");
  if (section.has("spec") + section.has("keep") + section.has("range") != 1) {
    section.refuse("a rule requires either \"spec\", \"keep\" or \"range\"");
  }
  const Section match = section.section("match");
  match.allow(std::to_array<std::string_view>({"name", "op", "role"}));
  RecipeRule rule;
  if (match.has("name")) rule.name = match.text("name");
  if (match.has("op")) {
    rule.op = match.text("op");
    require_known_op(match, rule.op);
  }
  if (match.has("role")) {
    const std::string role = match.text("role");
    if (role != "weights" && role != "activations") {
      const std::string nearest = nearest_word(role, std::array{"weights", "activations"});
      match.refuse("role must be weights or activations, found '{}'{}", role,
                   nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
    }
    rule.role = role == "weights" ? Role::Weights : Role::Activations;
  }
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

// "equalize", or {"step": "equalize", "exponent": 0.5}.
StepRequest read_step(const json& entry, const std::string& where) {
  if (entry.is_string()) return {entry.get<std::string>(), {}};
  const Section section(entry, where);
  if (!section.has("step")) section.refuse("a step requires \"step\", its name");
  StepRequest step{section.text("step"), {}};
  for (const auto& [word, value] : entry.items()) {
    if (word == "step") continue;
    if (!value.is_string() && !value.is_number() && !value.is_boolean()) {
      section.refuse("'{}' must be a text, a number, true or false, found {}", word, shown(value));
    }
    step.words[word] = value.is_string() ? value.get<std::string>() : value.dump();
  }
  return step;
}

std::vector<StepRequest> read_steps(const Section& recipe) {
  const json& entries = recipe.at("steps");
  if (!entries.is_array()) recipe.refuse("'steps' must be a list in brackets, found {}", shown(entries));
  std::vector<StepRequest> steps;
  for (size_t i = 0; i < entries.size(); ++i) {
    steps.push_back(read_step(entries[i], recipe.path(fmt::format("step {}", i + 1))));
  }
  return steps;
}

}  // namespace

Recipe Recipe::from_json(const std::string& text, const std::string& where, const Recipe& defaults) {
  json document;
  try {
    document = json::parse(text);
  } catch (const json::exception& e) {
    fail(ErrorCode::InvalidArgument, where, "a recipe must be JSON: {}", e.what());
  }
  const Section section(document, where);
  section.allow(std::to_array<std::string_view>({"weights", "activations", "sums", "rules", "steps"}));
  Recipe recipe = defaults;
  if (section.has("weights")) recipe.weights = read_spec(section.section("weights"), Role::Weights, recipe.weights);
  if (section.has("activations")) {
    recipe.activations = read_spec(section.section("activations"), Role::Activations, recipe.activations);
  }
  if (section.has("sums")) recipe.sums = read_spec(section.section("sums"), Role::Activations, recipe.spec_of_sums());
  if (section.has("rules")) {
    const json& rules = section.at("rules");
    if (!rules.is_array()) section.refuse("'rules' must be a list in brackets, found {}", shown(rules));
    for (size_t i = 0; i < rules.size(); ++i) {
      recipe.rules.push_back(read_rule({rules[i], section.path(fmt::format("rule {}", i + 1))}, recipe));
    }
  }
  if (section.has("steps")) recipe.steps = read_steps(section);
  return recipe;
}

}  // namespace halftone
