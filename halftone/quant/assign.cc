#include "halftone/quant/assign.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/quant/rounding.h"
#include "halftone/quant/weight_grid.h"

namespace halftone {
namespace {

// Raises scales until |bias| / (s_x * s_w) is at most 2^30, which leaves as much room for the sum. Where that matters,
// a float32 sum would lose the weights as well: 2^30 is beyond its 24 bits. A channel without weights is nothing but
// its bias, which gets those 24 bits.
void make_room_for_bias(WeightGrid& grid, std::span<const float> bias, double input_scale) {
  const size_t channels = std::max(bias.size(), static_cast<size_t>(grid.channels));
  for (size_t c = 0; c < channels; ++c) {
    const double magnitude = std::abs(double{bias[bias.size() == 1 ? 0 : c]});
    const size_t s = grid.slice_of(c);
    if (magnitude == 0) continue;
    const double least = std::ldexp(magnitude / input_scale, grid.empty[s] ? -24 : -30);
    if (least > FLT_MAX) continue;  // the integer planner will refuse the layer
    grid.raise(s, std::max(static_cast<float>(least), grid.floor));
  }
}

// Whether the integer arithmetic has a form for what was asked for. Where it has none by its nature, the layer is
// computed in float on the rounded numbers: they were asked for because a file of them is small.
bool has_integer_form(const QuantParams& weights, const Encoding* input) {
  if (!weights.levels.empty() || weights.block_size > 0 || bits_of(weights.dtype) > 8) return false;
  return input == nullptr || (input->params.per_tensor() && bits_of(input->params.dtype) <= 8);
}

void assign_weights(QuantizedModel& model, const QuantPlan& plan) {
  std::map<ValueId, WeightGrid> grids;
  for (const WeightPlan& layer : plan.weights) {
    const Tensor& weights = *model.graph.value(layer.weights).constant;
    if (weights.size() > 0 && !grids.contains(layer.weights)) {
      grids.emplace(layer.weights, grid_of_weights(layer.spec, layer.axis, weights));
    }
  }
  for (const WeightPlan& layer : plan.weights) {
    const auto found = grids.find(layer.weights);
    if (layer.bias == ValueId::None || layer.input == ValueId::None || found == grids.end()) continue;
    const std::span<const float> bias = model.graph.value(layer.bias).constant->data<float>();
    const Encoding* input = find_encoding(model, layer.input);
    HT_CHECK(input != nullptr, "the planned input of a layer has no encoding");
    if (!found->second.params.levels.empty() || found->second.params.block_size > 0 || !input->params.per_tensor()) {
      continue;  // no accumulator holds the bias
    }
    const auto channels = static_cast<size_t>(found->second.channels);
    // Other counts contradict the layer, as the integer planner will say.
    if (bias.size() == 1 || bias.size() == channels || (channels == 1 && !bias.empty())) {
      make_room_for_bias(found->second, bias, input->params.scale[0]);
    }
  }
  for (auto& [id, grid] : grids) {
    finish(grid);
    Value& value = model.graph.value(id);
    if (grid.spec.rounding != QuantSpec().rounding) {
      value.constant = make_rounding(grid.spec.rounding)->round(*value.constant, grid.params);
    }
    model.encodings[value.name] = {std::move(grid.params), std::move(grid.spec)};
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
    const Encoding* weights = find_encoding(model, layer.weights);
    in_use[layer.weights] |=
        used || (weights != nullptr && !has_integer_form(weights->params, find_encoding(model, layer.input)));
    if (!used) model.float_reasons[called(layer.node)] = integers.refusals.at(layer.node);
  }
  // What was planned to stay float has its reason already, which is the cause of this one.
  for (const auto& [position, reason] : integers.refusals) {
    model.float_reasons.emplace(called(position), reason);
    const Node& node = model.graph.nodes()[static_cast<size_t>(position)];
    if (find_dynamic(model, node)) model.dynamic.erase(model.graph.value(node.outputs[0]).name);
  }
  for (const auto& [id, used] : in_use) {
    if (!used) model.encodings.erase(model.graph.value(id).name);
  }
}

Encoding encoding_over(const ChannelRanges& ranges, QuantSpec spec) {
  std::vector<float> low, high;
  for (const Range& range : ranges) {
    low.push_back(range.low);
    high.push_back(range.high);
  }
  constexpr int64_t kChannelAxis = 1;
  if (ranges.size() == 1) spec.granularity = Granularity::PerTensor;
  return {choose_params(spec, low, high, kChannelAxis), spec};
}

}  // namespace

QuantizedModel assign_encodings(Graph graph, const QuantPlan& plan, const std::vector<ChannelRanges>& ranges) {
  HT_CHECK(ranges.size() == plan.groups.size(), "{} ranges for {} groups", ranges.size(), plan.groups.size());
  QuantizedModel model{std::move(graph), {}, plan.float_reasons, plan.dynamic};
  for (size_t i = 0; i < ranges.size(); ++i) {
    const GridGroup& group = plan.groups[i];
    const Encoding encoding = encoding_over(ranges[i], group.spec);
    for (ValueId id : group.values) model.encodings[model.graph.value(id).name] = encoding;
  }
  assign_weights(model, plan);
  drop_refused(model, plan);
  return model;
}

}  // namespace halftone
