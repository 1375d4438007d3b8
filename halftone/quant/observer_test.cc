// Properties that every line of observers.def must have.
#include "halftone/quant/observer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/base/rng.h"
#include "halftone/quant/value_moments.h"

namespace halftone::observer_test {
namespace {

std::vector<float> normals(size_t n, uint64_t seed, double spread = 1) {
  Rng rng(seed);
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(spread * rng.normal());
  return values;
}

class EveryObserver : public ::testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Observer> make() const { return make_observer(GetParam()); }
  Range range_of(const std::vector<std::vector<float>>& batches) const {
    const auto observer = make();
    for (const auto& batch : batches) observer->observe(batch, "x");
    return observer->range();
  }
};

TEST_P(EveryObserver, RangeContainsZeroAndLiesWithinTheExtremes) {
  for (const auto& values : {normals(1000, 1), normals(3, 2), std::vector<float>{5, 6}, std::vector<float>{-2, -1}}) {
    const Range range = range_of({values});
    EXPECT_LE(range.low, 0);
    EXPECT_GE(range.high, 0);
    EXPECT_GE(range.low, std::min(0.0F, *std::min_element(values.begin(), values.end())));
    EXPECT_LE(range.high, std::max(0.0F, *std::max_element(values.begin(), values.end())));
  }
}

TEST_P(EveryObserver, NothingAndZerosGiveAnEmptyRange) {
  EXPECT_EQ(make()->range(), (Range{0, 0}));
  EXPECT_EQ(range_of({{}}), (Range{0, 0}));
  EXPECT_EQ(range_of({std::vector<float>(5000, 0.0F), {-0.0F}}), (Range{0, 0}));
}

TEST_P(EveryObserver, AConstantAndASingleValueAreTheRangesEnd) {
  const Range constant = range_of({std::vector<float>(10000, 3.7F), std::vector<float>(10, 3.7F)});
  EXPECT_EQ(constant.low, 0);
  EXPECT_FLOAT_EQ(constant.high, 3.7F);
  const Range single = range_of({{-0.3F}});
  EXPECT_FLOAT_EQ(single.low, -0.3F);
  EXPECT_EQ(single.high, 0);
}

TEST_P(EveryObserver, ExtremeMagnitudesStayFinite) {
  for (float magnitude : {FLT_MAX, FLT_MIN, 1e-45F}) {
    const Range range = range_of({{magnitude, -magnitude, 0}, {magnitude}});
    EXPECT_TRUE(std::isfinite(range.low) && std::isfinite(range.high)) << magnitude;
    EXPECT_LE(range.high, magnitude);
  }
}

TEST_P(EveryObserver, InfinityAndNaNAreErrorsThatNameTheTensor) {
  for (float bad : {INFINITY, -INFINITY, NAN}) {
    std::vector<float> values = normals(100, 3);
    values[57] = bad;
    try {
      make()->observe(values, "conv1_out");
      FAIL();
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::NumericRange);
      EXPECT_EQ(e.where(), "conv1_out");
    }
  }
}

TEST_P(EveryObserver, MergingEqualsHavingSeenAll) {
  const std::vector<std::vector<float>> batches = {
      normals(5000, 1), normals(100, 2, 9), normals(7000, 3, 0.01), normals(6000, 4, 2), {}};
  const Range all = range_of(batches);
  for (size_t split = 0; split <= batches.size(); ++split) {
    const auto first = make(), second = make();
    for (size_t i = 0; i < batches.size(); ++i) (i < split ? first : second)->observe(batches[i], "x");
    const auto merged = first->clone();
    merged->merge(*second);
    if (merged->order_matters()) {
      EXPECT_FLOAT_EQ(merged->range().low, all.low);
      EXPECT_FLOAT_EQ(merged->range().high, all.high);
    } else {
      EXPECT_EQ(merged->range(), all);
      second->merge(*first);
      EXPECT_EQ(second->range(), all) << "in the other order";
    }
  }
}

