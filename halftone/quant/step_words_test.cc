#include "halftone/quant/step_words.h"

#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "halftone/base/error.h"
#include "tests/support/error_of.h"

namespace halftone::step_words_test {
namespace {

TEST(StepWords, TextNamesStepsAndTheirWords) {
  const std::vector<StepRequest> steps = parse_steps(" equalize , correct_bias:method=analytic:cap = 6,round");
  ASSERT_EQ(steps.size(), 3U);
  EXPECT_EQ(steps[0], (StepRequest{"equalize", {}}));
  EXPECT_EQ(steps[1], (StepRequest{"correct_bias", {{"method", "analytic"}, {"cap", "6"}}}));
  EXPECT_EQ(steps[2], (StepRequest{"round", {}}));
  EXPECT_TRUE(parse_steps("").empty());
  EXPECT_TRUE(parse_steps("  ").empty());
}

TEST(StepWords, DamagedTextIsRefused) {
  for (const char* text : {",", "a,,b", ":x=1", "a:x", "a:=1", "a:x=", "a:", "a:x=1:", "a:x=1:x=2"}) {
    EXPECT_THROW(parse_steps(text), Error) << text;
  }
}

TEST(StepWords, AreReadWithTheirBounds) {
  const StepRequest request{"s", {{"share", "0.5"}, {"images", "12"}, {"keep", "true"}, {"method", "fine"}}};
  StepWords words(request);
  EXPECT_EQ(words.number("share", 1, 0, 1), 0.5);
  EXPECT_EQ(words.count("images", 3, 1, 100), 12);
  EXPECT_TRUE(words.flag("keep", false));
  EXPECT_EQ(words.choice("method", std::to_array<std::string_view>({"rough", "fine"})), "fine");
  EXPECT_EQ(words.number("other", 7, 0, 9), 7);
  EXPECT_NO_THROW(words.finish());
}

TEST(StepWords, OutOfBoundsAreRefused) {
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

TEST(StepWords, AWordNobodyReadsIsRefusedWithTheNearestOne) {
  const StepRequest request{"s", {{"imagse", "12"}}};
  StepWords words(request);
  words.count("images", 3, 1, 100);
  EXPECT_NE(test::error_of([&] { words.finish(); }).find("did you mean 'images'?"), std::string::npos);
}

TEST(StepWords, MessagesCallTheOneThatIsNamedWhatItIs) {
  EXPECT_EQ(test::error_of([] { parse_step("", "network"); }), "networks: the name of a network is required, found ''");
  EXPECT_NE(test::error_of([] { parse_step("a:x", "network"); }).find("network 'a'"), std::string::npos);
  const StepRequest request{"a", {{"images", "0"}}};
  EXPECT_NE(test::error_of([&] { StepWords(request, "network").count("images", 3, 1, 100); }).find("network 'a'"),
            std::string::npos);
  EXPECT_NE(test::error_of([&] { StepWords(request, "network").finish(); }).find("network 'a'"), std::string::npos);
}

}  // namespace
}  // namespace halftone::step_words_test
