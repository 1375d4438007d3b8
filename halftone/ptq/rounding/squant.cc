#include "halftone/ptq/rounding/squant.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "halftone/ptq/weighted_layers.h"
#include "halftone/quant/runs.h"

namespace halftone::ptq {
namespace {

// How many steps a sum has too many. A sum of exactly half a step stays: flipping would only change its sign.
size_t excess(double sum) { return static_cast<size_t>(std::max(0.0, std::ceil(std::abs(sum) - 0.5))); }

// The other neighbour of the weight has the error's sign turned round.
bool can_flip(const RoundedWeight& weight, double sign) {
  return weight.error * sign > 0 && (sign > 0 ? weight.code > weight.low : weight.code < weight.high);
}

void flip(RoundedWeight& weight, double sign) {
  weight.error -= sign;
  weight.code -= static_cast<int32_t>(sign);
}

double sum_of(std::span<const RoundedWeight> weights) {
  double sum = 0;
  for (const RoundedWeight& weight : weights) sum += weight.error;
  return sum;
}

void flip_kernel(std::span<RoundedWeight> weights) {
  const double sum = sum_of(weights), sign = std::copysign(1.0, sum);
  std::vector<RoundedWeight*> in_turn;
  for (RoundedWeight& weight : weights) {
    if (can_flip(weight, sign)) in_turn.push_back(&weight);
  }
  std::stable_sort(in_turn.begin(), in_turn.end(),
                   [](const auto* a, const auto* b) { return std::abs(a->error) > std::abs(b->error); });
  const size_t count = std::min(excess(sum), in_turn.size());
  for (size_t i = 0; i < count; ++i) flip(*in_turn[i], sign);
}

void flip_kernels(std::span<RoundedWeight> channel, size_t kernel) {
  const double sum = sum_of(channel), sign = std::copysign(1.0, sum);
  struct Candidate {
    RoundedWeight* weight;
    double kernel_sum;
  };
  std::vector<Candidate> in_turn;
  for (size_t begin = 0; begin < channel.size(); begin += kernel) {
    const std::span<RoundedWeight> weights = channel.subspan(begin, kernel);
    RoundedWeight* next = nullptr;
    for (RoundedWeight& weight : weights) {
      if (can_flip(weight, sign) && (next == nullptr || weight.error * sign > next->error * sign)) next = &weight;
    }
    const double kernel_sum = sum_of(weights) * sign;
    if (next != nullptr && kernel_sum > 0) in_turn.push_back({next, kernel_sum});
  }
  std::stable_sort(in_turn.begin(), in_turn.end(),
                   [](const Candidate& a, const Candidate& b) { return a.kernel_sum > b.kernel_sum; });
  const size_t count = std::min(excess(sum), in_turn.size());
  for (size_t i = 0; i < count; ++i) flip(*in_turn[i].weight, sign);
}

// The weights of each output channel, kernel after kernel, by their places in the tensor.
std::vector<std::vector<size_t>> places_by_channel(const transform::WeightLayout& layout) {
  std::vector<std::vector<size_t>> places(static_cast<size_t>(layout.outputs()));
  layout.for_each([&](int64_t output, int64_t, int64_t offset) {
    for (int64_t k = 0; k < layout.inner; ++k) {
      places[static_cast<size_t>(output)].push_back(static_cast<size_t>(offset + k));
    }
  });
  return places;
}

}  // namespace

void flip_roundings(std::span<RoundedWeight> channel, int64_t kernel, SquantLevels levels) {
  const auto size = static_cast<size_t>(kernel);
  if (levels.kernels && size > 1) {
    for (size_t begin = 0; begin < channel.size(); begin += size) flip_kernel(channel.subspan(begin, size));
  }
  if (levels.channels) flip_kernels(channel, size);
}

void squant(Workbench& bench, std::string_view pattern, SquantLevels levels) {
  for (const WeightedLayer& layer : weighted_layers(bench.model, pattern)) {
    const QuantParams& params = bench.model.encodings.find(layer.weights)->second.params;
    if (!params.levels.empty()) {
      bench.progress->note(
          fmt::format("the grid of layer '{}' is not evenly spaced; its weights stay as they are", layer.name));
      continue;
    }
    Tensor& weights = *bench.model.graph.value(bench.model.graph.find(layer.weights)).constant;
    const std::span<float> real = weights.mutable_data<float>();
    std::vector<RoundedWeight> rounded(real.size());
    std::vector<size_t> scales(real.size());
    for_each_run(weights.shape(), params, [&](const Run& run) {
      const float scale = params.scale[run.index];
      const int32_t zero_point = params.zero_point[run.index];
      const CodeRange codes = channel_codes(params, run.index);
      for (size_t i = run.begin; i < run.begin + run.count; ++i) {
        RoundedWeight& weight = rounded[i];
        weight.low = static_cast<int32_t>(codes.low);
        weight.high = static_cast<int32_t>(codes.high);
        weight.code = halftone::quantize(real[i], scale, zero_point, codes.low, codes.high);
        weight.error = (weight.code - zero_point) - double{real[i]} / double{scale};
        scales[i] = run.index;
      }
    });
    for (const std::vector<size_t>& places : places_by_channel(layer.layout)) {
      std::vector<RoundedWeight> channel;
      for (const size_t place : places) channel.push_back(rounded[place]);
      flip_roundings(channel, layer.layout.inner, levels);
      for (size_t i = 0; i < places.size(); ++i) rounded[places[i]] = channel[i];
    }
    for (size_t i = 0; i < real.size(); ++i) {
      real[i] = dequantize(rounded[i].code, params.scale[scales[i]], params.zero_point[scales[i]]);
    }
  }
}

}  // namespace halftone::ptq
