// What calibration has seen: observers for every group of values that share a grid.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "halftone/quant/assign.h"
#include "halftone/quant/observer.h"
#include "halftone/quant/value_moments.h"

namespace halftone {

// By group of the plan: how many channels have ranges of their own, 1 for one range over all. A group whose spec asks
// for ranges by channel or group of channels has them where its values have the same channels (axis 1), all along
// the data movers between them; elsewhere it has one range.
std::vector<int64_t> range_counts(const Graph& graph, const QuantPlan& plan);

// Memory: that of the observers, whatever the number of samples. Not thread-safe: give each thread its own and merge.
class CalibrationTable {
 public:
  // Errors: Error{InvalidArgument} for an unknown observer.
  CalibrationTable(const QuantPlan& plan, const std::vector<int64_t>& range_counts);

  // Content of one of the plan's observed values, by its group. Errors: Error{NumericRange} naming the value for
  // infinite numbers and NaN.
  void observe(size_t group, std::string_view value, const Tensor& content);
  void count_samples(int64_t samples) { samples_ += samples; }

  // Whether the group's observers look at numbers, or want to be told what to expect of a value.
  bool needs_data(size_t group) const { return groups_.at(group).observers.front()->needs_data(); }
  void expect(size_t group, const std::vector<ClippedNormal>& channels);

  // As if `later`, a table of the same plan, had gone on where this one stopped.
  void merge(const CalibrationTable& later);

  int64_t samples() const { return samples_; }
  std::vector<ChannelRanges> ranges() const;  // by group

 private:
  struct Group {
    std::vector<std::unique_ptr<Observer>> observers;  // one, or one for so many channels each:
    int64_t channels_each = 1;
    int64_t channels = 1;
  };
  std::vector<Group> groups_;
  int64_t samples_ = 0;
};

}  // namespace halftone
