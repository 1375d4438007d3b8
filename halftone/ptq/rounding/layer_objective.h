// The errors that a layer's channels are rounded by.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/base/thread_team.h"
#include "halftone/ptq/rounding/channel_grids.h"
#include "halftone/ptq/rounding/method.h"

namespace halftone::ptq {

struct LayerObjective {
  std::vector<Quadratic> by_group;
  int64_t channels = 1;    // per group
  int64_t iterations = 0;  // RoundingTask::iterations
  bool pairs = false;      // RoundingTask::pairs
  ThreadTeam* team = nullptr;

  size_t group_of(size_t channel) const { return channel / static_cast<size_t>(channels); }
  const Quadratic& of(size_t channel) const { return by_group[group_of(channel)]; }
  // Channel number `channel` with these weights.
  RoundingTask task(size_t channel, const ChannelWeights& weights) const {
    return {of(channel), weights.best, weights.scale, weights.low, weights.high, iterations, pairs};
  }
};

// w* for targets whose mean products with the inputs are `products` (LayerSums), from the float weights:
//   w* = w + Q^-1 (c - H w),    H = Q less what was added to it
// Cost: features^2 multiplications.
void aim(const Quadratic& quadratic, const std::vector<double>& products, int64_t channels, int64_t channel,
         ChannelWeights& weights);

}  // namespace halftone::ptq
