#include "halftone/sim/dynamic_codes.h"

#include "halftone/quant/quant_params.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim {
namespace {

Grid grid_over(const OpCall& call, std::span<const float> numbers) {
  float low = 0, high = 0;
  for (float x : numbers) {
    low = x < low ? x : low;
    high = x > high ? x : high;
  }
  const Grid grid = dynamic_grid(low, high);
  if (!is_finite(grid)) {
    fail(ErrorCode::NumericRange, describe(call.graph, call.node),
         "its operand requires finite numbers whose range is finite, found [{}, {}]", low, high);
  }
  return grid;
}

}  // namespace

DynamicCodes quantize_dynamically(const OpCall& call, size_t i, DynamicRange range) {
  const Tensor& x = call.input(i);
  const std::span<const float> from = ops::elements<float>(call, i);
  const bool rows = range == DynamicRange::PerRow && x.rank() > 0;
  const size_t length = rows ? static_cast<size_t>(x.dim(x.rank() - 1)) : from.size();
  DynamicCodes codes{Tensor(DType::Int32, x.shape()), {}};
  int32_t* to = codes.steps.mutable_data<int32_t>().data();
  for (size_t begin = 0; begin < from.size(); begin += length) {
    const Grid grid = grid_over(call, from.subspan(begin, length));
    for (size_t k = begin; k < begin + length; ++k) {
      to[k] = quantize(from[k], grid.scale, grid.zero_point, grid.low, grid.high) - grid.zero_point;
    }
    codes.grids.push_back(grid);
  }
  // Nothing to look at has the grid of zeros.
  if (codes.grids.empty()) codes.grids.push_back(dynamic_grid(0, 0));
  return codes;
}

}  // namespace halftone::sim
