#include "halftone/calibrate/calibration_table.h"

#include "halftone/base/error.h"

namespace halftone {

CalibrationTable::CalibrationTable(const QuantPlan& plan) {
  for (const GridGroup& group : plan.groups) observers_.push_back(make_observer(group.spec));
}

void CalibrationTable::observe(size_t group, std::string_view value, std::span<const float> content) {
  observers_.at(group)->observe(content, value);
}

void CalibrationTable::merge(const CalibrationTable& later) {
  HT_CHECK(observers_.size() == later.observers_.size(), "tables of {} and {} groups", observers_.size(),
           later.observers_.size());
  for (size_t i = 0; i < observers_.size(); ++i) observers_[i]->merge(*later.observers_[i]);
  samples_ += later.samples_;
}

std::vector<Range> CalibrationTable::ranges() const {
  std::vector<Range> ranges;
  for (const auto& observer : observers_) ranges.push_back(observer->range());
  return ranges;
}

}  // namespace halftone
