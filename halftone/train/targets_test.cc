#include "halftone/train/targets.h"

#include <gtest/gtest.h>

#include "tests/support/error_of.h"

namespace halftone::train::targets_test {
namespace {

data::Batch batch(std::vector<std::optional<int64_t>> labels) {
  data::Batch result;
  for (size_t i = 0; i < labels.size(); ++i) result.ids.push_back("picture " + std::to_string(i));
  result.labels = std::move(labels);
  return result;
}

TEST(Targets, OneAtTheLabel) {
  EXPECT_TRUE(targets_of(batch({2, 0}), 3).equal(at::tensor({0.0f, 0.0f, 1.0f, 1.0f, 0.0f, 0.0f}).reshape({2, 3})));
  EXPECT_FALSE(targets_of(batch({std::nullopt, std::nullopt}), 3).defined());
}

TEST(Targets, WrongLabelsNameTheSample) {
  for (const int64_t label : {int64_t{3}, int64_t{-1}, int64_t{1} << 40}) {
    const std::string message = test::error_of([&] { targets_of(batch({1, label}), 3); });
    EXPECT_CONTAINS(message, "picture 1: a label from 0 to 2");
    EXPECT_CONTAINS(message, "3 classes");
    EXPECT_CONTAINS(message, std::to_string(label));
  }
  EXPECT_CONTAINS(test::error_of([] { targets_of(batch({1, std::nullopt}), 3); }), "picture 1: a label is required");
}

}  // namespace
}  // namespace halftone::train::targets_test
