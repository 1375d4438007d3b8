#include "halftone/runtime/border.h"

#include <cstring>

#include "halftone/kernels/stored_grid.h"
#include "halftone/quant/quant_params.h"
#include "halftone/runtime/codes.h"
#include "halftone/runtime/lowering.h"
#include "halftone/runtime/pixel_images.h"

namespace halftone::runtime {
namespace {

// Narrow codes between the caller's order, [image, channel, pixel] in the grid's own type, and the run's.
class CodeTransfer {
 public:
  CodeTransfer(const Place& place, const PixelImages& images)
      : images_(images),
        grid_(kernels::stored_grid(*place.grid)),
        flip_(static_cast<uint8_t>(kernels::stored_offset(place.grid->dtype))),
        transposed_(place.layout == Layout::ChannelsLast) {
    const kernels::FloatImage& image = images.floats;
    to_run_ = kernels::choose_transpose({image.channels, image.pixels, image.pixels, images.pixel_stride}).kernel;
    to_caller_ = kernels::choose_transpose({image.pixels, image.channels, images.pixel_stride, image.pixels}).kernel;
  }

  // Pixels [begin, end) of one image. The grids' bounds are what the kernels' sums were proven for.
  void read(const uint8_t* caller, uint8_t* run, int64_t begin, int64_t end) const {
    const kernels::FloatImage& image = images_.floats;
    if (!transposed_) return adopt(caller + begin, run + begin, end - begin);
    uint8_t* pixels = run + begin * images_.pixel_stride;
    to_run_->run({image.channels, end - begin, image.pixels, images_.pixel_stride}, caller + begin, pixels);
    for (int64_t p = 0; p < end - begin; ++p, pixels += images_.pixel_stride) adopt(pixels, pixels, image.channels);
  }

  void write(const uint8_t* run, uint8_t* caller, int64_t begin, int64_t end) const {
    const kernels::FloatImage& image = images_.floats;
    if (!transposed_) return release(run + begin, caller + begin, end - begin);
    to_caller_->run({end - begin, image.channels, images_.pixel_stride, image.pixels},
                    run + begin * images_.pixel_stride, caller + begin);
    for (int64_t c = 0; c < image.channels && flip_ != 0; ++c) {
      uint8_t* row = caller + c * image.pixels + begin;
      release(row, row, end - begin);
    }
  }

 private:
  // Adding 128 to an int8 is flipping the highest bit of its byte.
  void adopt(const uint8_t* from, uint8_t* to, int64_t count) const {
    const auto low = static_cast<uint8_t>(grid_.low), high = static_cast<uint8_t>(grid_.high);
    for (int64_t i = 0; i < count; ++i) {
      const auto stored = static_cast<uint8_t>(from[i] ^ flip_);
      to[i] = std::min(std::max(stored, low), high);
    }
  }
  void release(const uint8_t* from, uint8_t* to, int64_t count) const {
    for (int64_t i = 0; i < count; ++i) to[i] = static_cast<uint8_t>(from[i] ^ flip_);
  }

