#include "halftone/ptq/rounding/damping.h"

#include <array>
#include <limits>
#include <optional>

#include "halftone/ptq/rounding/layer_objective.h"

namespace halftone::ptq {
namespace {

constexpr std::array<double, 9> kDampings = {0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100};
constexpr double kWithoutCheck = 1;
// The error has one valley, but for noise.
constexpr int kMostMisses = 2;

using ChannelSums = std::vector<std::vector<double>>;

ChannelSums mean_of(ChannelSums a, const ChannelSums& b, RowRange of_a, RowRange of_b) {
  const double rows = static_cast<double>(of_a.count + of_b.count);
  for (size_t g = 0; g < b.size(); ++g) {
    for (size_t i = 0; i < b[g].size(); ++i) {
      a[g][i] = (a[g][i] * static_cast<double>(of_a.count) + b[g][i] * static_cast<double>(of_b.count)) / rows;
    }
  }
  return a;
}

// Mean of (w x - t)^2 over the checked rows, less the mean of t^2.
double check(const ChannelWeights& weights, const std::vector<double>& gram, const std::vector<double>& products,
             size_t channels, size_t channel) {
  const size_t size = weights.steps.size();
  std::vector<double> w(size);
  for (size_t i = 0; i < size; ++i) w[i] = weights.value(i);
  double error = 0;
  for (size_t i = 0; i < size; ++i) {
    const double* row = gram.data() + i * size;
    double half = row[i] * w[i] / 2;
    for (size_t j = 0; j < i; ++j) half += row[j] * w[j];
    error += 2 * w[i] * (half - products[i * channels + channel]);
  }
  return error;
}

}  // namespace

SplitSums::SplitSums(const LayerSums& sums, const std::vector<float>& targets) {
  const int64_t rows = sums.rows();
  fit = {0, rows < kLeastRows ? rows : rows - rows / 4};
  check = {fit.count, rows - fit.count};
  fit_grams = sums.grams(fit);
  fit_products = sums.products(targets, fit);
  if (check.count == 0) return;
  check_grams = sums.grams(check);
  check_products = sums.products(targets, check);
}

ChannelSums SplitSums::grams() && { return mean_of(std::move(fit_grams), check_grams, fit, check); }

ChannelSums SplitSums::products() const { return mean_of(fit_products, check_products, fit, check); }

double choose_damping(const LayerShape& shape, const SplitSums& sums, std::vector<ChannelWeights> channels,
                      ThreadTeam& team) {
  if (sums.check.count == 0) return kWithoutCheck;
  const RoundingMethod& gptq = find_rounding_method("gptq");
  LayerObjective objective{{}, shape.channels, 1, false, &team};
  double best = kWithoutCheck, least = std::numeric_limits<double>::infinity();
  int misses = 0;
  for (const double damping : kDampings) {
    std::vector<std::optional<Quadratic>> quadratics(sums.fit_grams.size());
    team.run(shape.groups, [&](int64_t g) {
      quadratics[static_cast<size_t>(g)].emplace(shape.features, sums.fit_grams[static_cast<size_t>(g)], damping);
    });
    std::vector<double> errors(channels.size());
    team.run(static_cast<int64_t>(channels.size()), [&](int64_t i) {
      const auto c = static_cast<size_t>(i), group = objective.group_of(c);
      const auto own = c % static_cast<size_t>(shape.channels);
      ChannelWeights& weights = channels[c];
      const Quadratic& quadratic = *quadratics[group];
      aim(quadratic, sums.fit_products[group], shape.channels, static_cast<int64_t>(own), weights);
      gptq.function({quadratic, weights.best, weights.scale, weights.low, weights.high, 1, false}, weights.steps);
      errors[c] =
          check(weights, sums.check_grams[group], sums.check_products[group], static_cast<size_t>(shape.channels), own);
    });
    double error = 0;
    for (const double of_channel : errors) error += of_channel;
    if (error < least) {
      least = error;
      best = damping;
      misses = 0;
    } else if (++misses == kMostMisses) {
      break;
    }
  }
  return best;
}

}  // namespace halftone::ptq
