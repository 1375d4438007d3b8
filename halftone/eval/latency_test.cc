// Statistics by hand, and who is called how often.

#include "halftone/eval/latency.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <thread>

namespace halftone::eval::latency_test {
namespace {

TEST(Latency, SummaryEqualsAHandCount) {
  const Latency odd = summarize({5, 1, 4, 2, 3});
  EXPECT_EQ(odd.runs, 5);
  EXPECT_DOUBLE_EQ(odd.median_ms, 3);
  EXPECT_DOUBLE_EQ(odd.min_ms, 1);
  const Latency even = summarize({4, 1, 2, 3});
  EXPECT_DOUBLE_EQ(even.median_ms, 2.5);
  std::vector<double> hundred(101);
  std::iota(hundred.begin(), hundred.end(), 0.0);
  std::reverse(hundred.begin(), hundred.end());
  const Latency spread = summarize(hundred);
  EXPECT_DOUBLE_EQ(spread.p10_ms, 10);
  EXPECT_DOUBLE_EQ(spread.median_ms, 50);
  EXPECT_DOUBLE_EQ(spread.p90_ms, 90);
  EXPECT_DOUBLE_EQ(summarize({7}).p90_ms, 7);
}

TEST(Latency, RunsInTurnsUntilEveryoneHasEnough) {
  std::string order;
  const auto contestant = [&](char name, int milliseconds) {
    return [&order, name, milliseconds] {
      order += name;
      std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    };
  };
  const std::vector<Latency> results =
      measure_latency({contestant('a', 9), contestant('b', 1)}, {.warm_up_seconds = 0, .runs = 6});
  ASSERT_EQ(results.size(), 2u);
  EXPECT_EQ(results[0].runs, 6);
  EXPECT_EQ(results[1].runs, 6);
  EXPECT_GE(results[0].min_ms, 9);
  EXPECT_GE(results[1].min_ms, 1);
  EXPECT_LT(results[1].min_ms, 9);
  // Once each to warm up, then turns: the first of them ends before a has all of its runs.
  EXPECT_EQ(order.substr(0, 3), "aba");
  EXPECT_GE(order.rfind('a'), order.find('b', 2));
}

TEST(Latency, MeasuresAtLeastAsManyRunsAsAskedFor) {
  int runs = 0;
  const std::vector<Latency> results =
      measure_latency({[&] { ++runs; }}, {.warm_up_seconds = 0, .seconds = 0, .least_runs = 15});
  EXPECT_EQ(results[0].runs, 15);
  EXPECT_EQ(runs, 16);
}

}  // namespace
}  // namespace halftone::eval::latency_test
