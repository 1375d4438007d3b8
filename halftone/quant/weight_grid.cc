#include "halftone/quant/weight_grid.h"

#include <algorithm>

#include "halftone/quant/observer.h"

namespace halftone {

WeightGrid grid_of_weights(const QuantSpec& spec, int64_t axis, const Tensor& weights) {
  const std::span<const float> floats = weights.data<float>();
  const int64_t channels = axis < 0 ? 1 : weights.dim(axis);
  const int64_t inner = axis < 0 ? weights.size() : contiguous_strides(weights.shape())[static_cast<size_t>(axis)];
  std::vector<float> low, high, slice;
  for (int64_t c = 0; c < channels; ++c) {
    slice.clear();
    for (int64_t begin = c * inner; begin < weights.size(); begin += channels * inner) {
      const auto part = floats.subspan(static_cast<size_t>(begin), static_cast<size_t>(inner));
      slice.insert(slice.end(), part.begin(), part.end());
    }
    const auto observer = make_observer(spec);
    observer->observe(slice, "weights");
    const Range range = observer->range();
    low.push_back(range.low);
    high.push_back(range.high);
  }
  WeightGrid grid;
  grid.params = choose_params(spec, low, high, axis);
  grid.spec = spec;
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

void finish(WeightGrid& grid) {
  const float largest = *std::max_element(grid.params.scale.begin(), grid.params.scale.end());
  for (float& scale : grid.params.scale) {
    if (scale == 0) scale = largest > 0 ? largest : 1.0F;
  }
}

}  // namespace halftone
