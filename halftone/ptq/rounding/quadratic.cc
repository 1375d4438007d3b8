#include "halftone/ptq/rounding/quadratic.h"

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"

namespace halftone::ptq {
namespace {

// Four chains hide the latency of the additions, and are the same on every machine.
double dot(const double* a, const double* b, int64_t count) {
  double sums[4] = {};
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (int64_t lane = 0; lane < 4; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (; i < count; ++i) sums[0] += a[i] * b[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

}  // namespace

Quadratic::Quadratic(int64_t size, std::vector<double> gram, double damping)
    : size_(size), q_(std::move(gram)), factor_(q_.size()) {
  HT_CHECK(static_cast<int64_t>(q_.size()) == size * size && damping > 0, "{} numbers for size {}", q_.size(), size);
  double trace = 0;
  for (int64_t i = 0; i < size; ++i) trace += q_[static_cast<size_t>(i * size + i)];
  if (trace > 0) added_ = damping * trace / static_cast<double>(size);
  for (int64_t i = 0; i < size; ++i) q_[static_cast<size_t>(i * size + i)] += added_;
  for (int64_t i = 0; i < size; ++i) {
    double* row = factor_.data() + i * size;
    for (int64_t j = 0; j <= i; ++j) {
      const double* other = factor_.data() + j * size;
      const double rest = q_[static_cast<size_t>(i * size + j)] - dot(row, other, j);
      // Rounding errors can't take a pivot below what was added, mathematics says; nor may they.
      row[j] = j < i ? rest / other[j] : std::sqrt(std::max(rest, added_ * 0.5));
    }
  }
}

void Quadratic::solve(std::span<double> b) const {
  for (int64_t i = 0; i < size_; ++i) {
    const double* row = factor_.data() + i * size_;
    b[static_cast<size_t>(i)] = (b[static_cast<size_t>(i)] - dot(row, b.data(), i)) / row[i];
  }
  for (int64_t i = size_ - 1; i >= 0; --i) {
    const double* row = factor_.data() + i * size_;
    const double x = b[static_cast<size_t>(i)] /= row[i];
    for (int64_t j = 0; j < i; ++j) b[static_cast<size_t>(j)] -= row[j] * x;
  }
}

void Quadratic::multiply(std::span<const double> d, std::span<double> result) const {
  for (int64_t i = 0; i < size_; ++i) result[static_cast<size_t>(i)] = dot(q_.data() + i * size_, d.data(), size_);
}

double Quadratic::error(std::span<const double> d) const {
  double total = 0;
  for (int64_t i = 0; i < size_; ++i) {
    const double* row = q_.data() + i * size_;
    const double x = d[static_cast<size_t>(i)];
    total += x * (2 * dot(row, d.data(), i) + row[i] * x);
  }
  return total;
}

}  // namespace halftone::ptq
