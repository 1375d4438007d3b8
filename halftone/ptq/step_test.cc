#include "halftone/ptq/step.h"

#include <gtest/gtest.h>

#include <array>

#include "halftone/base/error.h"
#include "halftone/ptq/preset.h"

namespace halftone::ptq {
namespace {

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

TEST(Steps, TextNamesStepsAndTheirWords) {
  const std::vector<StepRequest> steps = parse_steps(" equalize , correct_bias:method=analytic:cap = 6,round");
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0], (StepRequest{"equalize", {}}));
  EXPECT_EQ(steps[1], (StepRequest{"correct_bias", {{"method", "analytic"}, {"cap", "6"}}}));
  EXPECT_EQ(steps[2], (StepRequest{"round", {}}));
  EXPECT_TRUE(parse_steps("").empty());
  EXPECT_TRUE(parse_steps("  ").empty());
}

TEST(Steps, DamagedTextIsRefused) {
  for (const char* text : {",", "a,,b", ":x=1", "a:x", "a:=1", "a:x=", "a:", "a:x=1:", "a:x=1:x=2"}) {
    EXPECT_THROW(parse_steps(text), Error) << text;
  }
}

TEST(Steps, WordsAreReadWithTheirBounds) {
  const StepRequest request{"s", {{"share", "0.5"}, {"images", "12"}, {"keep", "true"}, {"method", "fine"}}};
  StepWords words(request);
  EXPECT_EQ(words.number("share", 1, 0, 1), 0.5);
  EXPECT_EQ(words.count("images", 3, 1, 100), 12);
  EXPECT_TRUE(words.flag("keep", false));
  EXPECT_EQ(words.choice("method", std::to_array<std::string_view>({"rough", "fine"})), "fine");
  EXPECT_EQ(words.number("other", 7, 0, 9), 7);
  EXPECT_NO_THROW(words.finish());
}

TEST(Steps, WordsOutOfBoundsAreRefused) {
  for (const char* value : {"-1", "2", "nan", "inf", "half", "0.5x", "", "1e999"}) {
    const StepRequest request{"s", {{"share", value}}};
    EXPECT_THROW(StepWords(request).number("share", 1, 0, 1), Error) << value;
  }
  for (const char* value : {"0", "101", "1.5", "99999999999999999999"}) {
    const StepRequest request{"s", {{"images", value}}};
    EXPECT_THROW(StepWords(request).count("images", 3, 1, 100), Error) << value;
  }
  EXPECT_THROW(StepWords(StepRequest{"s", {{"keep", "yes"}}}).flag("keep", false), Error);
}

TEST(Steps, AWordNobodyReadsIsRefusedWithTheNearestOne) {
  const StepRequest request{"s", {{"imagse", "12"}}};
  StepWords words(request);
  words.count("images", 3, 1, 100);
  EXPECT_NE(message_of([&] { words.finish(); }).find("did you mean 'images'?"), std::string::npos);
}

TEST(Steps, EveryStepChecksItsWordsBeforeAnyWork) {
  for (const Step& step : all_steps()) {
    EXPECT_NO_THROW(check_steps(std::array{StepRequest{std::string(step.name), {}}})) << step.name;
    const std::array wrong{StepRequest{std::string(step.name), {{"no_such_word", "1"}}}};
    EXPECT_THROW(check_steps(wrong), Error) << step.name;
    EXPECT_FALSE(step.summary.empty()) << step.name;
  }
  EXPECT_THROW(check_steps(std::array{StepRequest{"no_such_step", {}}}), Error);
}

TEST(Steps, AGraphStepAfterAModelStepIsRefusedAndBothAreNamed) {
  const Step* graph_step = nullptr;
  const Step* model_step = nullptr;
  for (const Step& step : all_steps()) (step.phase == Phase::Graph ? graph_step : model_step) = &step;
  if (graph_step == nullptr || model_step == nullptr) GTEST_SKIP() << "steps of both phases are needed";
  const StepRequest first{std::string(model_step->name), {}}, second{std::string(graph_step->name), {}};
  const std::string message = message_of([&] { check_steps(std::array{first, second}); });
  EXPECT_NE(message.find(first.name), std::string::npos);
  EXPECT_NE(message.find(second.name), std::string::npos);
  EXPECT_NO_THROW(check_steps(std::array{second, first}));
}

TEST(Presets, EachIsAListOfStepsThatCanBeCombined) {
  for (const Preset& preset : all_presets()) {
    const Recipe recipe = with_preset({}, find_preset(preset.name));
    EXPECT_NO_THROW(check_steps(recipe.steps)) << preset.name;
    EXPECT_EQ(recipe.activations.observer, preset.activations_observer);
  }
  EXPECT_NE(message_of([] { find_preset("fats"); }).find("did you mean 'fast'?"), std::string::npos);
}

}  // namespace
}  // namespace halftone::ptq
