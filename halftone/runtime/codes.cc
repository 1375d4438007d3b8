#include "halftone/runtime/codes.h"

#include <algorithm>
#include <cstring>

#include "halftone/kernels/wide_grid.h"
#include "halftone/quant/quant_params.h"
#include "halftone/runtime/lowering.h"
#include "halftone/runtime/onednn.h"
#include "halftone/runtime/pixel_images.h"
#include "halftone/runtime/reorder.h"
#include "halftone/runtime/wide_codes.h"
#include "halftone/tensor/packing.h"

namespace halftone::runtime {
namespace {

QuantParams params_of(const Grid& grid) {
  return {grid.dtype, grid.low, grid.high, {grid.scale}, {grid.zero_point}, -1, 0};
}

// Single bits: the definition itself, on one thread.
void add_bits(Lowering& lowering, const std::string& name, const Place& from, const Place& to) {
  const QuantParams params = params_of(from.grid ? *from.grid : *to.grid);
  lowering.add_step({name, 1,
                     [from, to, params](RunMemory& memory) -> Step::Work {
                       return [&memory, from, to, params](int) {
                         const Tensor source = tensor_at(memory, from);
                         store(from.grid ? dequantize(source, params) : quantize(source, params), memory, to);
                       };
                     }},
                    {from.where, to.where});
}

int32_t offset_of(const Grid& grid) {
  return is_wide(grid) ? kernels::wide_offset(grid.dtype) : kernels::stored_offset(grid.dtype);
}

template <typename Stored>
void put_codes_as(const Tensor& codes, const Place& place, Stored* to) {
  const int32_t offset = offset_of(*place.grid);
  const std::vector<int32_t> plain = unpack_integers(codes);
  if (place.layout == Layout::Plain) {
    for (int32_t code : plain) *to++ = static_cast<Stored>(code + offset);
    return;
  }
  const Channels value = channels_of(place.shape);
  const int64_t step = place.pixel_stride / static_cast<int64_t>(sizeof(Stored));
  for (int64_t i = 0; i < static_cast<int64_t>(plain.size()); ++i) {
    const int64_t n = i / value.s / value.c, c = i / value.s % value.c, s = i % value.s;
    to[(n * value.s + s) * step + c] = static_cast<Stored>(plain[static_cast<size_t>(i)] + offset);
  }
}

// Codes as the grid of `place` has them, stored in its layout.
void put_codes(const Tensor& codes, const Place& place, std::byte* to) {
  if (is_wide(*place.grid)) {
    put_codes_as(codes, place, reinterpret_cast<int16_t*>(to));
  } else {
    put_codes_as(codes, place, reinterpret_cast<uint8_t*>(to));
  }
}

}  // namespace

void add_quantize(Lowering& lowering, const std::string& name, const Place& from, const Place& to) {
  const Grid& grid = *to.grid;
  if (is_wide(grid)) return add_wide_quantize(lowering, name, from, to);
  if (!is_narrow(grid)) return add_bits(lowering, name + " to codes", from, to);
  const PixelImages images(from, to);
  const kernels::PixelQuantizer quantizer = make_pixel_quantizer(
      images.floats, images.pixel_stride, images.floats.channels, {grid.scale, kernels::stored_grid(grid)});
  const Split split = images.split(lowering.threads());
  Step step{name + " to codes", split.parts(), nullptr};
  step.bind = [from, to, images, quantizer, split](RunMemory& memory) -> Step::Work {
    auto* codes = reinterpret_cast<uint8_t*>(memory.at(to.where));
    const auto* floats = reinterpret_cast<const float*>(memory.at(from.where));
    return [=](int part) {
      images.for_each(split.begin(part), split.end(part), [&](int64_t image, int64_t begin, int64_t end) {
        quantizer.run(floats + image * images.float_stride, codes + image * images.code_stride, begin, end);
      });
    };
  };
  lowering.add_step(std::move(step), {from.where, to.where});
}

void add_dequantize(Lowering& lowering, const std::string& name, const Place& from, const Place& to) {
  const Grid& grid = *from.grid;
  if (is_wide(grid)) return add_wide_dequantize(lowering, name, from, to);
  if (!is_narrow(grid)) return add_bits(lowering, name + " to floats", from, to);
  const PixelImages images(to, from);
  const kernels::PixelDequantizer dequantizer =
      make_pixel_dequantizer(images.floats, images.pixel_stride, {grid.scale, kernels::stored_grid(grid).zero_point});
  const Split split = images.split(lowering.threads());
  Step step{name + " to floats", split.parts(), nullptr};
  step.bind = [from, to, images, dequantizer, split](RunMemory& memory) -> Step::Work {
    const auto* codes = reinterpret_cast<const uint8_t*>(memory.at(from.where));
    auto* floats = reinterpret_cast<float*>(memory.at(to.where));
    return [=](int part) {
      images.for_each(split.begin(part), split.end(part), [&](int64_t image, int64_t begin, int64_t end) {
        dequantizer.run(codes + image * images.code_stride, floats + image * images.float_stride, begin, end);
      });
    };
  };
  lowering.add_step(std::move(step), {from.where, to.where});
}

void add_code_transpose(Lowering& lowering, const std::string& name, const Place& from, const Place& to) {
  if (is_wide(*from.grid)) return add_wide_transpose(lowering, name, from, to);
  const Channels value = channels_of(from.shape);
  const bool to_plain = to.layout == Layout::Plain;
  const int64_t pixel_stride = to_plain ? from.pixel_stride : to.pixel_stride;
  // Rows are pixels on the way to Plain, channels on the way back; images are cut into parts along the pixels.
  const kernels::Rows all = to_plain ? kernels::Rows{value.s, value.c, pixel_stride, value.s}
                                     : kernels::Rows{value.c, value.s, value.s, pixel_stride};
  const kernels::TransposeKernel* kernel = kernels::choose_transpose(all).kernel;
  const int64_t grain = std::max<int64_t>(4 * kEltwiseGrain / std::max<int64_t>(value.c, 1), 1);
  const Split split{value.n * value.s, 64, std::clamp<int64_t>(value.n * value.s / grain, 1, lowering.threads())};
  Step step{name + (to_plain ? " to plain" : " to channels last"), split.parts(), nullptr};
  step.bind = [from, to, value, to_plain, pixel_stride, all, kernel, split](RunMemory& memory) -> Step::Work {
    const auto* source = reinterpret_cast<const uint8_t*>(memory.at(from.where));
    auto* target = reinterpret_cast<uint8_t*>(memory.at(to.where));
    return [=](int part) {
      for (int64_t begin = split.begin(part); begin < split.end(part);) {
        const int64_t image = begin / value.s, first = begin - image * value.s;
        const int64_t count = std::min(split.end(part) - begin, value.s - first);
        const int64_t last = image * value.s * pixel_stride + first * pixel_stride;
        const int64_t plain = image * value.c * value.s + first;
        kernels::Rows rows = all;
        (to_plain ? rows.count : rows.columns) = count;
        kernel->run(rows, source + (to_plain ? last : plain), target + (to_plain ? plain : last));
        begin += count;
      }
    };
  };
  lowering.add_step(std::move(step), {from.where, to.where});
}

Tensor codes_at(const RunMemory& memory, const Place& place) {
  const Grid& grid = *place.grid;
  if (!is_narrow(grid) && !is_wide(grid)) return tensor_at(memory, place);
  HT_CHECK(place.layout == Layout::Plain, "only plain codes are tensors");
  const int64_t count = element_count(place.shape);
  std::vector<int32_t> codes;
  if (is_wide(grid)) {
    const auto* stored = reinterpret_cast<const int16_t*>(memory.at(place.where));
    codes.assign(stored, stored + count);
  } else {
    const auto* stored = reinterpret_cast<const uint8_t*>(memory.at(place.where));
    codes.assign(stored, stored + count);
  }
  const int32_t offset = offset_of(grid);
  for (int32_t& code : codes) code -= offset;
  return pack_integers(grid.dtype, place.shape, codes);
}

void store_codes(const Tensor& codes, RunMemory& memory, const Place& place) {
  const Grid& grid = *place.grid;
  if (!is_narrow(grid) && !is_wide(grid)) return store(codes, memory, place);
  HT_CHECK(place.layout == Layout::Plain && codes.shape() == place.shape, "{} was planned, {} was computed",
           to_string(place.shape), to_string(codes.shape()));
  put_codes(codes, place, memory.at(place.where));
}

std::shared_ptr<const std::byte> stored_constant(const Tensor& codes, const Place& place) {
  const std::shared_ptr<std::byte> bytes = allocate_constant(stored_bytes(place));
  if (is_narrow(*place.grid) || is_wide(*place.grid)) {
    put_codes(codes, place, bytes.get());
  } else {
    std::copy(codes.bytes().begin(), codes.bytes().end(), bytes.get());
  }
  return bytes;
}

}  // namespace halftone::runtime
