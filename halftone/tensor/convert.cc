#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <type_traits>

#include "halftone/base/error.h"
#include "halftone/tensor/float16.h"
#include "halftone/tensor/packing.h"
#include "halftone/tensor/tensor.h"

namespace halftone {
namespace {

// Calls f with a value of the C++ type whose array such a tensor is; false for types that have no such C++ type.
template <typename F>
bool visit_native(DType dtype, const F& f) {
  switch (dtype) {
    case DType::Float:
      return f(float{}), true;
    case DType::Double:
      return f(double{}), true;
    case DType::Int8:
      return f(int8_t{}), true;
    case DType::Int16:
      return f(int16_t{}), true;
    case DType::Int32:
      return f(int32_t{}), true;
    case DType::Int64:
      return f(int64_t{}), true;
    case DType::UInt8:
      return f(uint8_t{}), true;
    case DType::UInt16:
      return f(uint16_t{}), true;
    case DType::UInt32:
      return f(uint32_t{}), true;
    case DType::UInt64:
      return f(uint64_t{}), true;
    default:
      return false;
  }
}

bool is_half(DType dtype) { return dtype == DType::Float16 || dtype == DType::BFloat16; }
bool is_small_float(DType dtype) { return is_floating(dtype) && bits_of(dtype) <= 8; }

// A C++ cast of a float beyond the integer's range is undefined; this saturates, and NaN gives 0.
template <typename To, typename From>
To cast(From x) {
  if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    if (std::isnan(x)) return 0;
    // Both bounds are powers of two (or zero), so they are exact in any floating type.
    constexpr From kLow = static_cast<From>(std::numeric_limits<To>::min());
    const From beyond = std::ldexp(From{1}, std::numeric_limits<To>::digits);
    if (x <= kLow) return std::numeric_limits<To>::min();
    if (x >= beyond) return std::numeric_limits<To>::max();
  }
  return static_cast<To>(x);
}

template <typename To, typename From>
std::vector<To> cast_all(std::span<const From> elements) {
  std::vector<To> result(elements.size());
  for (size_t i = 0; i < elements.size(); ++i) result[i] = cast<To>(elements[i]);
  return result;
}

// Elements of the floats that have no C++ type.
std::vector<float> decode_floats(const Tensor& tensor) {
  const DType dtype = tensor.dtype();
  std::vector<float> values(static_cast<size_t>(tensor.size()));
  if (is_half(dtype)) {
    const auto bits = tensor.data<uint16_t>();
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = dtype == DType::Float16 ? half_to_float(bits[i]) : bfloat16_to_float(bits[i]);
    }
    return values;
  }
  const auto bytes = tensor.data<uint8_t>();
  const bool two_per_byte = bits_of(dtype) == 4;
  for (size_t i = 0; i < values.size(); ++i) {
    const int bits = two_per_byte ? (bytes[i / 2] >> (i % 2 * 4)) & 0xf : bytes[i];
    values[i] = small_float_to_float(static_cast<uint8_t>(bits), dtype);
  }
  return values;
}

// The float on the zero side of x, with its last bit set if that lost anything: rounding this once more, to a type with
// at least two fewer bits, gives what rounding x itself would (Boldo and Melquiond, "Emulation of a FMA and correctly
// rounded sums: proved algorithms using rounding to odd", 2008).
float round_to_odd(double x) {
  const auto nearest = static_cast<float>(x);
  const auto exact = static_cast<double>(nearest);
  if (exact == x || std::isnan(x) || std::isinf(nearest)) return nearest;
  const float toward_zero = std::fabs(exact) > std::fabs(x) ? std::nextafter(nearest, 0.0f) : nearest;
  const float away = std::nextafter(toward_zero, std::copysign(std::numeric_limits<float>::infinity(), nearest));
  return (std::bit_cast<uint32_t>(toward_zero) & 1) != 0 ? toward_zero : away;
}

