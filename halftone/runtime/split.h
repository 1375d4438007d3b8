// Cuts work into parts for a thread team.
#pragma once

#include <algorithm>
#include <cstdint>

namespace halftone::runtime {

// Floats below which an element-wise step is not worth a second thread's attention: a hand-over between two cores costs
// about half a microsecond, in which one of them handles some 8,000 floats.
inline constexpr int64_t kEltwiseGrain = 16384;

// [0, total) in `count` parts that differ by at most `unit`, each beginning at a multiple of `unit`.
struct Split {
  int64_t total = 0;
  int64_t unit = 1;
  int64_t count = 1;

  int parts() const { return static_cast<int>(count); }
  int64_t begin(int64_t part) const {
    const int64_t units = (total + unit - 1) / unit;
    return std::min(total, units * part / count * unit);
  }
  int64_t end(int64_t part) const { return begin(part + 1); }
};

// At most one part per thread, each of at least `grain` elements; parts begin at multiples of 16 (a cache line).
inline Split split_range(int64_t total, int threads, int64_t grain) {
  return {total, 16, std::clamp<int64_t>(total / grain, 1, threads)};
}

}  // namespace halftone::runtime
