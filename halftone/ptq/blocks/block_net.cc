#include "halftone/ptq/blocks/block_net.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "halftone/base/error.h"
#include "halftone/ptq/blocks/multiply.h"
#include "halftone/ptq/rounding/clip_bounds.h"
#include "halftone/transform/rewrite.h"

namespace halftone::ptq {

BlockNet::BlockNet(const QuantizedModel& model, const Block& block) {
  const Graph& graph = model.graph;
  std::map<ValueId, int> known = {{graph.find(block.input), 0}};
  const auto size_of = [&](ValueId id) { return element_count(graph.value(id).type.fixed_shape().value()); };
  sizes_ = {size_of(graph.find(block.input))};
  grid_of_ = {-1};
  for (int position : block.nodes) {
    const Node& node = graph.nodes()[static_cast<size_t>(position)];
    Operation operation{Kind::Copy};
    operation.a = known.at(node.inputs[0]);
    if (node.is("Relu") || node.is("Clip")) {
      const ClipBounds bounds = bounds_of_clip(graph, node).value();
      operation.kind = Kind::Clip;
      operation.low = static_cast<float>(bounds.low);
      operation.high = static_cast<float>(bounds.high);
    } else if (node.is("Add")) {
      operation.kind = Kind::Add;
      operation.b = known.at(node.inputs[1]);
    } else if (!node.is("Flatten") && !node.is("Identity")) {
      operation.kind = Kind::Layer;
      operation.layer = static_cast<int>(layers_.size());
      add_layer(model, node, position);
    }
    operations_.push_back(operation);
    const ValueId made = node.outputs[0];
    known[made] = static_cast<int>(sizes_.size());
    sizes_.push_back(size_of(made));
    grid_of_.push_back(-1);
    const Encoding* encoding = find_encoding(model, made);
    if (encoding == nullptr || !encoding->params.per_tensor()) continue;
    grid_of_.back() = static_cast<int>(rounded_.size());
    rounded_.push_back(graph.value(made).name);
    parameters_.grids.push_back(LearnedGrid::of(encoding->params));
    first_word_.push_back(first_word_.back() + (sizes_.back() + 63) / 64);
  }
  HT_CHECK(!operations_.empty() && known.at(graph.find(block.output)) == static_cast<int>(operations_.size()),
           "a block that doesn't end with its output");
}

void BlockNet::add_layer(const QuantizedModel& model, const Node& node, int position) {
  const Graph& graph = model.graph;
  const Value& weights = graph.value(node.inputs[1]);
  const auto layout = transform::weight_layout(node, weights.constant->shape());
  HT_CHECK(layout.has_value(), "a layer without a layout");
  const Layer layer{position, weights.name, layer_shape(*layout)};
  const RowReader reader(graph, node, layer.shape, graph.value(node.inputs[0]).type.fixed_shape().value());

  Taps taps{reader.positions(), 0, reader.in_area(), {}, false};
  std::vector<int64_t> offsets;
  for (int64_t p = 0; p < taps.positions; ++p) {
    reader.tap_offsets(p, offsets);
    taps.taps = static_cast<int64_t>(offsets.size());
    taps.offsets.resize(static_cast<size_t>(taps.taps * taps.positions));
    for (int64_t t = 0; t < taps.taps; ++t) {
      taps.offsets[static_cast<size_t>(t * taps.positions + p)] = static_cast<int32_t>(offsets[static_cast<size_t>(t)]);
    }
  }
  taps.straight = taps.taps == 1 && taps.positions == taps.in_area;
  for (int64_t p = 0; taps.straight && p < taps.positions; ++p) {
    taps.straight = taps.offsets[static_cast<size_t>(p)] == p;
  }

  const Encoding* encoding = find_encoding(model, node.inputs[1]);
  const Tensor content = encoding == nullptr ? *weights.constant : fake_quantize(*weights.constant, encoding->params);
  std::vector<float> rows(static_cast<size_t>(layer.outputs() * layer.shape.features));
  for (int64_t c = 0; c < layer.outputs(); ++c) {
    for (int64_t f = 0; f < layer.shape.features; ++f) {
      rows[static_cast<size_t>(c * layer.shape.features + f)] =
          content.data<float>()[static_cast<size_t>(layer.shape.weight_offset(c, f))];
    }
  }
  const transform::KeepNames keep;
  const auto bias = transform::bias_of(transform::RewriteIndex(graph, keep), node, layer.outputs());
  HT_CHECK(bias.has_value(), "a layer whose bias is not constant");
  parameters_.weights.push_back(std::move(rows));
  parameters_.biases.emplace_back(bias->begin(), bias->end());
  layers_.push_back(layer);
  taps_.push_back(std::move(taps));
}

int64_t BlockNet::elements() const { return std::accumulate(sizes_.begin(), sizes_.end(), int64_t{0}); }

BlockSlopes BlockNet::no_slopes() const {
  BlockSlopes slopes;
  for (const auto& weights : parameters_.weights) slopes.weights.emplace_back(weights.size(), 0.0);
  for (const auto& biases : parameters_.biases) slopes.biases.emplace_back(biases.size(), 0.0);
  slopes.scales.assign(parameters_.grids.size(), 0.0);
  return slopes;
}

void BlockNet::spread(const Layer& layer, const Taps& taps, const float* x, int64_t group, float* columns) const {
  const int64_t planes = layer.shape.features / taps.taps;
  for (int64_t plane = 0; plane < planes; ++plane) {
    const float* from = x + (group * planes + plane) * taps.in_area;
    const int32_t* offset = taps.offsets.data();
    for (int64_t t = 0; t < taps.taps * taps.positions; ++t) *columns++ = offset[t] < 0 ? 0.0F : from[offset[t]];
  }
}

void BlockNet::gather(const Layer& layer, const Taps& taps, const float* columns, int64_t group, float* x) const {
  const int64_t planes = layer.shape.features / taps.taps;
  for (int64_t plane = 0; plane < planes; ++plane) {
    float* to = x + (group * planes + plane) * taps.in_area;
    const int32_t* offset = taps.offsets.data();
    for (int64_t t = 0; t < taps.taps * taps.positions; ++t, ++columns) {
      if (offset[t] >= 0) to[offset[t]] += *columns;
    }
  }
}

BlockNet::Pass::Pass(const BlockNet& net) : net_(net) {
  for (int64_t size : net.sizes_) {
    values_.emplace_back(static_cast<size_t>(size));
    slopes_.emplace_back(static_cast<size_t>(size));
  }
  real_.resize(values_.size());
  for (size_t i = 0; i < real_.size(); ++i) {
    if (net.grid_of_[i] >= 0) real_[i].resize(values_[i].size());
  }
}

DropMask BlockNet::Pass::mask_of(int grid) const {
  if (dropped_.empty()) return {};
  const auto first = static_cast<size_t>(net_.first_word_[static_cast<size_t>(grid)]);
  return dropped_.subspan(first, static_cast<size_t>(net_.first_word_[static_cast<size_t>(grid) + 1]) - first);
}

std::span<const float> BlockNet::Pass::forward(const BlockParameters& parameters, std::span<const float> x,
                                               std::span<const uint64_t> dropped) {
  HT_CHECK(x.size() == values_.front().size(), "an input of {} elements, found {}", values_.front().size(), x.size());
  dropped_ = dropped;
  std::copy(x.begin(), x.end(), values_.front().begin());
  for (size_t i = 0; i < net_.operations_.size(); ++i) {
    const Operation& operation = net_.operations_[i];
    const std::vector<float>& a = values_[static_cast<size_t>(operation.a)];
    const int grid = net_.grid_of_[i + 1];
    std::vector<float>& y = grid >= 0 ? real_[i + 1] : values_[i + 1];
    switch (operation.kind) {
      case Kind::Copy:
        y = a;
        break;
      case Kind::Add: {
        const std::vector<float>& b = values_[static_cast<size_t>(operation.b)];
        for (size_t k = 0; k < y.size(); ++k) y[k] = a[k] + b[k];
        break;
      }
      case Kind::Clip:
        for (size_t k = 0; k < y.size(); ++k) y[k] = std::min(std::max(a[k], operation.low), operation.high);
        break;
      case Kind::Layer: {
        const auto l = static_cast<size_t>(operation.layer);
        const Layer& layer = net_.layers_[l];
        const Taps& taps = net_.taps_[l];
        const int64_t per_group = layer.shape.features * layer.shape.channels;
        for (int64_t c = 0; c < layer.outputs(); ++c) {
          std::fill_n(y.begin() + c * taps.positions, taps.positions, parameters.biases[l][static_cast<size_t>(c)]);
        }
        columns_.resize(static_cast<size_t>(layer.shape.features * taps.positions));
        for (int64_t g = 0; g < layer.shape.groups; ++g) {
          const float* columns = columns_.data();
          if (taps.straight) {
            columns = a.data() + g * layer.shape.features * taps.positions;
          } else {
            net_.spread(layer, taps, a.data(), g, columns_.data());
          }
          multiply({layer.shape.channels, taps.positions, layer.shape.features,
                    parameters.weights[l].data() + g * per_group, layer.shape.features, 1, columns, taps.positions,
                    y.data() + g * layer.shape.channels * taps.positions, taps.positions});
        }
        break;
      }
    }
    if (grid >= 0) round_to(parameters.grids[static_cast<size_t>(grid)], y, mask_of(grid), values_[i + 1]);
  }
  return values_.back();
}

void BlockNet::Pass::backward(const BlockParameters& parameters, std::span<const float> slope, BlockSlopes& slopes) {
  for (auto& each : slopes_) std::fill(each.begin(), each.end(), 0.0F);
  std::copy(slope.begin(), slope.end(), slopes_.back().begin());
  std::vector<float> of_columns, of_weights;
  for (size_t i = net_.operations_.size(); i-- > 0;) {
    const Operation& operation = net_.operations_[i];
    std::vector<float>& dy = slopes_[i + 1];
    const int grid = net_.grid_of_[i + 1];
    if (grid >= 0) {
      const auto g = static_cast<size_t>(grid);
      slopes.scales[g] += slope_through(parameters.grids[g], real_[i + 1], mask_of(grid), dy);
    }
    const std::vector<float>& a = values_[static_cast<size_t>(operation.a)];
    std::vector<float>& da = slopes_[static_cast<size_t>(operation.a)];
    switch (operation.kind) {
      case Kind::Copy:
        for (size_t k = 0; k < da.size(); ++k) da[k] += dy[k];
        break;
      case Kind::Add: {
        std::vector<float>& db = slopes_[static_cast<size_t>(operation.b)];
        for (size_t k = 0; k < da.size(); ++k) da[k] += dy[k];
        for (size_t k = 0; k < db.size(); ++k) db[k] += dy[k];
        break;
      }
      case Kind::Clip:
        for (size_t k = 0; k < da.size(); ++k) da[k] += a[k] > operation.low && a[k] < operation.high ? dy[k] : 0.0F;
        break;
      case Kind::Layer: {
        const auto l = static_cast<size_t>(operation.layer);
        const Layer& layer = net_.layers_[l];
        const Taps& taps = net_.taps_[l];
        const int64_t features = layer.shape.features, channels = layer.shape.channels, positions = taps.positions;
        for (int64_t c = 0; c < layer.outputs(); ++c) {
          double sum = 0;
          for (int64_t p = 0; p < positions; ++p) sum += double{dy[static_cast<size_t>(c * positions + p)]};
          slopes.biases[l][static_cast<size_t>(c)] += sum;
        }
        columns_.resize(static_cast<size_t>(features * positions));
        of_weights.resize(static_cast<size_t>(features * channels));
        for (int64_t g = 0; g < layer.shape.groups; ++g) {
          const float* columns = columns_.data();
          if (taps.straight) {
            columns = a.data() + g * features * positions;
          } else {
            net_.spread(layer, taps, a.data(), g, columns_.data());
          }
          const float* of_results = dy.data() + g * channels * positions;
          std::fill(of_weights.begin(), of_weights.end(), 0.0F);
          multiply_rows({channels, features, positions, of_results, positions, 1, columns, positions, of_weights.data(),
                         features});
          double* to = slopes.weights[l].data() + g * features * channels;
          for (size_t k = 0; k < of_weights.size(); ++k) to[k] += double{of_weights[k]};
          if (operation.a == 0) continue;  // nobody asks for the input's slope
          // columns' slopes = weights^T slopes of results
          of_columns.assign(taps.straight ? 0 : static_cast<size_t>(features * positions), 0.0F);
          float* into = taps.straight ? da.data() + g * features * positions : of_columns.data();
          multiply({features, positions, channels, parameters.weights[l].data() + g * features * channels, 1, features,
                    of_results, positions, into, positions});
          if (!taps.straight) net_.gather(layer, taps, of_columns.data(), g, da.data());
        }
        break;
      }
    }
  }
}

}  // namespace halftone::ptq
