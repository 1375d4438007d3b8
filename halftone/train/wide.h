// Loops over many numbers that the compiler makes wide.
#pragma once

#include <cstdint>

namespace halftone::train {

// A function compiled for each of these levels; the processor's own is taken when the program starts. Results are the
// same: every operation is rounded on its own, and sums have a fixed order.
#define HT_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))

// Blocks are small enough to stay near the core; what they add to sums is kept until the block is done.
constexpr int64_t kBlock = 256;

// A sum in several strands, each added up in order.
class StrandSum {
 public:
  // Adds kBlock terms.
  void add(const float* terms) {
    for (int64_t i = 0; i < kBlock; i += kStrands) {
      for (int64_t strand = 0; strand < kStrands; ++strand) strands_[strand] += terms[i + strand];
    }
  }
  double total() const {
    double total = 0;
    for (const float strand : strands_) total += static_cast<double>(strand);
    return total;
  }

 private:
  static constexpr int64_t kStrands = 8;
  float strands_[kStrands] = {};
};

}  // namespace halftone::train
