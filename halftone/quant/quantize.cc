#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/quant/levels.h"
#include "halftone/quant/quant_params.h"
#include "halftone/quant/runs.h"
#include "halftone/tensor/packing.h"

namespace halftone {
namespace {

// The distance from zero in steps, round_half_even(x / scale) held to the grid. Saturating before rounding gives the
// same (the bounds are integers) and keeps the conversion to an integer defined. `Wide` is a type in which the bounds
// are exact: float up to 24 bits, else double; the division is float32 in both.
template <typename Wide>
struct RoundingGrid {
  float scale;
  Wide low, high;

  RoundingGrid(float s, int32_t zero_point, int64_t q_min, int64_t q_max)
      : scale(s), low(static_cast<Wide>(q_min - zero_point)), high(static_cast<Wide>(q_max - zero_point)) {}

  Wide steps(float x) const {
    auto v = static_cast<Wide>(x / scale);
    v = v == v ? v : Wide{0};
    v = v < low ? low : v;
    v = v > high ? high : v;
    return std::nearbyint(v);
  }
};

// The codes in use on scale `index`.
CodeRange codes_of(const QuantParams& params, size_t index) {
  if (params.channel_bits.empty()) return {params.q_min, params.q_max};
  if (params.block_size > 0 || params.channel_bits.size() != params.scale.size()) {
    fail(ErrorCode::InvalidArgument, "quantize", "{} scales require as many widths of channels, found {}",
         params.scale.size(), params.channel_bits.size());
  }
  return channel_codes(params, index);
}

// Calls f(run, grid) with the RoundingGrid type that is exact for the codes.
template <typename F>
void for_each_grid(const Shape& shape, const QuantParams& params, const F& f) {
  const bool exact_in_float = bits_of(params.dtype) <= 16;
  for_each_run(shape, params, [&](const Run& run) {
    const float scale = params.scale[run.index];
    const int32_t zero_point = params.zero_point[run.index];
    const CodeRange codes = codes_of(params, run.index);
    if (exact_in_float) {
      f(run, RoundingGrid<float>(scale, zero_point, codes.low, codes.high));
    } else {
      f(run, RoundingGrid<double>(scale, zero_point, codes.low, codes.high));
    }
  });
}

// The same for grids with levels: f(run, levels of its scale).
template <typename F>
void for_each_levels(const Shape& shape, const QuantParams& params, const F& f) {
  for_each_run(shape, params, [&](const Run& run) { f(run, levels_of(params, run.index)); });
}

template <typename T>
void quantize_into(std::span<const float> real, const Shape& shape, const QuantParams& params, T* codes) {
  if (!params.levels.empty()) {
    return for_each_levels(shape, params, [&](const Run& run, const Levels& levels) {
      for (size_t i = run.begin; i < run.begin + run.count; ++i) codes[i] = static_cast<T>(levels.nearest(real[i]));
    });
  }
  for_each_grid(shape, params, [&](const Run& run, auto grid) {
    const float* from = real.data() + run.begin;
    T* to = codes + run.begin;
    // 64 bits only where the difference of a code and its zero point needs them.
    using Steps = std::conditional_t<sizeof(grid.low) == 4, int32_t, int64_t>;
    const Steps zero_point = params.zero_point[run.index];
    for (size_t i = 0; i < run.count; ++i) {
      to[i] = static_cast<T>(static_cast<Steps>(grid.steps(from[i])) + zero_point);
    }
  });
}

template <typename T>
Tensor quantize_to(const Tensor& real, const QuantParams& params) {
  Tensor codes(params.dtype, real.shape());
  quantize_into(real.data<float>(), real.shape(), params, codes.mutable_data<T>().data());
  return codes;
}

template <typename T>
void dequantize_into(std::span<const T> codes, const Shape& shape, const QuantParams& params, float* real) {
  if (!params.levels.empty()) {
    return for_each_levels(shape, params, [&](const Run& run, const Levels& levels) {
      for (size_t i = run.begin; i < run.begin + run.count; ++i) {
        const auto code = static_cast<size_t>(codes[i]);
        if (code >= levels.count()) {
          fail(ErrorCode::InvalidArgument, "dequantize", "codes from 0 to {} are required, found {}",
               levels.count() - 1, static_cast<int64_t>(codes[i]));
        }
        real[i] = levels.number(code);
      }
    });
  }
  for_each_run(shape, params, [&](const Run& run) {
    const float scale = params.scale[run.index];
    const int32_t zero_point = params.zero_point[run.index];
    for (size_t i = run.begin; i < run.begin + run.count; ++i) {
      if constexpr (sizeof(T) < 4) {
        real[i] = scale * static_cast<float>(static_cast<int32_t>(codes[i]) - zero_point);
      } else {
        real[i] = dequantize(codes[i], scale, zero_point);
      }
    }
  });
}

void require_float(const Tensor& real) {
  if (real.dtype() != DType::Float) {
    fail(ErrorCode::InvalidArgument, "quantize", "a float tensor is required, found {}", name_of(real.dtype()));
  }
}

}  // namespace

int32_t quantize(float x, float scale, int32_t zero_point, int64_t q_min, int64_t q_max) {
  const RoundingGrid<double> grid(scale, zero_point, q_min, q_max);
  return static_cast<int32_t>(static_cast<int64_t>(grid.steps(x)) + zero_point);
}

float dequantize(int32_t q, float scale, int32_t zero_point) {
  return scale * static_cast<float>(int64_t{q} - zero_point);
}

Tensor quantize(const Tensor& real, const QuantParams& params) {
  require_float(real);
  switch (params.dtype) {
    case DType::UInt8:
      return quantize_to<uint8_t>(real, params);
    case DType::Int8:
      return quantize_to<int8_t>(real, params);
    case DType::UInt16:
      return quantize_to<uint16_t>(real, params);
    case DType::Int16:
      return quantize_to<int16_t>(real, params);
    case DType::Int32:
      return quantize_to<int32_t>(real, params);
    default:
      break;
  }
  std::vector<int32_t> codes(static_cast<size_t>(real.size()));
  quantize_into(real.data<float>(), real.shape(), params, codes.data());
  return pack_integers(params.dtype, real.shape(), codes);
}

Tensor dequantize(const Tensor& codes, const QuantParams& params) {
  Tensor real(DType::Float, codes.shape());
  float* to = real.mutable_data<float>().data();
  switch (codes.dtype()) {
    case DType::UInt8:
      dequantize_into(codes.data<uint8_t>(), codes.shape(), params, to);
      break;
    case DType::Int8:
      dequantize_into(codes.data<int8_t>(), codes.shape(), params, to);
      break;
    default: {
      const std::vector<int32_t> unpacked = unpack_integers(codes);
      dequantize_into(std::span<const int32_t>(unpacked), codes.shape(), params, to);
    }
  }
  return real;
}

Tensor fake_quantize(const Tensor& real, const QuantParams& params) {
  require_float(real);
  Tensor rounded(DType::Float, real.shape());
  const float* from = real.data<float>().data();
  float* to = rounded.mutable_data<float>().data();
  if (!params.levels.empty()) {
    for_each_levels(real.shape(), params, [&](const Run& run, const Levels& levels) {
      for (size_t i = run.begin; i < run.begin + run.count; ++i) to[i] = levels.number(levels.nearest(from[i]));
    });
    return rounded;
  }
  for_each_grid(real.shape(), params, [&](const Run& run, auto grid) {
    for (size_t i = run.begin; i < run.begin + run.count; ++i) {
      // Codes have no negative zero; adding zero turns that of the rounding into the positive one.
      to[i] = grid.scale * (static_cast<float>(grid.steps(from[i])) + 0.0F);
    }
  });
  return rounded;
}

}  // namespace halftone
