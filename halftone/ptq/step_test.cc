#include "halftone/ptq/step.h"

#include <gtest/gtest.h>

#include <array>

#include "halftone/base/error.h"
#include "halftone/ptq/preset.h"
#include "tests/support/error_of.h"

namespace halftone::ptq::step_test {
namespace {

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
  const std::string message = halftone::test::error_of([&] { check_steps(std::array{first, second}); });
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
  EXPECT_NE(halftone::test::error_of([] { find_preset("fats"); }).find("did you mean 'fast'?"), std::string::npos);
}

}  // namespace
}  // namespace halftone::ptq::step_test
