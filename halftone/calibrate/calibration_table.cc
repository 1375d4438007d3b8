#include "halftone/calibrate/calibration_table.h"

#include <algorithm>
#include <array>
#include <set>

#include "halftone/base/error.h"
#include "halftone/graph/op_table.h"

namespace halftone {
namespace {

// Operators whose results have the channels of their operands wherever they have as many.
constexpr auto kKeepChannels = std::to_array<std::string_view>(
    {"Relu", "Clip", "Concat", "Identity", "Dropout", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool",
     "ReduceMean", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Pad", "Resize", "Upsample", "Add", "Mul"});

// The number of channels that all values of the group have, or 1.
int64_t common_channels(const Graph& graph, const GridGroup& group) {
  const std::set<ValueId> members(group.values.begin(), group.values.end());
  int64_t channels = -1;
  for (ValueId id : members) {
    const TensorType& type = graph.value(id).type;
    if (!type.ranked() || type.rank() < 2 || !(*type.shape)[1].known()) return 1;
    const int64_t here = (*type.shape)[1].value;
    if (channels >= 0 && here != channels) return 1;
    channels = here;
  }
  const auto member = [&](ValueId id) { return members.contains(id); };
  for (const Node& node : graph.nodes()) {
    const bool inside = std::any_of(node.inputs.begin(), node.inputs.end(), member) &&
                        std::any_of(node.outputs.begin(), node.outputs.end(), member);
    const bool keeps = std::find(kKeepChannels.begin(), kKeepChannels.end(), node.op_type) != kKeepChannels.end();
    if (inside && !keeps) return 1;
  }
  return std::max<int64_t>(channels, 1);
}

}  // namespace

std::vector<int64_t> range_counts(const Graph& graph, const QuantPlan& plan) {
  const auto by_channel = [](const GridGroup& group) { return group.spec.granularity != Granularity::PerTensor; };
  std::vector<int64_t> counts(plan.groups.size(), 1);
  if (std::none_of(plan.groups.begin(), plan.groups.end(), by_channel)) return counts;
  Graph typed = graph;
  infer_shapes(typed);
  for (size_t g = 0; g < counts.size(); ++g) {
    if (by_channel(plan.groups[g])) counts[g] = common_channels(typed, plan.groups[g]);
  }
  return counts;
}

CalibrationTable::CalibrationTable(const QuantPlan& plan, const std::vector<int64_t>& range_counts) {
  HT_CHECK(plan.groups.size() == range_counts.size(), "{} groups, {} numbers of ranges", plan.groups.size(),
           range_counts.size());
  for (size_t g = 0; g < plan.groups.size(); ++g) {
    QuantSpec spec = plan.groups[g].spec;
    if (range_counts[g] == 1) spec.granularity = Granularity::PerTensor;
    Group& group = groups_.emplace_back();
    group.channels = range_counts[g];
    if (spec.granularity == Granularity::PerGroup) group.channels_each = std::max<int64_t>(spec.group_size, 1);
    const int64_t observers = (group.channels + group.channels_each - 1) / group.channels_each;
    for (int64_t i = 0; i < observers; ++i) group.observers.push_back(make_observer(spec));
  }
}

void CalibrationTable::observe(size_t group, std::string_view value, const Tensor& content) {
  Group& to = groups_.at(group);
  const std::span<const float> numbers = content.data<float>();
  if (to.channels == 1) {
    to.observers.front()->observe(numbers, value);
    return;
  }
  HT_CHECK(content.rank() >= 2 && content.dim(1) == to.channels, "'{}' of {} channels was planned with {}", value,
           content.dim(1), to.channels);
  const int64_t slices = content.dim(0) * to.channels;
  const auto inner = static_cast<size_t>(slices == 0 ? 0 : content.size() / slices);
  for (int64_t i = 0; i < slices; ++i) {
    const auto observer = static_cast<size_t>(i % to.channels / to.channels_each);
    to.observers[observer]->observe(numbers.subspan(static_cast<size_t>(i) * inner, inner), value);
  }
}

void CalibrationTable::expect(size_t group, const std::vector<ClippedNormal>& channels) {
  Group& to = groups_.at(group);
  const std::span<const ClippedNormal> all = channels;
  if (to.channels == 1) {
    to.observers.front()->expect(all);
    return;
  }
  HT_CHECK(channels.size() == static_cast<size_t>(to.channels), "{} channels for {}", channels.size(), to.channels);
  for (size_t c = 0; c < all.size(); ++c) {
    to.observers[c / static_cast<size_t>(to.channels_each)]->expect(all.subspan(c, 1));
  }
}

void CalibrationTable::merge(const CalibrationTable& later) {
  HT_CHECK(groups_.size() == later.groups_.size(), "tables of {} and {} groups", groups_.size(), later.groups_.size());
  for (size_t g = 0; g < groups_.size(); ++g) {
    for (size_t i = 0; i < groups_[g].observers.size(); ++i) {
      groups_[g].observers[i]->merge(*later.groups_[g].observers.at(i));
    }
  }
  samples_ += later.samples_;
}

std::vector<ChannelRanges> CalibrationTable::ranges() const {
  std::vector<ChannelRanges> ranges;
  for (const Group& group : groups_) {
    ChannelRanges& here = ranges.emplace_back();
    for (int64_t c = 0; c < group.channels; ++c) {
      // Channels that share a scale have equal ones; computing a range may take milliseconds.
      const auto observer = static_cast<size_t>(c / group.channels_each);
      here.push_back(c % group.channels_each == 0 ? group.observers[observer]->range() : here.back());
    }
  }
  return ranges;
}

}  // namespace halftone
