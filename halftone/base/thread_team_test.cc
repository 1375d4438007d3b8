#include "halftone/base/thread_team.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>
#include <vector>

namespace halftone {
namespace {

class ThreadTeamTest : public ::testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(Sizes, ThreadTeamTest, ::testing::Values(1, 2, 3, 7));

TEST_P(ThreadTeamTest, EveryIndexRunsOnce) {
  ThreadTeam team(GetParam());
  for (int64_t count : {0, 1, 2, 3, 17, 1000}) {
    std::vector<std::atomic<int>> runs(static_cast<size_t>(count));
    team.run_indexed(count, [&](int64_t i, int thread) {
      ++runs[static_cast<size_t>(i)];
      EXPECT_GE(thread, 0);
      EXPECT_LT(thread, team.size());
    });
    for (const auto& n : runs) EXPECT_EQ(n, 1);
  }
}

TEST_P(ThreadTeamTest, FirstExceptionReachesTheCallerAndTheTeamStaysUsable) {
  ThreadTeam team(GetParam());
  EXPECT_THROW(team.run(100,
                        [](int64_t i) {
                          if (i == 3) throw std::runtime_error("three");
                        }),
               std::runtime_error);
  std::atomic<int64_t> sum{0};
  team.run(10, [&](int64_t i) { sum += i; });
  EXPECT_EQ(sum, 45);
}

TEST_P(ThreadTeamTest, ManyShortJobsFromSeveralCallers) {
  ThreadTeam team(GetParam());
  std::atomic<int64_t> total{0};
  std::vector<std::thread> callers;
  for (int c = 0; c < 3; ++c) {
    callers.emplace_back([&] {
      for (int job = 0; job < 500; ++job) team.run(4, [&](int64_t) { ++total; });
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(total, 3 * 500 * 4);
}

}  // namespace
}  // namespace halftone