  PixelImages images_;
  kernels::StoredGrid grid_;
  uint8_t flip_;
  bool transposed_;
  const kernels::TransposeKernel* to_run_;
  const kernels::TransposeKernel* to_caller_;
};

Place caller_floats(const Place& codes) { return {DType::Float, codes.shape, Layout::Plain, {}, -1, {}, 0}; }

void add_narrow_input(Lowering& lowering, const std::string& name, size_t number, const Place& to) {
  const PixelImages images(caller_floats(to), to);
  const kernels::PixelQuantizer quantizer = make_pixel_quantizer(
      images.floats, images.pixel_stride, images.floats.channels, {to.grid->scale, kernels::stored_grid(*to.grid)});
  const CodeTransfer transfer(to, images);
  const Split split = images.split(lowering.threads());
  Step step{name + " input to codes", split.parts(), nullptr};
  step.bind = [=](RunMemory& memory) -> Step::Work {
    auto* target = reinterpret_cast<uint8_t*>(memory.at(to.where));
    return [=, &memory](int part) {
      const RunInput& input = memory.inputs[number];
      images.for_each(split.begin(part), split.end(part), [&](int64_t image, int64_t begin, int64_t end) {
        uint8_t* pixels = target + image * images.code_stride;
        if (input.codes) {
          transfer.read(reinterpret_cast<const uint8_t*>(input.data) + image * images.float_stride, pixels, begin, end);
        } else {
          quantizer.run(reinterpret_cast<const float*>(input.data) + image * images.float_stride, pixels, begin, end);
        }
      });
    };
  };
  lowering.add_step(std::move(step), {to.where});
}

void add_narrow_output(Lowering& lowering, const std::string& name, size_t number, const Place& from) {
  const PixelImages images(caller_floats(from), from);
  const kernels::PixelDequantizer dequantizer = make_pixel_dequantizer(
      images.floats, images.pixel_stride, {from.grid->scale, kernels::stored_grid(*from.grid).zero_point});
  const CodeTransfer transfer(from, images);
  const Split split = images.split(lowering.threads());
  Step step{name + " output", split.parts(), nullptr};
  step.bind = [=](RunMemory& memory) -> Step::Work {
    const auto* source = reinterpret_cast<const uint8_t*>(memory.at(from.where));
    return [=, &memory](int part) {
      const RunOutput& output = memory.outputs[number];
      images.for_each(split.begin(part), split.end(part), [&](int64_t image, int64_t begin, int64_t end) {
        const uint8_t* pixels = source + image * images.code_stride;
        if (output.codes) {
          transfer.write(pixels, reinterpret_cast<uint8_t*>(output.data) + image * images.float_stride, begin, end);
        } else {
          dequantizer.run(pixels, reinterpret_cast<float*>(output.data) + image * images.float_stride, begin, end);
        }
      });
    };
  };
  lowering.add_step(std::move(step), {from.where});
}

// One element at a time, for values that the network holds as floats.
template <typename T>
void to_floats(const T* codes, float* real, int64_t count, const Grid& grid) {
  for (int64_t i = 0; i < count; ++i) {
    const int32_t code = std::clamp<int32_t>(codes[i], grid.low, grid.high);
    real[i] = dequantize(code, grid.scale, grid.zero_point);
  }
}
template <typename T>
void to_codes(const float* real, T* codes, int64_t count, const Grid& grid) {
  for (int64_t i = 0; i < count; ++i) {
    codes[i] = static_cast<T>(quantize(real[i], grid.scale, grid.zero_point, grid.low, grid.high));
  }
}

// Calls f with a null pointer of the codes' C++ type.
template <typename F>
void with_code_type(DType dtype, const F& f) {
  switch (dtype) {
    case DType::UInt8:
      return f(static_cast<uint8_t*>(nullptr));
    case DType::Int8:
      return f(static_cast<int8_t*>(nullptr));
    case DType::UInt16:
      return f(static_cast<uint16_t*>(nullptr));
    default:
      HT_CHECK(dtype == DType::Int16, "codes of {} meet no caller", name_of(dtype));
  }
  f(static_cast<int16_t*>(nullptr));
}

struct Elements {
  int64_t count;
  size_t size;  // bytes of one; of sub-byte types the elements are bytes
  Split split;

  Elements(const Place& place, int threads) {
    size = std::max<size_t>(static_cast<size_t>(bits_of(place.dtype)) / 8, 1);
    count = static_cast<int64_t>(bytes_for(place.dtype, element_count(place.shape)) / size);
    split = split_range(count, threads, kEltwiseGrain);
  }
};

void add_plain_input(Lowering& lowering, const std::string& name, size_t number, const Place& to,
                     const std::optional<Grid>& grid) {
  const Elements elements(to, lowering.threads());
  Step step{name + " input", elements.split.parts(), nullptr};
  step.bind = [=](RunMemory& memory) -> Step::Work {
    std::byte* target = memory.at(to.where);
    return [=, &memory](int part) {
      const RunInput& input = memory.inputs[number];
      const int64_t begin = elements.split.begin(part), count = elements.split.end(part) - begin;
      if (count == 0) return;
      if (input.codes) {
        return with_code_type(grid->dtype, [&]<typename T>(T*) {
          to_floats(reinterpret_cast<const T*>(input.data) + begin, reinterpret_cast<float*>(target) + begin, count,
                    *grid);
        });
      }
      const size_t first = static_cast<size_t>(begin) * elements.size;
      std::memcpy(target + first, input.data + first, static_cast<size_t>(count) * elements.size);
    };
  };
  lowering.add_step(std::move(step), {to.where});
}

void add_plain_output(Lowering& lowering, const std::string& name, size_t number, const Place& from,
                      const std::optional<Grid>& grid) {
  const Elements elements(from, lowering.threads());
  Step step{name + " output", elements.split.parts(), nullptr};
  step.bind = [=](RunMemory& memory) -> Step::Work {
    const std::byte* source = memory.at(from.where);
    return [=, &memory](int part) {
      const RunOutput& output = memory.outputs[number];
      const int64_t begin = elements.split.begin(part), count = elements.split.end(part) - begin;
      if (count == 0) return;
      if (output.codes) {
        return with_code_type(grid->dtype, [&]<typename T>(T*) {
          to_codes(reinterpret_cast<const float*>(source) + begin, reinterpret_cast<T*>(output.data) + begin, count,
                   *grid);
        });
      }
      const size_t first = static_cast<size_t>(begin) * elements.size;
      std::memcpy(output.data + first, source + first, static_cast<size_t>(count) * elements.size);
    };
  };
  lowering.add_step(std::move(step), {from.where});
}

}  // namespace

void add_input(Lowering& lowering, const std::string& name, size_t number, const Place& to,
               const std::optional<Grid>& grid) {
  to.grid ? add_narrow_input(lowering, name, number, to) : add_plain_input(lowering, name, number, to, grid);
}

void add_output(Lowering& lowering, const std::string& name, size_t number, const Place& from,
                const std::optional<Grid>& grid) {
  from.grid ? add_narrow_output(lowering, name, number, from) : add_plain_output(lowering, name, number, from, grid);
}

}  // namespace halftone::runtime
