#include "halftone/ptq/rounding/layer_rows.h"

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/base/rng.h"
#include "halftone/sim/ops/conv_loops.h"
#include "halftone/sim/ops/transpose_shape.h"

namespace halftone::ptq {

LayerShape layer_shape(const transform::WeightLayout& layout) {
  return {layout.groups, layout.inputs() / layout.groups * layout.inner, layout.outputs() / layout.groups, layout};
}

int64_t LayerShape::weight_offset(int64_t c, int64_t f) const {
  const int64_t input = f / layout.inner, tap = f % layout.inner;
  if (layout.rows_are_outputs) return (c * layout.columns + input) * layout.inner + tap;
  const int64_t row = c / channels * (layout.rows / groups) + input;
  return (row * layout.columns + c % channels) * layout.inner + tap;
}

RowReader::RowReader(const Graph& graph, const Node& node, const LayerShape& layer, const Shape& x) : layer_(layer) {
  const sim::OpCall call{graph, node, graph.opset(), {}};
  const Shape& weights = graph.value(node.inputs[1]).constant->shape();
  if (node.is("Gemm") || node.is("MatMul")) {
    if (x.empty() || x.back() != layer.features || node.int_or("transA", 0) != 0) {
      call.refuse("rows of {} inputs are required, found {}", layer.features, to_string(x));
    }
    positions_ = element_count(x) / layer.features;
  } else {
    spatial_ = true;
    transposed_ = node.is("ConvTranspose");
    sim::ops::Window window;
    int64_t batch = 0;
    if (transposed_) {
      const sim::ops::TransposeShape shape = sim::ops::read_transpose_shape(call, x, weights);
      window = shape.window;
      batch = shape.batch;
    } else {
      const sim::ops::ConvShape shape = sim::ops::read_conv_shape(call, x, weights);
      window = shape.window;
      batch = shape.batch;
    }
    for (size_t i = 0; i < 3; ++i) {
      axes_[i] = {window.in[i],     window.out[i],      window.kernel[i],
                  window.stride[i], window.dilation[i], window.pad_begin[i]};
    }
    in_area_ = window.in_area();
    out_area_ = window.out_area();
    positions_ = batch * out_area_;
  }
}

void RowReader::check_targets(const Shape& y) const {
  HT_CHECK(element_count(y) == positions_ * layer_.groups * layer_.channels, "{} elements at {} positions",
           element_count(y), positions_);
}

void RowReader::tap_offsets(int64_t position, std::vector<int64_t>& offsets) const {
  const int64_t within = position % out_area_;
  const int64_t place[3] = {within / (axes_[1].out * axes_[2].out), within / axes_[2].out % axes_[1].out,
                            within % axes_[2].out};
  // The input position of a tap along an axis, or -1.
  const auto source = [&](size_t i, int64_t tap) -> int64_t {
    const Axis& axis = axes_[i];
    int64_t at = transposed_ ? place[i] + axis.pad - tap * axis.dilation
                             : place[i] * axis.stride + tap * axis.dilation - axis.pad;
    if (transposed_) {
      if (at < 0 || at % axis.stride != 0) return -1;
      at /= axis.stride;
    }
    return at >= 0 && at < axis.in ? at : -1;
  };
  offsets.clear();
  for (int64_t d = 0; d < axes_[0].kernel; ++d) {
    for (int64_t h = 0; h < axes_[1].kernel; ++h) {
      for (int64_t w = 0; w < axes_[2].kernel; ++w) {
        const int64_t at[3] = {source(0, d), source(1, h), source(2, w)};
        const bool inside = at[0] >= 0 && at[1] >= 0 && at[2] >= 0;
        offsets.push_back(inside ? (at[0] * axes_[1].in + at[1]) * axes_[2].in + at[2] : -1);
      }
    }
  }
}

void RowReader::read_inputs(const float* x, int64_t position, float* row) const {
  const int64_t width = layer_.groups * layer_.features;
  if (!spatial_) {
    std::copy_n(x + position * width, width, row);
    return;
  }
  std::vector<int64_t> offsets;
  tap_offsets(position, offsets);
  const int64_t planes = width / static_cast<int64_t>(offsets.size());
  const float* plane = x + position / out_area_ * planes * in_area_;
  for (int64_t c = 0; c < planes; ++c, plane += in_area_) {
    for (const int64_t offset : offsets) *row++ = offset < 0 ? 0.0F : plane[offset];
  }
}

void RowReader::read_targets(const float* y, int64_t position, float* row) const {
  const int64_t width = layer_.groups * layer_.channels;
  const float* from = y + position / out_area_ * width * out_area_ + position % out_area_;
  for (int64_t c = 0; c < width; ++c) row[c] = from[c * out_area_];
}

std::vector<int64_t> choose_positions(int64_t positions, int64_t quota, uint64_t seed, uint64_t stream) {
  std::vector<int64_t> chosen;
  if (positions <= quota) {
    for (int64_t i = 0; i < positions; ++i) chosen.push_back(i);
    return chosen;
  }
  Rng rng(seed, stream);
  for (int64_t i = 0; i < quota; ++i) {
    // One out of each of `quota` stretches of (almost) equal length.
    const int64_t first = i * positions / quota, last = (i + 1) * positions / quota;
    chosen.push_back(first + static_cast<int64_t>(rng.below(static_cast<uint64_t>(last - first))));
  }
  return chosen;
}

}  // namespace halftone::ptq
