#include "halftone/quant/grids/k_means.h"

#include <algorithm>
#include <limits>

#include "halftone/quant/grids/points.h"
#include "halftone/quant/levels.h"

namespace halftone {
namespace {

constexpr int kLloydIterations = 20;

// The magnitudes on one side of zero, ascending, in clusters: the lowest ones belong to zero, the others to means.
class Side {
 public:
  // Clusterings with up to `most` means.
  Side(const std::vector<double>& x, const std::vector<double>& weight, size_t most) : n_(x.size()) {
    weight_ = sum_ = squares_ = std::vector<double>(n_ + 1, 0.0);
    for (size_t i = 0; i < n_; ++i) {
      weight_[i + 1] = weight_[i] + weight[i];
      sum_[i + 1] = sum_[i] + weight[i] * x[i];
      squares_[i + 1] = squares_[i] + weight[i] * x[i] * x[i];
    }
    // More means than points change nothing.
    most = std::min(most, n_);
    costs_.push_back(squares_[n_]);
    std::vector<double> before = squares_;  // least cost of the first j points
    for (size_t k = 1; k <= most; ++k) {
      std::vector<double> best(n_ + 1, std::numeric_limits<double>::infinity());
      starts_.emplace_back(n_ + 1, 0);
      fill(before, best, starts_.back(), 0, n_, 0, n_);
      costs_.push_back(best[n_]);
      before = std::move(best);
    }
  }

  size_t most() const { return costs_.size() - 1; }
  double cost(size_t means) const { return costs_[means]; }
  std::vector<double> means(size_t count) const {
    std::vector<double> means;
    for (size_t end = n_; count > 0; --count) {
      const size_t begin = starts_[count - 1][end];
      if (begin < end) means.push_back((sum_[end] - sum_[begin]) / (weight_[end] - weight_[begin]));
      end = begin;
    }
    return means;
  }

 private:
  // Of points [i, j) around their mean.
  double cost(size_t i, size_t j) const {
    if (i == j) return 0;
    const double sum = sum_[j] - sum_[i];
    return std::max(0.0, squares_[j] - squares_[i] - sum * sum / (weight_[j] - weight_[i]));
  }

  // best[j] = min over i of before[i] + cost(i, j) for j in [low, high]. The best i grows with j, so the middle one
  // halves the search for the others.
  void fill(const std::vector<double>& before, std::vector<double>& best, std::vector<size_t>& start, size_t low,
            size_t high, size_t least, size_t most) {
    const size_t j = (low + high) / 2;
    for (size_t i = least; i <= std::min(j, most); ++i) {
      const double total = before[i] + cost(i, j);
      if (total < best[j]) {
        best[j] = total;
        start[j] = i;
      }
    }
    if (j > low) fill(before, best, start, low, j - 1, least, start[j]);
    if (j < high) fill(before, best, start, j + 1, high, start[j], most);
  }

  size_t n_;
  std::vector<double> weight_, sum_, squares_;  // of the first i points
  std::vector<double> costs_;                   // by number of means
  std::vector<std::vector<size_t>> starts_;     // by number of means, from 1: where the last cluster of j points begins
};

std::vector<double> best_of_points(const Points& points, size_t count) {
  std::vector<double> below, below_weight, above, above_weight;
  for (size_t i = points.size(); i-- > 0;) {
    if (points.x[i] >= 0) continue;
    below.push_back(-points.x[i]);
    below_weight.push_back(points.weight[i]);
  }
  for (size_t i = 0; i < points.size(); ++i) {
    if (points.x[i] <= 0) continue;
    above.push_back(points.x[i]);
    above_weight.push_back(points.weight[i]);
  }
  const Side negative(below, below_weight, count - 1), positive(above, above_weight, count - 1);
  size_t best = 0;
  double least = std::numeric_limits<double>::infinity();
  for (size_t k = 0; k <= negative.most(); ++k) {
    const double cost = negative.cost(k) + positive.cost(std::min(positive.most(), count - 1 - k));
    if (cost < least) {
      least = cost;
      best = k;
    }
  }
  std::vector<double> entries = {0.0};
  for (double mean : negative.means(best)) entries.push_back(-mean);
  for (double mean : positive.means(std::min(positive.most(), count - 1 - best))) entries.push_back(mean);
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::vector<float> rounded(const std::vector<double>& entries) {
  std::vector<float> floats(entries.begin(), entries.end());
  floats.erase(std::unique(floats.begin(), floats.end()), floats.end());
  return floats;
}

// Each entry but zero becomes the mean of the values that are nearest to it; false when none moved.
bool improve(std::span<const float> values, std::vector<float>& entries) {
  std::vector<double> sum(entries.size(), 0.0), count(entries.size(), 0.0);
  const Levels levels(1.0F, entries);
  for (float v : values) {
    const size_t k = levels.nearest(v);
    sum[k] += v;
    ++count[k];
  }
  std::vector<double> moved(entries.begin(), entries.end());
  for (size_t k = 0; k < moved.size(); ++k) {
    if (entries[k] != 0 && count[k] > 0) moved[k] = sum[k] / count[k];
  }
  std::vector<float> floats = rounded(moved);
  const bool changed = floats != entries;
  entries = std::move(floats);
  return changed;
}

}  // namespace

std::vector<float> k_means_around_zero(std::span<const float> values, size_t count) {
  const Points points = points_of(values);
  std::vector<float> entries = rounded(best_of_points(points, count));
  if (points.exact) return entries;
  for (int i = 0; i < kLloydIterations && improve(values, entries); ++i) continue;
  return entries;
}

}  // namespace halftone
