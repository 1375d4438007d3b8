#include "halftone/sim/ops/integer_operands.h"

#include <cmath>

#include "halftone/sim/ops/broadcast.h"
#include "halftone/sim/ops/element_writer.h"
#include "halftone/tensor/packing.h"

namespace halftone::sim::ops {

std::vector<int64_t> parameter_positions(const OpCall& call, size_t i, const Shape& shape, Spread spread) {
  const Tensor& parameter = call.input(i);
  if (parameter.size() == 1) return std::vector<int64_t>(static_cast<size_t>(element_count(shape)), 0);
  if (spread == Spread::Scalar) call.refuse("input {} must be one number, found {}", i, to_string(parameter.shape()));
  Shape laid_out = parameter.shape();
  if (spread == Spread::PerChannel) {
    if (laid_out.size() != 1) call.refuse("input {} must be a vector, found {}", i, to_string(laid_out));
    laid_out.resize(shape.size(), 1);
  }
  if (spread == Spread::PerRow && laid_out.size() == 1) laid_out.push_back(1);
  return strided_indices(shape, broadcast_strides(call, laid_out, shape));
}

std::vector<int32_t> centered(const OpCall& call, size_t i, size_t z, Spread spread) {
  const Tensor& codes = call.input(i);
  if (codes.dtype() != DType::UInt8 && codes.dtype() != DType::Int8) {
    call.refuse("input {} must be uint8 or int8, found {}", i, name_of(codes.dtype()));
  }
  std::vector<int32_t> values = to_vector<int32_t>(codes);
  if (!call.has_input(z)) return values;
  if (call.input(z).dtype() != codes.dtype()) {
    call.refuse("zero points of {} codes must be {}, found {}", name_of(codes.dtype()), name_of(codes.dtype()),
                name_of(call.input(z).dtype()));
  }
  const std::vector<int32_t> zero_points = to_vector<int32_t>(call.input(z));
  const std::vector<int64_t> positions = parameter_positions(call, z, codes.shape(), spread);
  for (size_t e = 0; e < values.size(); ++e) values[e] -= zero_points[static_cast<size_t>(positions[e])];
  return values;
}

std::vector<float> scales_of(const OpCall& call, size_t i) {
  if (!is_floating(call.input(i).dtype())) {
    call.refuse("input {} must be floating-point scales, found {}", i, name_of(call.input(i).dtype()));
  }
  std::vector<float> scales = to_vector<float>(call.input(i));
  for (float scale : scales) {
    if (!(scale > 0) || !std::isfinite(scale)) call.refuse("scales must be positive and finite, found {}", scale);
  }
  return scales;
}

Grid output_grid(const OpCall& call, size_t scale, size_t zero_point) {
  const std::vector<float> scales = scales_of(call, scale);
  const Tensor& zero = call.input(zero_point);
  if (scales.size() != 1 || zero.size() != 1) {
    call.refuse("an output requires one scale and one zero point, found {} and {}", scales.size(), zero.size());
  }
  if (zero.dtype() != DType::UInt8 && zero.dtype() != DType::Int8) {
    call.refuse("an output's zero point must be uint8 or int8, found {}", name_of(zero.dtype()));
  }
  const IntegerRange range = range_of(zero.dtype());
  return {zero.dtype(), scales[0], to_vector<int32_t>(zero)[0], static_cast<int32_t>(range.low),
          static_cast<int32_t>(range.high)};
}

float multiplier_of(const OpCall& call, float x_scale, float w_scale, float y_scale) {
  const float multiplier = make_multiplier(x_scale, w_scale, y_scale);
  if (!std::isfinite(multiplier)) {
    fail(ErrorCode::NumericRange, describe(call.graph, call.node), "the scales {} * {} / {} leave float32's range",
         x_scale, w_scale, y_scale);
  }
  return multiplier;
}

}  // namespace halftone::sim::ops
