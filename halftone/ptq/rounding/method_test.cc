#include "halftone/ptq/rounding/method.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "halftone/base/rng.h"

namespace halftone::ptq::method_test {
namespace {

// A channel of its own, with all that a task points at.
struct Channel {
  Quadratic error;
  std::vector<double> best, scale;
  std::vector<int32_t> low, high;

  Channel(Quadratic q, std::vector<double> w, double s, int32_t least, int32_t most)
      : error(std::move(q)),
        best(std::move(w)),
        scale(best.size(), s),
        low(best.size(), least),
        high(best.size(), most) {}

  RoundingTask task(int64_t iterations = 1000) const { return {error, best, scale, low, high, iterations}; }
  std::vector<int32_t> round(std::string_view method, int64_t iterations = 1000) const {
    std::vector<int32_t> steps(best.size());
    find_rounding_method(method).function(task(iterations), steps);
    return steps;
  }
  // E by its definition.
  double error_of(const std::vector<int32_t>& steps) const {
    double total = 0;
    for (size_t i = 0; i < best.size(); ++i) {
      for (size_t j = 0; j < best.size(); ++j) {
        total +=
            (scale[i] * steps[i] - best[i]) * error.row(static_cast<int64_t>(i))[j] * (scale[j] * steps[j] - best[j]);
      }
    }
    return total;
  }
  // The least error of all ways to round each weight up or down.
  double least_error() const {
    double least = INFINITY;
    for (uint32_t up = 0; up < 1U << best.size(); ++up) {
      std::vector<int32_t> steps;
      for (size_t i = 0; i < best.size(); ++i) {
        const double step = std::floor(best[i] / scale[i]) + ((up >> i) & 1);
        steps.push_back(static_cast<int32_t>(std::min(std::max<double>(step, low[i]), static_cast<double>(high[i]))));
      }
      least = std::min(least, error_of(steps));
    }
    return least;
  }
};

// Inputs that go together: the Gram matrix of `rows` draws with a common part.
std::vector<double> correlated_gram(int64_t size, int64_t rows, Rng& rng) {
  std::vector<double> gram(static_cast<size_t>(size * size), 0.0), x(static_cast<size_t>(size));
  for (int64_t r = 0; r < rows; ++r) {
    const double common = rng.normal();
    for (double& v : x) v = rng.normal() + common;
    for (size_t i = 0; i < x.size(); ++i) {
      for (size_t j = 0; j < x.size(); ++j) gram[i * x.size() + j] += x[i] * x[j] / static_cast<double>(rows);
    }
  }
  return gram;
}

Channel random_channel(int64_t size, uint64_t seed, int32_t low = -7, int32_t high = 7) {
  Rng rng(seed);
  Quadratic error(size, correlated_gram(size, size * 2, rng), 0.01);
  std::vector<double> best;
  for (int64_t i = 0; i < size; ++i) best.push_back(rng.normal() * 0.3);
  return {std::move(error), std::move(best), 0.1, low, high};
}

TEST(RoundingMethod, GptqByHand) {
  // Q = [[5, 2], [2, 1]] = C C^T with C = [[sqrt(5), 0], [2 / sqrt(5), 1 / sqrt(5)]], less what damping adds (1e-12).
  // The last weight is settled first, 0.4 -> 0, error -0.4. What it pulls the first one by is Q(0,1) / Q(0,0) times
  // that error: 0.3 - 2 / 5 * (-0.4) = 0.46 -> 0. With Q(0,1) = -2 it is 0.14; with w* = (0.4, 0.4) 0.56 -> 1.
  const auto steps = [](double off, double first) {
    const Channel channel(Quadratic(2, {5, off, off, 1}, 1e-12), {first, 0.4}, 1, -7, 7);
    return channel.round("gptq");
  };
  EXPECT_EQ(steps(2, 0.3), (std::vector<int32_t>{0, 0}));
  EXPECT_EQ(steps(2, 0.4), (std::vector<int32_t>{1, 0}));
  EXPECT_EQ(steps(-2, 0.4), (std::vector<int32_t>{0, 0}));
  EXPECT_EQ(steps(-2, -0.4), (std::vector<int32_t>{-1, 0}));
}

TEST(RoundingMethod, NearestIsNearestAndStaysOnTheGrid) {
  const Channel channel(Quadratic(5, std::vector<double>(25, 1.0), 0.1), {0.26, -0.26, 9, -9, 1e30}, 0.1, -8, 7);
  EXPECT_EQ(channel.round("nearest"), (std::vector<int32_t>{3, -3, 7, -8, 7}));
}

TEST(RoundingMethod, ErrorIsTheQuadraticForm) {
  const Channel channel = random_channel(9, 4);
  const std::vector<int32_t> steps = channel.round("nearest");
  EXPECT_NEAR(rounding_error(channel.task(), steps), channel.error_of(steps), 1e-12);
}

// Against every way to round up or down. Descent may also move further than that, so it can be better.
TEST(RoundingMethod, DescentComesNearTheBestOfAllRoundings) {
  int best_found = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const Channel channel = random_channel(10, 100 + seed);
    const double least = channel.least_error(), found = channel.error_of(channel.round("coordinate_descent"));
    EXPECT_LE(found, 1.5 * least) << seed;
    best_found += found <= least * (1 + 1e-9);
  }
  EXPECT_GE(best_found, 30);
}

TEST(RoundingMethod, AdaRoundComesNearTheBestOfAllRoundings) {
  double found = 0, least = 0, quick = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Channel channel = random_channel(8, 200 + seed);
    least += channel.least_error();
    found += channel.error_of(channel.round("adaround", 3000));
    quick += channel.error_of(channel.round("adaround", 300));
  }
  EXPECT_LE(found, 1.25 * least);
  EXPECT_LE(quick, 1.5 * least);
}

