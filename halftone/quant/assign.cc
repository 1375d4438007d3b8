#include "halftone/quant/assign.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/quant/integer_plan.h"

namespace halftone {
namespace {

// A weight tensor's grid while it is being made.
struct WeightGrid {
  QuantParams params;
  QuantSpec spec;
  // The smallest scale that makes a difference: below 2^-40 of the largest, a channel vanishes on any grid that its
  // results share with the others; and the ratios of scales must stay normal numbers.
  float floor = std::ldexp(1.0F, -100);
  std::vector<bool> empty;  // by channel: all weights are zero, the scale is free
};

WeightGrid grid_of_weights(const WeightPlan& plan, const Tensor& weights) {
  const std::span<const float> floats = weights.data<float>();
  const int64_t channels = plan.axis < 0 ? 1 : weights.dim(plan.axis);
  const int64_t inner =
      plan.axis < 0 ? weights.size() : contiguous_strides(weights.shape())[static_cast<size_t>(plan.axis)];
  std::vector<float> low, high, slice;
  for (int64_t c = 0; c < channels; ++c) {
    slice.clear();
    for (int64_t begin = c * inner; begin < weights.size(); begin += channels * inner) {
      const auto part = floats.subspan(static_cast<size_t>(begin), static_cast<size_t>(inner));
      slice.insert(slice.end(), part.begin(), part.end());
    }
    const auto observer = make_observer(plan.spec.observer);
    observer->observe(slice, "weights");
    const Range range = observer->range();
    low.push_back(range.low);
    high.push_back(range.high);
  }
  WeightGrid grid;
  grid.params = choose_params(plan.spec, low, high, plan.axis);
  grid.spec = plan.spec;
  for (size_t c = 0; c < low.size(); ++c) {
    grid.empty.push_back(low[c] == high[c]);
    if (grid.empty[c]) {
      grid.params.scale[c] = 0;
    } else {
      grid.floor = std::max(grid.floor, std::ldexp(grid.params.scale[c], -40));
    }
  }
  for (size_t c = 0; c < low.size(); ++c) {
    if (!grid.empty[c]) grid.params.scale[c] = std::max(grid.params.scale[c], grid.floor);
  }
  return grid;
}

// Raises scales until |bias| / (s_x * s_w) is at most 2^30, which leaves as much room for the sum. Where that matters,
// a float32 sum would lose the weights as well: 2^30 is beyond its 24 bits. A channel without weights is nothing but
// its bias, which gets those 24 bits.
void make_room_for_bias(WeightGrid& grid, std::span<const float> bias, double input_scale) {
  std::vector<float>& scale = grid.params.scale;
  const size_t channels = std::max(bias.size(), scale.size());
  for (size_t c = 0; c < channels; ++c) {
    const double magnitude = std::abs(double{bias[bias.size() == 1 ? 0 : c]});
    const size_t s = scale.size() == 1 ? 0 : c;
    if (magnitude == 0) continue;
    const double least = std::ldexp(magnitude / input_scale, grid.empty[s] ? -24 : -30);
    if (least > FLT_MAX) continue;  // the integer planner will refuse the layer
    scale[s] = std::max({scale[s], static_cast<float>(least), grid.floor});
  }
}

void finish(WeightGrid& grid) {
  const float largest = *std::max_element(grid.params.scale.begin(), grid.params.scale.end());
  for (float& scale : grid.params.scale) {
    if (scale == 0) scale = largest > 0 ? largest : 1.0F;
  }
}

void assign_weights(QuantizedModel& model, const QuantPlan& plan) {
  std::map<ValueId, WeightGrid> grids;
  for (const WeightPlan& layer : plan.weights) {
    const Tensor& weights = *model.graph.value(layer.weights).constant;
    if (weights.size() > 0 && !grids.contains(layer.weights)) {
      grids.emplace(layer.weights, grid_of_weights(layer, weights));
    }
  }
  for (const WeightPlan& layer : plan.weights) {
    const auto found = grids.find(layer.weights);
    if (layer.bias == ValueId::None || found == grids.end()) continue;
    const std::span<const float> bias = model.graph.value(layer.bias).constant->data<float>();
    const Encoding* input = find_encoding(model, layer.input);
    HT_CHECK(input != nullptr, "the planned input of a layer has no encoding");
    const size_t channels = found->second.params.scale.size();
    // Other counts contradict the layer, as the integer planner will say.
    if (bias.size() == 1 || bias.size() == channels || (channels == 1 && !bias.empty())) {
      make_room_for_bias(found->second, bias, input->params.scale[0]);
    }
  }
  for (auto& [id, grid] : grids) {
    finish(grid);
    model.encodings[model.graph.value(id).name] = {std::move(grid.params), std::move(grid.spec)};
  }
}

// Takes the weights' grids from layers that the integer planner refuses now that the scales are known.
void drop_refused(QuantizedModel& model, const QuantPlan& plan) {
  const IntegerPlan integers = plan_integers(model);
  const auto called = [&](int position) {
    return layer_name(model.graph, model.graph.nodes()[static_cast<size_t>(position)]);
  };
  std::map<ValueId, bool> in_use;
  for (const WeightPlan& layer : plan.weights) {
    const bool used = integers.nodes[static_cast<size_t>(layer.node)].has_value();
    in_use[layer.weights] |= used;
    if (!used) model.float_reasons[called(layer.node)] = integers.refusals.at(layer.node);
  }
  // What was planned to stay float has its reason already, which is the cause of this one.
  for (const auto& [position, reason] : integers.refusals) model.float_reasons.emplace(called(position), reason);
  for (const auto& [id, used] : in_use) {
    if (!used) model.encodings.erase(model.graph.value(id).name);
  }
}

}  // namespace

QuantizedModel assign_encodings(Graph graph, const QuantPlan& plan, const std::vector<Range>& ranges) {
  HT_CHECK(ranges.size() == plan.groups.size(), "{} ranges for {} groups", ranges.size(), plan.groups.size());
  QuantizedModel model{std::move(graph), {}, plan.float_reasons};
  for (size_t i = 0; i < ranges.size(); ++i) {
    const GridGroup& group = plan.groups[i];
    const Encoding encoding{choose_params(group.spec, {ranges[i].low}, {ranges[i].high}), group.spec};
    for (ValueId id : group.values) model.encodings[model.graph.value(id).name] = encoding;
  }
  assign_weights(model, plan);
  drop_refused(model, plan);
  return model;
}

}  // namespace halftone