TEST_P(EveryObserver, OrderWithinABatchDoesNotMatter) {
  std::vector<float> values = normals(9000, 5);
  const Range before = range_of({values});
  Rng(6).shuffle(values);
  EXPECT_EQ(range_of({values}), before);
}

TEST_P(EveryObserver, ScalingByTwoScalesTheRange) {
  std::vector<float> values = normals(9000, 7);
  const Range before = range_of({values});
  for (float& v : values) v *= 2;
  const Range after = range_of({values});
  EXPECT_FLOAT_EQ(after.low, 2 * before.low);
  EXPECT_FLOAT_EQ(after.high, 2 * before.high);
}

TEST_P(EveryObserver, MergingAnotherKindIsABug) {
  const auto observer = make();
  for (const ObserverInfo& info : all_observers()) {
    if (info.name == GetParam()) continue;
    EXPECT_THROW(observer->merge(*make_observer(info.name)), InternalError);
  }
}

std::vector<std::string> names() {
  std::vector<std::string> all;
  for (const ObserverInfo& info : all_observers()) {
    if (make_observer(info.name)->needs_data()) all.emplace_back(info.name);
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(Observers, EveryObserver, ::testing::ValuesIn(names()),
                         [](const auto& line) { return line.param; });

TEST(MinMax, IsExact) {
  const auto observer = make_observer("min_max");
  observer->observe(std::vector<float>{-1.5F, 2.25F}, "x");
  observer->observe(std::vector<float>{3.125F}, "x");
  EXPECT_EQ(observer->range(), (Range{-1.5F, 3.125F}));
}

TEST(MovingAverage, HandValues) {
  const auto observer = make_observer("moving_average:0.5");
  observer->observe(std::vector<float>{-1, 2}, "x");
  EXPECT_EQ(observer->range(), (Range{-1, 2})) << "the first batch counts in full";
  observer->observe(std::vector<float>{-4, 8}, "x");
  // (0.25 * -1 + 0.5 * -4) / 0.75 and (0.25 * 2 + 0.5 * 8) / 0.75.
  EXPECT_EQ(observer->range(), (Range{-3, 6}));
}

TEST(Percentile, LeavesOutTheTails) {
  std::vector<float> values;
  for (int i = 1; i <= 1000; ++i) values.push_back(static_cast<float>(i));
  const auto observer = make_observer("percentile:99");
  observer->observe(values, "x");
  EXPECT_NEAR(observer->range().high, 990, 1.5);
  const auto everything = make_observer("percentile:100");
  everything->observe(values, "x");
  EXPECT_EQ(everything->range(), (Range{0, 1000}));
}

TEST(BatchNorm, IsTheWidestChannelWithinItsBounds) {
  const auto observer = make_observer("batch_norm:3");
  EXPECT_EQ(observer->range(), (Range{0, 0}));
  observer->expect(std::vector<ClippedNormal>{{1, 2, 0}, {-0.5, 1, 0}});
  EXPECT_EQ(observer->range(), (Range{0, 7})) << "rectified";
  observer->expect(std::vector<ClippedNormal>{{-1, 2, -4, 6}, {4, 2, -4, 6}});
  EXPECT_EQ(observer->range(), (Range{-4, 7})) << "clipped, and merged with what was known before";
  const auto merged = make_observer("batch_norm:3");
  merged->merge(*observer);
  EXPECT_EQ(merged->range(), observer->range());
  EXPECT_THROW(observer->observe(std::vector<float>{1}, "weights"), Error);
  EXPECT_THROW(make_observer("mse")->expect({}), InternalError);
}

TEST(MakeObserver, RefusesUnknownNamesAndParameters) {
  for (const char* text : {"", "minmax", "percentile:", "percentile:abc", "percentile:101", "percentile:nan",
                           "percentile:99,9", "min_max:3", "moving_average:1", "mse:2", "entropy:kl", "aciq:cauchy"}) {
    EXPECT_THROW(make_observer(text), Error) << text;
  }
  try {
    make_observer("minmax");
    FAIL();
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find("did you mean 'min_max'?"), std::string::npos) << e.what();
  }
}

}  // namespace
}  // namespace halftone::observer_test
