#include "halftone/quant/weight_grid.h"

#include <algorithm>

#include "halftone/quant/grid.h"
#include "halftone/quant/observer.h"
#include "halftone/quant/runs.h"

namespace halftone {
namespace {

// The weights of each slice, in the tensor's order.
std::vector<std::vector<float>> split(const WeightGrid& grid, const Tensor& weights) {
  QuantParams layout;
  layout.axis = grid.params.axis;
  layout.block_size = grid.params.block_size;
  size_t scales = static_cast<size_t>(grid.channels);
  if (layout.block_size > 0) {
    Shape blocks = weights.shape();
    int64_t& dim = blocks[static_cast<size_t>(layout.axis)];
    dim = (dim + layout.block_size - 1) / layout.block_size;
    scales = static_cast<size_t>(element_count(blocks));
  }
  layout.scale.resize(scales);
  layout.zero_point.resize(scales);
  const auto per_slice = static_cast<size_t>(grid.channels_per_slice);
  std::vector<std::vector<float>> slices((scales + per_slice - 1) / per_slice);
  const std::span<const float> values = weights.data<float>();
  for_each_run(weights.shape(), layout, [&](const Run& run) {
    const auto part = values.subspan(run.begin, run.count);
    std::vector<float>& slice = slices[run.index / per_slice];
    slice.insert(slice.end(), part.begin(), part.end());
  });
  return slices;
}

bool has_zero(const QuantParams& params) {
  return params.levels.empty() || std::find(params.levels.begin(), params.levels.end(), 0.0F) != params.levels.end();
}

}  // namespace

void WeightGrid::raise(size_t slice, float least) {
  float& scale = params.scale[slice];
  if (scale >= least) return;
  int exponent = 0;
  const bool power = spec.grid == "power_of_two_scale" && std::frexp(least, &exponent) != 0.5F;
  scale = power ? std::ldexp(1.0F, exponent) : least;
}

WeightGrid grid_of_weights(const QuantSpec& spec, int64_t axis, const Tensor& weights) {
  WeightGrid grid;
  grid.spec = spec;
  const Granularity granularity = axis < 0 ? Granularity::PerTensor : spec.granularity;
  grid.spec.granularity = granularity;
  if (granularity != Granularity::PerTensor) {
    grid.params.axis = axis;
    grid.channels = weights.dim(axis);
  }
  if (granularity == Granularity::PerBlock) grid.params.block_size = spec.block_size;
  check_spec(grid.spec);
  if (granularity == Granularity::PerGroup) grid.channels_per_slice = std::min(spec.group_size, grid.channels);

  const std::vector<std::vector<float>> values = split(grid, weights);
  const bool uses_range = find_grid(spec.grid).uses_range;
  std::vector<Slice> slices;
  for (const std::vector<float>& slice : values) {
    const auto observer = uses_range ? make_observer(grid.spec) : make_observer("min_max");
    observer->observe(slice, "weights");
    slices.push_back({observer->range(), slice});
  }
  grid.params = lay_grid(grid.spec, slices, axis);
  for (size_t s = 0; s < slices.size(); ++s) {
    grid.empty.push_back(slices[s].range == Range{});
    if (grid.empty[s]) {
      if (has_zero(grid.params)) grid.params.scale[s] = 0;
    } else {
      grid.floor = std::max(grid.floor, std::ldexp(grid.params.scale[s], -40));
    }
  }
  for (size_t s = 0; s < slices.size(); ++s) {
    if (!grid.empty[s]) grid.raise(s, grid.floor);
  }
  return grid;
}

void finish(WeightGrid& grid) {
  QuantParams& params = grid.params;
  const float largest = *std::max_element(params.scale.begin(), params.scale.end());
  for (float& scale : params.scale) {
    if (scale == 0) scale = largest > 0 ? largest : 1.0F;
  }
  if (grid.spec.granularity != Granularity::PerGroup) return;
  const QuantParams slices = params;
  const auto codes = static_cast<size_t>(params.q_max) + 1;
  const bool own_levels = slices.levels.size() > codes;
  params.scale.clear();
  params.zero_point.clear();
  if (own_levels) params.levels.clear();
  for (size_t c = 0; c < static_cast<size_t>(grid.channels); ++c) {
    const size_t s = c / static_cast<size_t>(grid.channels_per_slice);
    params.scale.push_back(slices.scale[s]);
    params.zero_point.push_back(slices.zero_point[s]);
    if (!own_levels) continue;
    const auto first = slices.levels.begin() + static_cast<ptrdiff_t>(s * codes);
    params.levels.insert(params.levels.end(), first, first + static_cast<ptrdiff_t>(codes));
  }
}

}  // namespace halftone
