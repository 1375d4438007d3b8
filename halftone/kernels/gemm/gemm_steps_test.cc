// Steps against what vpmaddubsw and vpaddw do to 16 bits, for the worst left operands that there are.
#include "halftone/kernels/gemm/gemm_steps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "halftone/base/rng.h"

namespace halftone::kernels::gemm_steps_test {
namespace {

using Weights = std::vector<StepGroup>;

Weights random_groups(size_t count, int lanes, uint64_t seed, double spread) {
  Rng rng(seed);
  Weights groups(count);
  for (size_t g = 0; g < count; ++g) {
    groups[g].offset = static_cast<uint32_t>(g * kGroup);
    for (int i = 0; i < lanes * kGroup; ++i) {
      groups[g].weights[i] = static_cast<int8_t>(std::clamp(rng.normal() * spread, -128.0, 127.0));
    }
  }
  return groups;
}

// What a step adds to one lane for a left operand `x` (by offset), and whether any sum on the way left 16 bits.
struct LaneSum {
  int64_t sum = 0;
  bool saturates = false;
};
LaneSum lane_sum(const Step& step, const DealtGroup* dealt, int lane, const std::vector<uint8_t>& x) {
  LaneSum result;
  for (int pair = 0; pair < 2; ++pair) {
    int sum = 0;
    for (int g = 0; g < groups_of(step.kind); ++g) {
      for (int b = 2 * pair; b < 2 * pair + 2; ++b) {
        const int at = lane * kGroup + b;
        sum += (x[dealt[g].offset + static_cast<size_t>(b)] ^ dealt[g].mask[at]) * dealt[g].weights[at];
      }
      result.saturates |= sum != static_cast<int16_t>(sum);
    }
    result.sum += sum;
  }
  return result;
}

// All lanes with left operands at both ends, in all ways that matter: x_high where the sign of the weight is as asked.
std::map<StepKind, int> check(const Weights& original, int lanes, int32_t x_high) {
  Weights groups = original;
  const std::vector<Step> steps = plan_steps(groups, lanes, x_high);
  std::map<StepKind, int> kinds;
  for (int lane = 0; lane < lanes; ++lane) {
    for (int sign : {1, -1}) {
      std::vector<uint8_t> x(original.size() * kGroup);
      int64_t want = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        const int w = original[i / kGroup].weights[lane * kGroup + static_cast<int>(i % kGroup)];
        x[i] = static_cast<uint8_t>(w * sign > 0 ? x_high : 0);
        want += x[i] * w;
      }
      uint32_t folded[kMaxLanes] = {};
      int64_t sum = 0;
      for (const Step& step : steps) {
        DealtGroup dealt[4];
        deal_weights(step, groups, lanes, dealt, folded);
        const LaneSum part = lane_sum(step, dealt, lane, x);
        EXPECT_FALSE(part.saturates) << "kind " << static_cast<int>(step.kind) << ", lane " << lane;
        sum += part.sum;
      }
      EXPECT_EQ(sum + static_cast<int32_t>(folded[lane]), want) << "lane " << lane;
    }
  }
  for (size_t i = 0; i < steps.size(); ++i) {
    kinds[steps[i].kind] += groups_of(steps[i].kind);
    if (i > 0) {
      EXPECT_LE(steps[i - 1].kind, steps[i].kind);
    }
  }
  return kinds;
}

TEST(GemmSteps, NeverLeaveSixteenBits) {
  for (int lanes : {8, 16}) {
    for (double spread : {3.0, 12.0, 25.0, 35.0, 60.0, 500.0}) {
      for (int32_t x_high : {255, 254, 128, 127, 15, 1, 0}) check(random_groups(40, lanes, 5, spread), lanes, x_high);
    }
  }
}

TEST(GemmSteps, WeightsAtTheEnds) {
  Rng rng(3);
  constexpr int8_t kEnds[] = {-128, -127, -64, 0, 64, 65, 127};
  Weights groups = random_groups(60, 8, 1, 1);
  for (StepGroup& group : groups) {
    for (int i = 0; i < 8 * kGroup; ++i) group.weights[i] = kEnds[rng.below(7)];
  }
  for (int32_t x_high : {255, 127}) check(groups, 8, x_high);
}

TEST(GemmSteps, NarrowWeightsAddUpFourAtATime) {
  const auto kinds = check(random_groups(40, 8, 7, 3), 8, 255);
  EXPECT_EQ(kinds, (std::map<StepKind, int>{{StepKind::Four, 40}}));
}

// Up to 127, no pair of bytes needs more than 16 bits.
TEST(GemmSteps, NarrowActivationsNeedNoMasks) {
  for (const auto& [kind, count] : check(random_groups(40, 8, 7, 500), 8, 127)) EXPECT_FALSE(is_masked(kind)) << count;
}

TEST(GemmSteps, EveryKindOccursAmongWideWeights) {
  Weights groups = random_groups(60, 8, 9, 20);
  const Weights narrow = random_groups(8, 8, 11, 3), wide = random_groups(40, 8, 13, 45);
  groups.insert(groups.end(), narrow.begin(), narrow.end());
  groups.insert(groups.end(), wide.begin(), wide.end());
  for (size_t i = 0; i < groups.size(); ++i) groups[i].offset = static_cast<uint32_t>(i * kGroup);
  EXPECT_EQ(check(groups, 8, 255).size(), size_t{kStepKinds});
}

TEST(GemmSteps, ZerosTakeNoStep) { EXPECT_TRUE(check(random_groups(5, 8, 1, 0), 8, 255).empty()); }

}  // namespace
}  // namespace halftone::kernels::gemm_steps_test
