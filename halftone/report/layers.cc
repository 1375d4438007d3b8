#include "halftone/report/layers.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "halftone/eval/compare.h"
#include "halftone/ptq/samples.h"
#include "halftone/quant/assign.h"
#include "halftone/report/bins.h"
#include "halftone/runtime/session.h"
#include "halftone/search/sensitivity.h"

namespace halftone::report {
namespace {

constexpr int kBins = 96;
// Samples whose activations are drawn.
constexpr int64_t kHistogramSamples = 32;
// Weights that are farther from the reference than this were rescaled, not rounded: a grid of a single bit keeps more.
constexpr double kRescaledDb = 1;

using Histograms = std::map<std::string, Histogram, std::less<>>;

std::string_view name_of(Granularity granularity) {
  switch (granularity) {
    case Granularity::PerTensor:
      return "per_tensor";
    case Granularity::PerChannel:
      return "per_channel";
    case Granularity::PerBlock:
      return "per_block";
    case Granularity::PerGroup:
      return "per_group";
  }
  return "";
}

const Tensor* constant_of(const Graph& graph, std::string_view name) {
  const ValueId id = graph.find(name);
  return id == ValueId::None || !graph.value(id).constant ? nullptr : &*graph.value(id).constant;
}

Granularity granularity_of(const QuantParams& params) {
  if (params.block_size > 0) return Granularity::PerBlock;
  return params.per_tensor() ? Granularity::PerTensor : Granularity::PerChannel;
}

GridReport grid_of(const std::string& tensor, const Encoding& encoding) {
  const QuantParams& params = encoding.params;
  GridReport grid;
  grid.tensor = tensor;
  grid.type = type_name(encoding.spec);
  grid.granularity = name_of(granularity_of(params));
  grid.observer = encoding.spec.observer;
  grid.rounding = encoding.spec.rounding;
  grid.scales = static_cast<int64_t>(params.scale.size());
  for (size_t i = 0; i < params.scale.size(); ++i) {
    const double scale = params.scale[i];
    if (!params.levels.empty()) {
      const size_t count = static_cast<size_t>(params.q_max) + 1;
      const size_t first = params.levels.size() > count ? i * count : 0;
      grid.low = std::min(grid.low, scale * params.levels[first]);
      grid.high = std::max(grid.high, scale * params.levels[first + count - 1]);
      for (size_t k = 1; k < count; ++k) {
        grid.step = std::max(grid.step, scale * (params.levels[first + k] - params.levels[first + k - 1]));
      }
      continue;
    }
    const double zero_point = params.zero_point[i];
    grid.low = std::min(grid.low, scale * (static_cast<double>(params.q_min) - zero_point));
    grid.high = std::max(grid.high, scale * (static_cast<double>(params.q_max) - zero_point));
    grid.step = std::max(grid.step, scale);
  }
  grid.bits_per_value = code_bits(params);
  if (!params.channel_bits.empty()) {
    double bits = 0;
    for (int8_t each : params.channel_bits) bits += each;
    grid.bits_per_value = bits / static_cast<double>(params.channel_bits.size());
  }
  return grid;
}

Histogram histogram_of(std::span<const float> values) {
  Histogram histogram;
  histogram.add(values);
  return histogram;
}

// The activations that have grids, as the reference computes them.
Histograms watch(const Source& source, const std::set<std::string>& names, ThreadTeam& team) {
  SessionOptions options;
  std::set<std::string, std::less<>> inputs;
  for (ValueId id : source.reference.inputs()) inputs.insert(source.reference.value(id).name);
  for (const std::string& name : names) {
    if (!inputs.contains(name)) options.taps.push_back(name);
  }
  const Session session(source.reference, options);
  ptq::Samples samples(source.samples);
  Histograms total;
  ptq::map_in_order<Histograms>(
      samples.kept(kHistogramSamples), team,
      [&](const data::Batch& batch) {
        Histograms seen;
        for (const auto& [name, value] : batch.inputs) {
          if (names.contains(name)) seen[name].add(value.data<float>());
        }
        session.run(batch.inputs, [&](std::string_view name, const Tensor& value) {
          seen[std::string(name)].add(value.data<float>());
        });
        return seen;
      },
      [&](const Histograms& seen) {
        for (const auto& [name, histogram] : seen) total[name].merge(histogram);
      });
  return total;
}

int64_t channel_axis(const Node& node, const QuantParams& params, int64_t rank) {
  if (params.axis >= 0 && params.block_size == 0) return params.axis;
  if (node.is("ConvTranspose")) return 1;
  if (node.is("Gemm")) return node.int_or("transB", 0) != 0 ? 0 : 1;
  return node.is("MatMul") ? rank - 1 : 0;
}

std::vector<float> channel_ranges(const Tensor& weights, int64_t axis) {
  if (axis < 0 || axis >= weights.rank()) return {};
  const int64_t channels = weights.dim(axis);
  int64_t inner = 1;
  for (int64_t d = axis + 1; d < weights.rank(); ++d) inner *= weights.dim(d);
  std::vector<float> ranges(static_cast<size_t>(channels));
  const std::span<const float> values = weights.data<float>();
  for (size_t i = 0; i < values.size(); ++i) {
    float& range = ranges[i / static_cast<size_t>(inner) % static_cast<size_t>(channels)];
    range = std::max(range, std::abs(values[i]));
  }
  return ranges;
}

void describe_weights(const Source& source, const Node& node, const std::string& tensor, LayerReport& layer) {
  const Encoding& encoding = source.model.encodings.at(tensor);
  const Tensor& weights = *constant_of(source.model.graph, tensor);
  const Tensor* before = constant_of(source.reference, tensor);
  layer.weights = grid_of(tensor, encoding);
  layer.weights->values = bins_of(histogram_of((before != nullptr ? *before : weights).data<float>()), kBins);
  const int64_t axis = channel_axis(node, encoding.params, weights.rank());
  layer.channel_range = channel_ranges(fake_quantize(weights, encoding.params), axis);
  if (before != nullptr && before->shape() == weights.shape()) {
    layer.channel_range_float = channel_ranges(*before, axis);
  }
}

LayerReport layer_called(const std::string& name, const std::string& op) {
  LayerReport layer;
  layer.name = name;
  layer.op = op;
  return layer;
}

int64_t parameters_of(const Graph& graph, const Node& node) {
  int64_t count = 0;
  for (ValueId id : node.inputs) {
    if (id != ValueId::None && graph.value(id).constant && graph.value(id).constant->dtype() == DType::Float) {
      count += graph.value(id).constant->size();
    }
  }
  return count;
}

}  // namespace

std::vector<LayerReport> layers_of(const Source& source, ThreadTeam& team, ProgressSink& progress) {
  const Graph& graph = source.model.graph;
  std::map<std::string, const Node*> nodes;
  for (const Node& node : graph.nodes()) nodes.emplace(layer_name(graph, node), &node);

  std::map<std::string, search::QuantizedUnit> units;
  std::vector<LayerReport> layers;
  std::set<std::string> watched;
  for (search::QuantizedUnit& unit : search::units_of(source.model)) {
    for (const std::string& grid : unit.grids) {
      if (constant_of(graph, grid) == nullptr && source.reference.find(grid) != ValueId::None) watched.insert(grid);
    }
    if (unit.op == "Input") layers.push_back(layer_called(unit.name, unit.op));
    units.emplace(unit.name, std::move(unit));
  }
  for (const Node& node : graph.nodes()) {
    const std::string name = layer_name(graph, node);
    const auto reason = source.model.float_reasons.find(name);
    const bool is_unit = units.contains(name);
    if (!is_unit && reason == source.model.float_reasons.end()) continue;
    LayerReport layer = layer_called(name, node.op_type);
    layer.parameters = parameters_of(graph, node);
    if (reason != source.model.float_reasons.end()) layer.reason = reason->second;
    layers.push_back(std::move(layer));
  }

  progress.begin("drawing histograms", 1, "passes");
  const Histograms seen = watch(source, watched, team);
  progress.advance(1);
  progress.end();
  for (LayerReport& layer : layers) {
    const auto unit = units.find(layer.name);
    if (unit == units.end()) continue;
    for (const std::string& grid : unit->second.grids) {
      if (constant_of(graph, grid) != nullptr) {
        if (!layer.weights) describe_weights(source, *nodes.at(layer.name), grid, layer);
      } else if (!layer.activations) {
        layer.activations = grid_of(grid, source.model.encodings.at(grid));
        const auto histogram = seen.find(grid);
        if (histogram != seen.end()) layer.activations->values = bins_of(histogram->second, kBins);
      }
    }
  }
  return layers;
}

bool same_function(const Source& source, const LayerReport& layer) {
  if (!layer.weights) return true;
  const Tensor* before = constant_of(source.reference, layer.weights->tensor);
  const Tensor* after = constant_of(source.model.graph, layer.weights->tensor);
  if (before == nullptr || before->shape() != after->shape()) return false;
  eval::Sqnr sqnr;
  sqnr.add(*before, fake_quantize(*after, source.model.encodings.at(layer.weights->tensor).params));
  return !(sqnr.decibel() < kRescaledDb);
}

}  // namespace halftone::report
