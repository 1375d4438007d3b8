#include "halftone/quant/recipe.h"

#include <algorithm>
#include <array>

#include "halftone/base/error.h"
#include "halftone/quant/grid.h"
#include "halftone/quant/observer.h"

namespace halftone {

bool glob_match(std::string_view pattern, std::string_view text) {
  size_t p = 0, t = 0;
  // Where to go on when something after the last * does not fit: that * takes one character more.
  size_t star = std::string_view::npos, taken = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  return std::all_of(pattern.begin() + static_cast<ptrdiff_t>(p), pattern.end(), [](char c) { return c == '*'; });
}

bool RecipeRule::matches(const Subject& subject) const {
  return glob_match(op, subject.op) && std::any_of(subject.names.begin(), subject.names.end(),
                                                   [&](std::string_view text) { return glob_match(name, text); });
}

Recipe::Recipe() {
  weights.is_signed = weights.symmetric = weights.narrow_range = true;
  weights.granularity = Granularity::PerChannel;
  activations.observer = "percentile";
}

QuantSpec Recipe::spec_of_sums() const {
  if (sums) return *sums;
  QuantSpec spec = activations;
  spec.bits = std::max(spec.bits, 8);
  return spec;
}

std::optional<size_t> Recipe::find_rule(const Subject& subject, std::optional<Role> role) const {
  for (size_t i = 0; i < rules.size(); ++i) {
    if (rules[i].role == role && rules[i].matches(subject)) return i;
  }
  return std::nullopt;
}

Place parse_place(std::string_view word) {
  if (word == "first") return Place::First;
  if (word == "last") return Place::Last;
  fail(ErrorCode::InvalidArgument, "layer", "first or last is required, found '{}'", word);
}

void check_spec(const QuantSpec& spec, Role role) {
  check_spec(spec);
  if (role == Role::Weights) {
    if (make_observer(spec)->needs_data()) return;
    fail(ErrorCode::InvalidArgument, "weights", "an observer of numbers is required, found {}", spec.observer);
  }
  if (find_grid(spec.grid).weights_only) {
    fail(ErrorCode::InvalidArgument, "activations", "the grid affine or power_of_two_scale is required, found {}",
         spec.grid);
  }
  if (spec.granularity == Granularity::PerBlock) {
    fail(ErrorCode::InvalidArgument, "activations",
         "one scale, or scales by channel or group are required, found per_block");
  }
  if (spec.rounding != QuantSpec().rounding) {
    fail(ErrorCode::InvalidArgument, "activations",
         "the rounding nearest_even is required, found {}; what the network computes is rounded anew in every run",
         spec.rounding);
  }
}

Recipe make_recipe(std::string_view weights, std::string_view activations, std::string_view granularity,
                   std::string_view observer) {
  Recipe recipe;
  const auto set_type = [](QuantSpec& spec, std::string_view type) {
    const QuantSpec parsed = parse_quant_type(type);
    spec.bits = parsed.bits;
    spec.is_signed = parsed.is_signed;
  };
  const size_t colon = weights.find(':');
  set_type(recipe.weights, weights.substr(0, colon));
  if (colon != std::string_view::npos) recipe.weights.grid = weights.substr(colon + 1);
  set_type(recipe.activations, activations);
  parse_granularity(granularity, recipe.weights);
  make_observer(observer);  // refuses what it does not know
  recipe.activations.observer = observer;
  check_spec(recipe.weights, Role::Weights);
  check_spec(recipe.activations, Role::Activations);
  return recipe;
}

}  // namespace halftone
