#include "halftone/quant/step_words.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "halftone/base/error.h"

namespace halftone {

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  const std::string nearest = nearest_word(word, known);
  return nearest.empty() ? fmt::format("one of {} is required", fmt::join(known, ", "))
                         : fmt::format("did you mean '{}'?", nearest);
}

size_t position_of(std::string_view name, std::span<const std::string_view> names, std::string_view kind) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<size_t>(found - names.begin());
  fail(ErrorCode::InvalidArgument, std::string(kind), "'{}' is none, {}", name, did_you_mean(name, names));
}

void StepWords::refuse(std::string_view word, std::string_view required, std::string_view found) const {
  fail(ErrorCode::InvalidArgument, fmt::format("{} '{}'", kind_, request_.name), "'{}' must be {}, found '{}'", word,
       required, found);
}

const std::string* StepWords::find(std::string_view word) {
  known_.emplace(word);
  const auto found = request_.words.find(word);
  return found == request_.words.end() ? nullptr : &found->second;
}

double StepWords::number(std::string_view word, double fallback, double least, double most) {
  const std::string* text = find(word);
  if (text == nullptr) return fallback;
  double value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size() || !(value >= least && value <= most)) {
    refuse(word, fmt::format("a number from {} to {}", least, most), *text);
  }
  return value;
}

int64_t StepWords::count(std::string_view word, int64_t fallback, int64_t least, int64_t most) {
  const std::string* text = find(word);
  if (text == nullptr) return fallback;
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size() || value < least || value > most) {
    refuse(word, fmt::format("a whole number from {} to {}", least, most), *text);
  }
  return value;
}

bool StepWords::flag(std::string_view word, bool fallback) {
  const std::string* text = find(word);
  if (text == nullptr) return fallback;
  if (*text != "true" && *text != "false") refuse(word, "true or false", *text);
  return *text == "true";
}

std::string StepWords::choice(std::string_view word, std::span<const std::string_view> choices) {
  const std::string* text = find(word);
  if (text == nullptr) return std::string(choices.front());
  for (std::string_view choice : choices) {
    if (choice == *text) return *text;
  }
  refuse(word, fmt::format("one of {}", fmt::join(choices, ", ")), *text);
}

std::string StepWords::pattern(std::string_view word) {
  const std::string* text = find(word);
  return text == nullptr ? "*" : *text;
}

void StepWords::finish() const {
  for (const auto& [word, value] : request_.words) {
    if (known_.contains(word)) continue;
    const std::vector<std::string_view> known(known_.begin(), known_.end());
    fail(ErrorCode::InvalidArgument, fmt::format("{} '{}'", kind_, request_.name), "'{}' is none of its words{}", word,
         known.empty() ? "; it has none" : ", " + did_you_mean(word, known));
  }
}

}  // namespace halftone
