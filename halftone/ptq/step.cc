#include "halftone/ptq/step.h"

#include <fmt/ranges.h>

#include <charconv>
#include <vector>

#include "halftone/base/error.h"

namespace halftone::ptq {

#define HT_STEP(name, phase, data, summary, source) void step_##name(Workbench* bench, StepWords& words);
#include "halftone/ptq/steps.def"
#undef HT_STEP

namespace {

[[maybe_unused]] constexpr bool kData = true, kNoData = false;
const std::vector<Step> kSteps = {
#define HT_STEP(name, phase, data, summary, source) {#name, Phase::phase, summary, source, k##data, &step_##name},
#include "halftone/ptq/steps.def"
#undef HT_STEP
};

std::string did_you_mean(std::string_view word, std::span<const std::string_view> known) {
  const std::string nearest = nearest_word(word, known);
  return nearest.empty() ? fmt::format("one of {} is required", fmt::join(known, ", "))
                         : fmt::format("did you mean '{}'?", nearest);
}

}  // namespace

void StepWords::refuse(std::string_view word, std::string_view required, std::string_view found) const {
  fail(ErrorCode::InvalidArgument, fmt::format("step '{}'", request_.name), "'{}' must be {}, found '{}'", word,
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
    fail(ErrorCode::InvalidArgument, fmt::format("step '{}'", request_.name), "'{}' is none of its words{}", word,
         known.empty() ? "; it has none" : ", " + did_you_mean(word, known));
  }
}

std::span<const Step> all_steps() { return kSteps; }

const Step& find_step(std::string_view name) {
  std::vector<std::string_view> names;
  for (const Step& step : kSteps) {
    if (step.name == name) return step;
    names.push_back(step.name);
  }
  fail(ErrorCode::InvalidArgument, "steps", "'{}' is no step, {}", name, did_you_mean(name, names));
}

void check_steps(std::span<const StepRequest> steps) {
  const StepRequest* model_step = nullptr;
  for (const StepRequest& request : steps) {
    const Step& step = find_step(request.name);
    if (step.phase == Phase::Model) {
      model_step = &request;
    } else if (model_step != nullptr) {
      fail(ErrorCode::InvalidArgument, "steps",
           "'{}' can't come after '{}': it rewrites the float network, and the grids that '{}' works with are made for "
           "the rewritten one; name it first",
           request.name, model_step->name, model_step->name);
    }
    StepWords words(request);
    step.function(nullptr, words);
  }
}

}  // namespace halftone::ptq
