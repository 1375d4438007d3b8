#include "halftone/eval/latency.h"

#include <algorithm>
#include <chrono>

#include "halftone/base/error.h"

namespace halftone::eval {
namespace {

using Clock = std::chrono::steady_clock;

// A turn lasts so long, or for one counted run.
constexpr double kTurnMilliseconds = 20;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

double milliseconds_of(const std::function<void()>& work) {
  const auto start = Clock::now();
  work();
  return milliseconds_since(start);
}

bool enough(const std::vector<double>& times, double spent_ms, const LatencyOptions& options) {
  const auto runs = static_cast<int64_t>(times.size());
  if (options.runs > 0) return runs >= options.runs;
  return runs >= options.least_runs && spent_ms >= 1e3 * options.seconds;
}

}  // namespace

Latency summarize(std::vector<double> milliseconds) {
  HT_CHECK(!milliseconds.empty());
  std::sort(milliseconds.begin(), milliseconds.end());
  const size_t last = milliseconds.size() - 1;
  const auto quantile = [&](size_t tenths) { return milliseconds[(last * tenths + 5) / 10]; };
  const double median = (milliseconds[last / 2] + milliseconds[last - last / 2]) / 2;
  return {static_cast<int64_t>(milliseconds.size()), median, milliseconds.front(), quantile(1), quantile(9)};
}

std::vector<Latency> measure_latency(const std::vector<std::function<void()>>& contestants,
                                     const LatencyOptions& options) {
  for (const auto& contestant : contestants) {
    const auto begin = Clock::now();
    do {
      contestant();
    } while (milliseconds_since(begin) < 1e3 * options.warm_up_seconds);
  }

  const size_t count = contestants.size();
  std::vector<std::vector<double>> times(count);
  std::vector<double> spent(count, 0);
  for (bool more = count > 0; more;) {
    more = false;
    for (size_t i = 0; i < count; ++i) {
      if (enough(times[i], spent[i], options)) continue;
      if (count > 1) contestants[i]();
      const auto begin = Clock::now();
      do {
        times[i].push_back(milliseconds_of(contestants[i]));
        spent[i] += times[i].back();
      } while (milliseconds_since(begin) < kTurnMilliseconds && !enough(times[i], spent[i], options));
      more = true;
    }
  }
  std::vector<Latency> results;
  for (std::vector<double>& list : times) results.push_back(summarize(std::move(list)));
  return results;
}

}  // namespace halftone::eval
