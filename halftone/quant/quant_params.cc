#include "halftone/quant/quant_params.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/quant/grid.h"
#include "halftone/tensor/packing.h"

namespace halftone {
DType storage_type(int bits, bool is_signed) {
  if (bits >= 1 && bits <= 2) return is_signed ? DType::Int2 : DType::UInt2;
  if (bits >= 3 && bits <= 4) return is_signed ? DType::Int4 : DType::UInt4;
  if (bits >= 5 && bits <= 8) return is_signed ? DType::Int8 : DType::UInt8;
  if (bits >= 9 && bits <= 16) return is_signed ? DType::Int16 : DType::UInt16;
  if (bits == 32 && is_signed) return DType::Int32;
  fail(ErrorCode::InvalidArgument, "quantization", "1 to 16 bits, or signed 32, are required, found {} {}",
       is_signed ? "signed" : "unsigned", bits);
}

CodeRange channel_codes(const QuantParams& params, size_t channel) {
  if (params.channel_bits.empty()) return {params.q_min, params.q_max};
  const int bits = params.channel_bits[channel];
  if (bits == 0) return {0, 0};
  if (!is_signed_integer(params.dtype)) return {0, (int64_t{1} << bits) - 1};
  const int64_t most = (int64_t{1} << (bits - 1)) - 1;
  return {-most, most};
}

int code_bits(const QuantParams& params) {
  const auto width = [](int64_t q) { return static_cast<int>(std::bit_width(static_cast<uint64_t>(q < 0 ? ~q : q))); };
  const int bits = std::max(width(params.q_min), width(params.q_max));
  return std::max(1, is_signed_integer(params.dtype) ? bits + 1 : bits);
}

QuantParams choose_params(const QuantSpec& spec, const std::vector<float>& low, const std::vector<float>& high,
                          int64_t axis) {
  HT_CHECK(low.size() == high.size() && !low.empty(), "{} lower and {} upper bounds", low.size(), high.size());
  std::vector<Slice> slices;
  for (size_t i = 0; i < low.size(); ++i) slices.push_back({{low[i], high[i]}, {}});
  return lay_grid(spec, slices, axis);
}

namespace {

// Arguments of a message are formatted only when it is needed: models have thousands of scales.
template <typename... Args>
void require(bool good, std::string_view where, std::string_view format, const Args&... arguments) {
  if (!good) fail(ErrorCode::InvalidModel, where, "{}", fmt::format(fmt::runtime(format), arguments...));
}

void check_levels(const QuantParams& params, std::string_view where) {
  require(!is_signed_integer(params.dtype) && params.q_min == 0, where,
          "levels require unsigned codes from 0 on, found {} from {}", name_of(params.dtype), params.q_min);
  const auto codes = static_cast<size_t>(params.q_max) + 1;
  const std::vector<float>& levels = params.levels;
  require(levels.size() == codes || levels.size() == codes * params.scale.size(), where,
          "{} codes require as many levels, for all {} scales or for each, found {}", codes, params.scale.size(),
          levels.size());
  require(params.channel_bits.empty(), where, "channels of several widths require an affine grid, found levels");
  for (size_t i = 0; i < levels.size(); ++i) {
    require(std::isfinite(levels[i]), where, "levels must be finite numbers, found {}", levels[i]);
    require(i % codes == 0 || levels[i - 1] <= levels[i], where, "levels must ascend, found {} after {}", levels[i],
            levels[i == 0 ? 0 : i - 1]);
  }
  for (int32_t zero_point : params.zero_point) {
    require(zero_point == 0, where, "levels require zero points of 0, found {}", zero_point);
  }
}

void check_channel_bits(const QuantParams& params, std::string_view where) {
  require(params.axis >= 0 && params.block_size == 0 && params.channel_bits.size() == params.scale.size(), where,
          "widths of channels require one scale per channel, found {} widths and {} scales", params.channel_bits.size(),
          params.scale.size());
  for (size_t c = 0; c < params.channel_bits.size(); ++c) {
    const int bits = params.channel_bits[c];
    require(bits >= 0 && bits <= bits_of(params.dtype), where, "channels of {} have 0 to {} bits, found {}",
            name_of(params.dtype), bits_of(params.dtype), bits);
    const CodeRange codes = channel_codes(params, c);
    const int32_t zero_point = params.zero_point[c];
    require(zero_point >= codes.low && zero_point <= codes.high, where,
            "the zero point of a channel of {} bits must lie in [{}, {}], found {}", bits, codes.low, codes.high,
            zero_point);
  }
}

}  // namespace

void check_params(const QuantParams& params, const Shape& shape, std::string_view where) {
  require(params.dtype != DType::Bit && is_integer(params.dtype) && bits_of(params.dtype) <= 32 &&
              params.dtype != DType::UInt32,
          where, "quantized values require an integer type of at most 32 bits, found {}", name_of(params.dtype));
  const IntegerRange range = range_of(params.dtype);
  require(params.q_min >= range.low && params.q_max <= range.high && params.q_min < params.q_max, where,
          "codes [{}, {}] do not lie in {}", params.q_min, params.q_max, name_of(params.dtype));
  const auto rank = static_cast<int64_t>(shape.size());
  require(params.axis >= -1 && params.axis < rank, where, "quantization axis {} does not exist in shape {}",
          params.axis, to_string(shape));
  int64_t count = 1;
  if (params.axis >= 0) {
    const int64_t dim = shape[static_cast<size_t>(params.axis)];
    require(params.block_size >= 0, where, "block_size must not be negative, found {}", params.block_size);
    count = dim;
    if (params.block_size > 0) {
      Shape blocks = shape;
      blocks[static_cast<size_t>(params.axis)] = dim / params.block_size + (dim % params.block_size != 0 ? 1 : 0);
      count = element_count(blocks);
    }
  }
  require(static_cast<int64_t>(params.scale.size()) == count && params.zero_point.size() == params.scale.size(), where,
          "shape {} with quantization axis {} requires {} scales and zero points, found {} and {}", to_string(shape),
          params.axis, count, params.scale.size(), params.zero_point.size());
  for (float scale : params.scale) {
    require(std::isnormal(scale) && scale > 0, where, "scales must be positive, finite and normal numbers, found {}",
            scale);
  }
  for (int32_t zero_point : params.zero_point) {
    require(zero_point >= range.low && zero_point <= range.high, where,
            "zero points of {} must lie in [{}, {}], found {}", name_of(params.dtype), range.low, range.high,
            zero_point);
  }
  if (!params.levels.empty()) check_levels(params, where);
  if (!params.channel_bits.empty()) check_channel_bits(params, where);
}

}  // namespace halftone
