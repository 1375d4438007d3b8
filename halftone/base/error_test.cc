#include "halftone/base/error.h"

#include <gtest/gtest.h>

#include <vector>

namespace halftone::error_test {
namespace {

TEST(Error, MessageIsOneLineThatNamesThePlace) {
  try {
    fail(ErrorCode::InvalidModel, "node 'conv\n1'", "kernel_shape must be positive, found {}", -3);
    FAIL() << "fail() returned";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::InvalidModel);
    EXPECT_STREQ(e.what(), "node 'conv\\n1': kernel_shape must be positive, found -3");
  }
}

TEST(Error, FailedCheckIsAnInternalErrorWithItsSourceLine) {
  try {
    HT_CHECK(1 + 1 == 3, "arithmetic gives {}", 1 + 1);
    FAIL() << "HT_CHECK passed";
  } catch (const InternalError& e) {
    const std::string what = e.what();
    EXPECT_NE(what.find("error_test.cc"), std::string::npos);
    EXPECT_NE(what.find("arithmetic gives 2"), std::string::npos);
  }
  HT_CHECK(true);
}

TEST(NearestWord, SuggestsTyposAndNothingForStrangers) {
  const std::vector<std::string> words = {"min_max", "percentile", "moving_average"};
  EXPECT_EQ(nearest_word("percentil", words), "percentile");
  EXPECT_EQ(nearest_word("mni_max", words), "min_max");
  EXPECT_EQ(nearest_word("banana", words), "");
}

TEST(EditDistance, CountsEditsAndSwaps) {
  EXPECT_EQ(edit_distance("", ""), 0);
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
  EXPECT_EQ(edit_distance("ab", "ba"), 1);
}

}  // namespace
}  // namespace halftone::error_test
