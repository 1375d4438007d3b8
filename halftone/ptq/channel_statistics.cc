#include "halftone/ptq/channel_statistics.h"

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/ptq/samples.h"
#include "halftone/runtime/session.h"

namespace halftone::ptq {

void ChannelStatistics::add(const Tensor& value, int64_t axis) {
  const int64_t channels = value.dim(axis);
  if (sums_.empty()) {
    sums_.resize(static_cast<size_t>(channels), 0.0);
    squares_.resize(static_cast<size_t>(channels), 0.0);
  }
  HT_CHECK(static_cast<int64_t>(sums_.size()) == channels, "{} channels after {}", channels, sums_.size());
  if (value.size() == 0) return;
  const int64_t inner = contiguous_strides(value.shape())[static_cast<size_t>(axis)];
  const float* at = value.data<float>().data();
  for (int64_t outer = value.size() / (channels * inner); outer > 0; --outer) {
    for (size_t c = 0; c < sums_.size(); ++c) {
      // Four chains hide the latency of the additions.
      double sum[4] = {}, square[4] = {};
      int64_t i = 0;
      for (; i + 4 <= inner; i += 4) {
        for (int64_t k = 0; k < 4; ++k) {
          const double x = at[i + k];
          sum[k] += x;
          square[k] += x * x;
        }
      }
      for (; i < inner; ++i) {
        const double x = at[i];
        sum[0] += x;
        square[0] += x * x;
      }
      sums_[c] += (sum[0] + sum[1]) + (sum[2] + sum[3]);
      squares_[c] += (square[0] + square[1]) + (square[2] + square[3]);
      at += inner;
    }
  }
  count_ += value.size() / channels;
}

void ChannelStatistics::add(const ChannelStatistics& other) {
  if (other.sums_.empty()) return;
  if (sums_.empty()) {
    *this = other;
    return;
  }
  HT_CHECK(sums_.size() == other.sums_.size(), "{} channels after {}", other.sums_.size(), sums_.size());
  for (size_t c = 0; c < sums_.size(); ++c) {
    sums_[c] += other.sums_[c];
    squares_[c] += other.squares_[c];
  }
  count_ += other.count_;
}

double ChannelStatistics::mean(size_t channel) const {
  return count_ == 0 ? 0 : sums_[channel] / static_cast<double>(count_);
}

double ChannelStatistics::deviation(size_t channel) const {
  if (count_ == 0) return 0;
  const double average = mean(channel);
  return std::sqrt(std::max(0.0, squares_[channel] / static_cast<double>(count_) - average * average));
}

int64_t activation_axis(const Node& node, int64_t rank) { return node.is("Gemm") || node.is("MatMul") ? rank - 1 : 1; }

StatisticsByValue statistics_of(const Graph& graph, const ValueNodes& values, const std::vector<data::Batch>& batches,
                                ThreadTeam& team) {
  SessionOptions options;
  for (const auto& [name, node] : values) {
    if (!batches.front().inputs.contains(name)) options.taps.push_back(name);
  }
  const Session session(graph, options);
  StatisticsByValue statistics;
  map_in_order<StatisticsByValue>(
      batches, team,
      [&](const data::Batch& batch) {
        StatisticsByValue of_batch;
        const auto look = [&](std::string_view name, const Tensor& value) {
          const auto found = values.find(name);
          if (found != values.end()) of_batch[found->first].add(value, activation_axis(*found->second, value.rank()));
        };
        for (const auto& [name, value] : batch.inputs) look(name, value);
        session.run(batch.inputs, look);
        return of_batch;
      },
      [&](StatisticsByValue of_batch) {
        for (const auto& [name, more] : of_batch) statistics[name].add(more);
      });
  return statistics;
}

ChannelStatistics statistics_of(const StagedRun& run, const std::string& value, const Node& node) {
  std::vector<ChannelStatistics> by_batch(run.batch_count());
  run.compute({value}, [&](size_t batch, const TensorMap& values) {
    const Tensor& content = values.at(value);
    by_batch[batch].add(content, activation_axis(node, content.rank()));
  });
  ChannelStatistics all;
  for (const ChannelStatistics& one : by_batch) all.add(one);
  return all;
}

}  // namespace halftone::ptq
