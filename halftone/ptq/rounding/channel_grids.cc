#include "halftone/ptq/rounding/channel_grids.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "halftone/base/error.h"
#include "halftone/quant/runs.h"

namespace halftone::ptq {
namespace {

// Numbers the sets of channels that are linked by common classes of scales.
std::vector<size_t> link_channels(const ChannelGrids& grids) {
  const std::vector<ChannelWeights>& channels = grids.channels();
  std::vector<size_t> parent(channels.size());
  std::iota(parent.begin(), parent.end(), size_t{0});
  const auto root = [&](size_t c) {
    while (parent[c] != c) c = parent[c] = parent[parent[c]];
    return c;
  };
  std::vector<size_t> first(grids.class_count(), channels.size());
  for (size_t c = 0; c < channels.size(); ++c) {
    for (const uint32_t index : channels[c].index) {
      size_t& other = first[grids.class_of(index)];
      if (other == channels.size()) other = c;
      parent[root(c)] = root(other);
    }
  }
  std::map<size_t, size_t> numbers;
  std::vector<size_t> units;
  for (size_t c = 0; c < channels.size(); ++c) units.push_back(numbers.emplace(root(c), numbers.size()).first->second);
  return units;
}

std::vector<ChannelGrids::Sharing> find_sharing(const ChannelGrids& grids) {
  const std::vector<ChannelWeights>& channels = grids.channels();
  std::vector<size_t> first(grids.class_count(), channels.size());
  std::vector<bool> common(grids.class_count(), false);
  for (size_t c = 0; c < channels.size(); ++c) {
    for (const uint32_t index : channels[c].index) {
      const size_t of_class = grids.class_of(index);
      if (first[of_class] == channels.size()) first[of_class] = c;
      if (first[of_class] != c) common[of_class] = true;
    }
  }
  std::vector<ChannelGrids::Sharing> sharing;
  for (const ChannelWeights& channel : channels) {
    bool several = false, entangled = false;
    for (const uint32_t index : channel.index) {
      several |= grids.class_of(index) != grids.class_of(channel.index.front());
      entangled |= common[grids.class_of(index)];
    }
    sharing.push_back(!several    ? ChannelGrids::Sharing::OneClass
                      : entangled ? ChannelGrids::Sharing::Entangled
                                  : ChannelGrids::Sharing::OwnClasses);
  }
  return sharing;
}

}  // namespace

ChannelGrids::ChannelGrids(const LayerShape& shape, const std::vector<std::vector<int64_t>>& order,
                           const Tensor& weights, const QuantParams& params, const QuantSpec& spec)
    : shape_(weights.shape()), params_(params), scales_(params.scale) {
  if (spec.granularity == Granularity::PerGroup) group_ = static_cast<size_t>(std::max<int64_t>(spec.group_size, 1));
  std::vector<uint32_t> index(static_cast<size_t>(weights.size()));
  for_each_run(shape_, params, [&](const Run& run) {
    std::fill_n(index.begin() + static_cast<ptrdiff_t>(run.begin), run.count, static_cast<uint32_t>(run.index));
  });
  const std::span<const float> real = weights.data<float>();
  channels_.resize(static_cast<size_t>(shape.groups * shape.channels));
  for (size_t c = 0; c < channels_.size(); ++c) {
    ChannelWeights& channel = channels_[c];
    for (const int64_t feature : order[c / static_cast<size_t>(shape.channels)]) {
      const auto offset = static_cast<size_t>(shape.weight_offset(static_cast<int64_t>(c), feature));
      const uint32_t scale = index[offset];
      const CodeRange codes = channel_codes(params, scale);
      channel.offsets.push_back(static_cast<int64_t>(offset));
      channel.real.push_back(real[offset]);
      channel.index.push_back(scale);
      channel.low.push_back(static_cast<int32_t>(codes.low - params.zero_point[scale]));
      channel.high.push_back(static_cast<int32_t>(codes.high - params.zero_point[scale]));
    }
    channel.scale.resize(channel.real.size());
    channel.steps.resize(channel.real.size());
    channel.best = channel.real;
    read_scales(channel);
  }
  units_ = link_channels(*this);
  sharing_ = find_sharing(*this);
  unit_count_ = units_.empty() ? 0 : *std::max_element(units_.begin(), units_.end()) + 1;
}

void ChannelGrids::set_scale(size_t of_class, float scale) {
  for (size_t i = of_class * group_; i < std::min(scales_.size(), (of_class + 1) * group_); ++i) scales_[i] = scale;
}

void ChannelGrids::read_scales(ChannelWeights& channel) const {
  for (size_t i = 0; i < channel.scale.size(); ++i) channel.scale[i] = scales_[channel.index[i]];
}

Tensor ChannelGrids::weights() const {
  Tensor result(DType::Float, shape_);
  const std::span<float> to = result.mutable_data<float>();
  for (const ChannelWeights& channel : channels_) {
    for (size_t i = 0; i < channel.offsets.size(); ++i) {
      to[static_cast<size_t>(channel.offsets[i])] = dequantize(channel.steps[i], scales_[channel.index[i]], 0);
    }
  }
  return result;
}

QuantParams ChannelGrids::params() const {
  QuantParams params = params_;
  params.scale = scales_;
  return params;
}

}  // namespace halftone::ptq
