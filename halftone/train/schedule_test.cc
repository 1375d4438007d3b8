#include "halftone/train/schedule.h"

#include <gtest/gtest.h>

#include "tests/support/error_of.h"

namespace halftone::train::schedule_test {
namespace {

TEST(Schedule, HasThePapersValuesWhereTheyAreKnown) {
  const Schedule constant = make_schedule({"constant", {}});
  EXPECT_EQ(constant(0, 8), 1);
  EXPECT_EQ(constant(8, 8), 1);
  const Schedule cosine = make_schedule({"cosine", {{"floor", "0.2"}}});
  EXPECT_DOUBLE_EQ(cosine(0, 8), 1);
  EXPECT_DOUBLE_EQ(cosine(4, 8), 0.6);
  EXPECT_DOUBLE_EQ(cosine(8, 8), 0.2);
  const Schedule step = make_schedule({"step", {{"every", "2.5"}, {"factor", "0.1"}}});
  EXPECT_DOUBLE_EQ(step(2.4, 8), 1);
  EXPECT_DOUBLE_EQ(step(2.5, 8), 0.1);
  EXPECT_DOUBLE_EQ(step(7.5, 8), 1e-3);
  const Schedule cycle = make_schedule({"one_cycle", {{"rise", "0.25"}, {"start", "0.1"}, {"floor", "0"}}});
  EXPECT_DOUBLE_EQ(cycle(0, 8), 0.1);
  EXPECT_DOUBLE_EQ(cycle(1, 8), 0.55);
  EXPECT_DOUBLE_EQ(cycle(2, 8), 1);
  EXPECT_DOUBLE_EQ(cycle(5, 8), 0.5);
  EXPECT_NEAR(cycle(8, 8), 0, 1e-12);
  EXPECT_DOUBLE_EQ(make_schedule({"one_cycle", {{"rise", "1"}}})(8, 8), 1);
}

TEST(Schedule, EveryOneWarmsUp) {
  for (const ScheduleInfo& info : all_schedules()) {
    const Schedule cold = make_schedule({std::string(info.name), {}});
    const Schedule warm = make_schedule({std::string(info.name), {{"warm_up", "2"}}});
    EXPECT_EQ(warm(0, 8), 0) << info.name;
    EXPECT_DOUBLE_EQ(warm(0.5, 8), 0.25 * cold(0.5, 8)) << info.name;
    EXPECT_DOUBLE_EQ(warm(2, 8), cold(2, 8)) << info.name;
    EXPECT_DOUBLE_EQ(warm(7, 8), cold(7, 8)) << info.name;
  }
}

TEST(Schedule, MistakesNameWhatIsKnown) {
  EXPECT_NE(test::error_of([] { make_schedule({"cosin", {}}); }).find("did you mean 'cosine'?"), std::string::npos);
  EXPECT_NE(test::error_of([] { make_schedule({"step", {{"evry", "1"}}}); }).find("every"), std::string::npos);
}

}  // namespace
}  // namespace halftone::train::schedule_test