Tensor encode_floats(const Tensor& tensor, DType dtype) {
  Tensor result(dtype, tensor.shape());
  const std::vector<double> values = to_vector<double>(tensor);
  if (is_half(dtype)) {
    const auto bits = result.mutable_data<uint16_t>();
    for (size_t i = 0; i < values.size(); ++i) {
      const float x = round_to_odd(values[i]);
      bits[i] = dtype == DType::Float16 ? float_to_half(x) : float_to_bfloat16(x);
    }
    return result;
  }
  const auto bytes = result.mutable_data<uint8_t>();
  const bool two_per_byte = bits_of(dtype) == 4;
  for (size_t i = 0; i < values.size(); ++i) {
    const uint8_t bits = float_to_small_float(round_to_odd(values[i]), dtype);
    if (two_per_byte) {
      bytes[i / 2] = static_cast<uint8_t>(bytes[i / 2] | (bits << (i % 2 * 4)));
    } else {
      bytes[i] = bits;
    }
  }
  return result;
}

Tensor encode_integers(const Tensor& tensor, DType dtype) {
  std::vector<int32_t> values(static_cast<size_t>(tensor.size()));
  if (dtype == DType::Bit) {
    const std::vector<double> reals = to_vector<double>(tensor);
    for (size_t i = 0; i < values.size(); ++i) values[i] = reals[i] >= 0 ? 1 : -1;
  } else if (is_floating(tensor.dtype())) {
    const IntegerRange range = range_of(dtype);
    const std::vector<int64_t> wide = to_vector<int64_t>(tensor);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = static_cast<int32_t>(std::min(std::max(wide[i], range.low), range.high));
    }
  } else {
    const int unused_bits = 64 - bits_of(dtype);
    const std::vector<int64_t> wide = to_vector<int64_t>(tensor);
    for (size_t i = 0; i < values.size(); ++i) {
      const uint64_t high = static_cast<uint64_t>(wide[i]) << unused_bits;
      values[i] = static_cast<int32_t>(is_signed_integer(dtype) ? static_cast<int64_t>(high) >> unused_bits
                                                                : static_cast<int64_t>(high >> unused_bits));
    }
  }
  return pack_integers(dtype, tensor.shape(), values);
}

template <typename To>
std::vector<To> elements_as(const Tensor& tensor) {
  const DType dtype = tensor.dtype();
  std::vector<To> result;
  const bool native = visit_native(dtype, [&](auto from) { result = cast_all<To>(tensor.data<decltype(from)>()); });
  if (native) return result;
  if (is_half(dtype) || is_small_float(dtype)) return cast_all<To>(std::span<const float>(decode_floats(tensor)));
  if (is_sub_byte(dtype) || dtype == DType::Bool) {
    if (dtype == DType::Bool) {
      // Files may hold bytes other than 0 and 1.
      for (uint8_t byte : tensor.data<uint8_t>()) result.push_back(static_cast<To>(byte != 0));
      return result;
    }
    return cast_all<To>(std::span<const int32_t>(unpack_integers(tensor)));
  }
  fail(ErrorCode::Unsupported, "tensor", "numbers are required, found {}", name_of(dtype));
}

Tensor convert_to_bool(const Tensor& tensor) {
  // Through double every nonzero number of every type stays nonzero.
  const std::vector<double> values = elements_as<double>(tensor);
  Tensor result(DType::Bool, tensor.shape());
  const auto bytes = result.mutable_data<uint8_t>();
  for (size_t i = 0; i < values.size(); ++i) bytes[i] = values[i] != 0;
  return result;
}

}  // namespace

template <typename T>
std::vector<T> to_vector(const Tensor& tensor) {
  return elements_as<T>(tensor);
}
template std::vector<float> to_vector<float>(const Tensor&);
template std::vector<double> to_vector<double>(const Tensor&);
template std::vector<int64_t> to_vector<int64_t>(const Tensor&);
template std::vector<int32_t> to_vector<int32_t>(const Tensor&);

Tensor convert(const Tensor& tensor, DType dtype) {
  if (tensor.dtype() == dtype) return tensor;
  if (dtype == DType::Bool) return convert_to_bool(tensor);
  if (is_half(dtype) || is_small_float(dtype)) return encode_floats(tensor, dtype);
  if (is_sub_byte(dtype)) return encode_integers(tensor, dtype);
  Tensor result;
  const bool native = visit_native(dtype, [&](auto to) {
    const auto elements = elements_as<decltype(to)>(tensor);
    result = Tensor::from<decltype(to)>(tensor.shape(), elements);
  });
  if (!native)
    fail(ErrorCode::Unsupported, "tensor", "can't convert {} to {}", name_of(tensor.dtype()), name_of(dtype));
  return result;
}

}  // namespace halftone
