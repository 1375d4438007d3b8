// How long things take, side by side.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace halftone::eval {

// Of the runs that were counted; p10 and p90 are the times that a tenth and nine tenths of the runs don't exceed.
struct Latency {
  int64_t runs = 0;
  double median_ms = 0, min_ms = 0, p10_ms = 0, p90_ms = 0;
};

// `milliseconds` of at least one run.
Latency summarize(std::vector<double> milliseconds);

struct LatencyOptions {
  double warm_up_seconds = 0.3;  // per contestant, not counted
  double seconds = 2;            // counted, per contestant
  int64_t least_runs = 20;       // even where they take longer
  int64_t runs = 0;              // so many exactly, instead; 0: as the times above say
};

// Runs every contestant alone for a while, then all in turn, in short rounds, so that whatever else the machine does
// falls on all of them. Where there are several, the first run of a turn is not counted: it finds the caches full of
// another's data.
std::vector<Latency> measure_latency(const std::vector<std::function<void()>>& contestants,
                                     const LatencyOptions& options = {});

}  // namespace halftone::eval
