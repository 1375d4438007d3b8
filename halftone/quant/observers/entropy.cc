#include <algorithm>
#include <cmath>

#include "halftone/quant/histogram.h"
#include "halftone/quant/observer.h"
#include "halftone/quant/observers/parameter.h"
#include "halftone/quant/tally.h"

namespace halftone {
namespace {

// Sums over the first bins, from the lowest: of the counts, of the bins that are not empty, and of c * log(c).
struct Sums {
  explicit Sums(const Histogram& histogram) : first_bin(-histogram.bins_per_side() + 1) {
    const int last = histogram.bins_per_side() - 1;
    for (int k = first_bin; k <= last; ++k) {
      // Real zero is a code of every grid; how many zeros a rectifier makes says nothing about the range.
      const auto c = static_cast<double>(histogram.count(k) - (k == 0 ? histogram.extent().zeros : 0));
      count.push_back(count.back() + c);
      filled.push_back(filled.back() + (c > 0 ? 1 : 0));
      log_count.push_back(log_count.back() + (c > 0 ? c * std::log(c) : 0));
    }
  }
  // Over bins [from, to).
  static double over(const std::vector<double>& sums, int from, int to) {
    return sums[static_cast<size_t>(to)] - sums[static_cast<size_t>(from)];
  }

  int first_bin;
  std::vector<double> count = {0}, filled = {0}, log_count = {0};
};

double times_log(double x) { return x > 0 ? x * std::log(x) : 0; }

// Kullback-Leibler divergence, times the number of numbers, of P, the bins [from, to) with everything outside added to
// the outermost two, from Q: the same bins without what is outside, in `levels` runs of bins, each run's sum spread
// evenly over those of its bins that are not empty. Infinite where Q says never of something that P has.
double divergence(const Sums& sums, int from, int to, int levels) {
  const double total = sums.count.back();
  const double below = Sums::over(sums.count, 0, from), inside = Sums::over(sums.count, from, to);
  const double above = total - below - inside;
  const double first = Sums::over(sums.count, from, from + 1), last = Sums::over(sums.count, to - 1, to);
  if ((below > 0 && first == 0) || (above > 0 && last == 0)) return INFINITY;
  double p_log_p = Sums::over(sums.log_count, from, to);
  p_log_p += times_log(first + below) - times_log(first) + times_log(last + above) - times_log(last);
  double p_log_q = 0;
  const int bins = to - from;
  for (int level = 0; level < levels; ++level) {
    const auto edge = [&](int i) { return from + static_cast<int>(int64_t{i} * bins / levels); };
    const int a = edge(level), b = edge(level + 1);
    const double sum = Sums::over(sums.count, a, b);
    if (sum == 0) continue;
    const double outside = (level == 0 ? below : 0) + (level == levels - 1 ? above : 0);
    p_log_q += (sum + outside) * std::log(sum / Sums::over(sums.filled, a, b));
  }
  // Both divided by their sums.
  return p_log_p - p_log_q - total * std::log(total) + total * std::log(inside);
}

// Tries every bound from one code per bin on. Cost: some milliseconds.
Range least_divergence(const Histogram& histogram, const QuantSpec& spec) {
  const Extent& extent = histogram.extent();
  const Sums sums(histogram);
  const auto bin_of = [&](float x) { return static_cast<int>(static_cast<double>(x) / histogram.width()); };
  const int low = std::min(bin_of(extent.min), 0), high = std::max(bin_of(extent.max), 0);
  // A symmetric grid reaches as far on either side, be there numbers or not.
  const auto span_of = [&](int reach) {
    return spec.symmetric ? 2 * reach + 1 : std::min(reach, high) + std::min(reach, -low) + 1;
  };
  const int codes = 1 << spec.bits, farthest = std::max(high, -low);
  double least = INFINITY;
  int best = farthest;
  for (int reach = farthest; reach > 0 && span_of(reach) > codes; --reach) {
    const int from = std::max(-reach, low), to = std::min(reach, high) + 1;
    const int levels = std::max(1, static_cast<int>(int64_t{codes} * (to - from) / span_of(reach)));
    const double here = divergence(sums, from - sums.first_bin, to - sums.first_bin, levels);
    if (here < least) {
      least = here;
      best = reach;
    }
  }
  // The outer edge of the last bin.
  const double bound = histogram.width() * (best + 1);
  return {static_cast<float>(std::max(-bound, double{extent.min})),
          static_cast<float>(std::min(bound, double{extent.max}))};
}

class Entropy final : public Observer {
 public:
  explicit Entropy(const QuantSpec& spec) : spec_(spec), histogram_(histogram_bins(spec)) {}
  std::unique_ptr<Observer> clone() const override { return std::make_unique<Entropy>(*this); }

 private:
  void absorb(std::span<const float> batch, const Extent& extent) override { histogram_.add(batch, extent); }
  void join(const Observer& other) override { histogram_.merge(static_cast<const Entropy&>(other).histogram_); }
  Range estimate() const override { return least_divergence(histogram_, spec_); }

  QuantSpec spec_;
  Histogram histogram_;
};

}  // namespace

std::unique_ptr<Observer> make_entropy(std::string_view parameter, const QuantSpec& spec) {
  no_parameter("entropy", parameter);
  return std::make_unique<Entropy>(spec);
}

}  // namespace halftone
