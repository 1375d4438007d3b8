#include "halftone/quant/quant_params.h"

#include <algorithm>
#include <bit>
#include <cfloat>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/tensor/packing.h"

namespace halftone {
namespace {

// Adds the grid over [low, high]; in double, so that neither the width of the range nor the quotient overflows.
void append_grid(const QuantSpec& spec, double low, double high, QuantParams& params) {
  const auto q_min = static_cast<double>(params.q_min), q_max = static_cast<double>(params.q_max);
  low = std::min(low, 0.0);
  high = std::max(high, 0.0);
  const double centre = spec.is_signed ? 0 : std::ldexp(1.0, spec.bits - 1);
  const double width = spec.symmetric ? std::max(-low, high) : high - low;
  const double steps = spec.symmetric ? q_max - centre : q_max - q_min;
  // A subnormal scale loses precision, and kernels that flush subnormals would see zero.
  const auto scale = width == 0 ? 1.0F : static_cast<float>(std::max(width / steps, double{FLT_MIN}));
  const double zero = spec.symmetric ? centre : std::clamp(std::nearbyint(q_min - low / double{scale}), q_min, q_max);
  params.scale.push_back(scale);
  params.zero_point.push_back(static_cast<int32_t>(zero));
}

}  // namespace

DType storage_type(int bits, bool is_signed) {
  if (bits >= 1 && bits <= 2) return is_signed ? DType::Int2 : DType::UInt2;
  if (bits >= 3 && bits <= 4) return is_signed ? DType::Int4 : DType::UInt4;
  if (bits >= 5 && bits <= 8) return is_signed ? DType::Int8 : DType::UInt8;
  if (bits >= 9 && bits <= 16) return is_signed ? DType::Int16 : DType::UInt16;
  if (bits == 32 && is_signed) return DType::Int32;
  fail(ErrorCode::InvalidArgument, "quantization", "2 to 16 bits, or signed 32, are required, found {} {}",
       is_signed ? "signed" : "unsigned", bits);
}

int code_bits(const QuantParams& params) {
  const auto width = [](int64_t q) { return static_cast<int>(std::bit_width(static_cast<uint64_t>(q < 0 ? ~q : q))); };
  const int bits = std::max(width(params.q_min), width(params.q_max));
  return std::max(1, is_signed_integer(params.dtype) ? bits + 1 : bits);
}

QuantParams choose_params(const QuantSpec& spec, const std::vector<float>& low, const std::vector<float>& high,
                          int64_t axis) {
  HT_CHECK(low.size() == high.size() && !low.empty(), "{} lower and {} upper bounds", low.size(), high.size());
  if (spec.bits < 2)
    fail(ErrorCode::InvalidArgument, "quantization", "at least 2 bits are required, found {}", spec.bits);
  QuantParams params;
  params.dtype = storage_type(spec.bits, spec.is_signed);
  const int64_t codes = int64_t{1} << spec.bits;
  params.q_min = spec.is_signed ? -codes / 2 : 0;
  params.q_max = params.q_min + codes - 1;
  if (spec.narrow_range && spec.is_signed && spec.symmetric) ++params.q_min;
  if (spec.granularity != Granularity::PerTensor) params.axis = axis;
  if (spec.granularity == Granularity::PerBlock) params.block_size = spec.block_size;
  for (size_t i = 0; i < low.size(); ++i) {
    if (!std::isfinite(low[i]) || !std::isfinite(high[i])) {
      fail(ErrorCode::NumericRange, "quantization", "a finite range is required, found [{}, {}]", low[i], high[i]);
    }
    append_grid(spec, low[i], high[i], params);
  }
  return params;
}

void check_params(const QuantParams& params, const Shape& shape, std::string_view where) {
  // Arguments of a message are formatted only when it is needed: models have thousands of scales.
  const auto require = [&](bool good, auto format, const auto&... arguments) {
    if (!good) fail(ErrorCode::InvalidModel, where, "{}", fmt::format(fmt::runtime(format), arguments...));
  };
  require(params.dtype != DType::Bit && is_integer(params.dtype) && bits_of(params.dtype) <= 32 &&
              params.dtype != DType::UInt32,
          "quantized values require an integer type of at most 32 bits, found {}", name_of(params.dtype));
  const IntegerRange range = range_of(params.dtype);
  require(params.q_min >= range.low && params.q_max <= range.high && params.q_min < params.q_max,
          "codes [{}, {}] do not lie in {}", params.q_min, params.q_max, name_of(params.dtype));
  const auto rank = static_cast<int64_t>(shape.size());
  require(params.axis >= -1 && params.axis < rank, "quantization axis {} does not exist in shape {}", params.axis,
          to_string(shape));
  int64_t count = 1;
  if (params.axis >= 0) {
    const int64_t dim = shape[static_cast<size_t>(params.axis)];
    require(params.block_size >= 0, "block_size must not be negative, found {}", params.block_size);
    count = dim;
    if (params.block_size > 0) {
      Shape blocks = shape;
      blocks[static_cast<size_t>(params.axis)] = dim / params.block_size + (dim % params.block_size != 0 ? 1 : 0);
      count = element_count(blocks);
    }
  }
  require(static_cast<int64_t>(params.scale.size()) == count && params.zero_point.size() == params.scale.size(),
          "shape {} with quantization axis {} requires {} scales and zero points, found {} and {}", to_string(shape),
          params.axis, count, params.scale.size(), params.zero_point.size());
  for (float scale : params.scale) {
    require(std::isnormal(scale) && scale > 0, "scales must be positive, finite and normal numbers, found {}", scale);
  }
  for (int32_t zero_point : params.zero_point) {
    require(zero_point >= range.low && zero_point <= range.high, "zero points of {} must lie in [{}, {}], found {}",
            name_of(params.dtype), range.low, range.high, zero_point);
  }
}

}  // namespace halftone
