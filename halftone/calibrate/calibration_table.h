// What calibration has seen: one observer per group of values that share a grid.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "halftone/quant/assign.h"
#include "halftone/quant/observer.h"

namespace halftone {

// Memory: that of the observers, whatever the number of samples. Not thread-safe: give each thread its own and merge.
class CalibrationTable {
 public:
  // Errors: Error{InvalidArgument} for an unknown observer.
  explicit CalibrationTable(const QuantPlan& plan);

  // Content of one of the plan's observed values, by its group. Errors: Error{NumericRange} naming the value for
  // infinite numbers and NaN.
  void observe(size_t group, std::string_view value, std::span<const float> content);
  void count_samples(int64_t samples) { samples_ += samples; }

  // As if `later`, a table of the same plan, had gone on where this one stopped.
  void merge(const CalibrationTable& later);

  int64_t samples() const { return samples_; }
  std::vector<Range> ranges() const;  // by group

 private:
  std::vector<std::unique_ptr<Observer>> observers_;
  int64_t samples_ = 0;
};

}  // namespace halftone