// The more weights, the more there is to gain over nearest rounding.
TEST(RoundingMethod, AdaRoundHalvesTheErrorOfNearestRounding) {
  double found = 0, nearest = 0;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const Channel channel = random_channel(40, 500 + seed);
    found += channel.error_of(channel.round("adaround"));
    nearest += channel.error_of(channel.round("nearest"));
  }
  EXPECT_LE(found, 0.6 * nearest);
}

TEST(RoundingMethod, DescentIsNeverUphillAndComesToAnEnd) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Channel channel = random_channel(33, 300 + seed);
    for (const char* start : {"nearest", "gptq", "adaround"}) {
      std::vector<int32_t> steps = channel.round(start, 50);
      const double before = channel.error_of(steps);
      descend(channel.task(), steps);
      const double after = channel.error_of(steps);
      EXPECT_LE(after, before * (1 + 1e-12));
      // No single move makes it better any more.
      for (size_t i = 0; i < steps.size(); ++i) {
        for (const int32_t way : {-1, 1}) {
          if (steps[i] + way < -7 || steps[i] + way > 7) continue;
          steps[i] += way;
          EXPECT_GE(channel.error_of(steps), after * (1 - 1e-9));
          steps[i] -= way;
        }
      }
    }
  }
}

TEST(RoundingMethod, AllStayOnNarrowGridsAndAreDeterministic) {
  for (const RoundingMethod& method : all_rounding_methods()) {
    for (const int32_t high : {0, 1}) {
      const Channel channel = random_channel(17, 7, -1, high);
      const std::vector<int32_t> steps = channel.round(method.name, 100);
      for (const int32_t step : steps) {
        EXPECT_GE(step, -1) << method.name;
        EXPECT_LE(step, high) << method.name;
      }
      EXPECT_EQ(steps, channel.round(method.name, 100));
    }
    const Channel fixed = random_channel(5, 8, 2, 2);
    EXPECT_EQ(fixed.round(method.name, 100), std::vector<int32_t>(5, 2)) << method.name;
  }
}

// Uncorrelated inputs: nothing can make up for a weight's error, and nearest rounding is the best there is.
TEST(RoundingMethod, AllAreNearestWhereInputsAreIndependent) {
  Rng rng(9);
  std::vector<double> gram(36, 0.0), best;
  for (size_t i = 0; i < 6; ++i) {
    gram[i * 7] = 1 + static_cast<double>(i);
    best.push_back(rng.normal() * 0.3);
  }
  const Channel channel(Quadratic(6, gram, 0.01), best, 0.1, -7, 7);
  for (const RoundingMethod& method : all_rounding_methods()) {
    EXPECT_EQ(channel.round(method.name), channel.round("nearest")) << method.name;
  }
}

}  // namespace
}  // namespace halftone::ptq::method_test
