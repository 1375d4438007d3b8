#include "halftone/base/thread_team.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace halftone::thread_team_test {
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

TEST_P(ThreadTeamTest, StepsRunInOrderAndEachPartOnce) {
  ThreadTeam team(GetParam());
  const std::vector<int> parts = {3, 1, 0, 5, 1, 1, 2};
  std::vector<std::atomic<int>> finished(parts.size());
  for (int round = 0; round < 200; ++round) {
    for (auto& n : finished) n = 0;
    std::atomic<int> part_sum{0};
    team.run_steps(parts, [&](int step, int part, int) {
      for (int earlier = 0; earlier < step; ++earlier) {
        EXPECT_EQ(finished[static_cast<size_t>(earlier)], parts[static_cast<size_t>(earlier)]);
      }
      part_sum += part;
      ++finished[static_cast<size_t>(step)];
    });
    for (size_t step = 0; step < parts.size(); ++step) EXPECT_EQ(finished[step], parts[step]);
    EXPECT_EQ(part_sum, 3 + 10 + 1);
  }
}

TEST_P(ThreadTeamTest, AnExceptionEndsTheChain) {
  ThreadTeam team(GetParam());
  std::atomic<bool> went_on{false};
  const std::vector<int> parts = {4, 4};
  EXPECT_THROW(team.run_steps(parts,
                              [&](int step, int part, int) {
                                if (step == 1) went_on = true;
                                if (part == 2) throw std::runtime_error("two");
                              }),
               std::runtime_error);
  EXPECT_FALSE(went_on);
}

bool sleeps(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string status;
  return std::getline(file, status) && status.substr(status.rfind(')')).starts_with(") S");
}

// A signal handler keeps a worker away, as a busy neighbour on its core would.
std::atomic<bool> worker_away{false};
std::atomic<bool> worker_may_return{false};
void keep_away(int) {
  worker_away = true;
  while (!worker_may_return) {
  }
}

TEST(ThreadTeam, AWorkerThatIsAwayHoldsUpNobody) {
  ThreadTeam team(2);
  std::atomic<int> inside{0};
  std::atomic<pthread_t> worker{};
  std::atomic<pid_t> worker_id{};
  team.run_indexed(2, [&](int64_t, int thread) {
    ++inside;
    while (inside < 2) std::this_thread::yield();  // so that the worker takes one of the two
    if (thread == 1) worker = pthread_self(), worker_id = gettid();
  });
  // On its way to sleep it holds a lock for a moment: away with that, it would hold up everybody.
  while (!sleeps(worker_id)) std::this_thread::yield();
  std::signal(SIGUSR1, keep_away);
  pthread_kill(worker, SIGUSR1);
  while (!worker_away) std::this_thread::yield();

  int parts_run = 0;
  for (int job = 0; job < 100; ++job) {
    team.run_steps(std::vector<int>{2, 1, 2}, [&](int, int, int thread) {
      EXPECT_EQ(thread, 0);
      ++parts_run;
    });
    team.run(10, [&](int64_t) { ++parts_run; });
  }
  EXPECT_EQ(parts_run, 100 * (5 + 10));

  worker_may_return = true;
  std::signal(SIGUSR1, SIG_DFL);
  inside = 0;
  team.run(2, [&](int64_t) {
    ++inside;
    while (inside < 2) std::this_thread::yield();  // the worker is back
  });
}

TEST(ThreadTeam, CallersOfATeamOfOneRunSideBySide) {
  ThreadTeam team(1);
  std::atomic<int> inside{0};
  // Each waits for the other inside its task: with one job at a time this would never end.
  const auto meet = [&] {
    team.run(1, [&](int64_t) {
      ++inside;
      while (inside < 2) std::this_thread::yield();
    });
  };
  std::thread other(meet);
  meet();
  other.join();
  EXPECT_EQ(inside, 2);
}

}  // namespace
}  // namespace halftone::thread_team_test
