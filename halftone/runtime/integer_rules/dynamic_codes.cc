#include "halftone/runtime/integer_rules/dynamic_codes.h"

#include <algorithm>
#include <array>

#include "halftone/kernels/convert/convert.h"
#include "halftone/quant/dynamic_grid.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {
namespace {

struct Range {
  float low = 0, high = 0;

  // NaN compares with nothing and is left out.
  void widen(float least, float most) {
    low = least < low ? least : low;
    high = most > high ? most : high;
  }
};

Range range_of(const float* from, int64_t count) {
  // Lanes of their own, which the compiler puts into vectors.
  constexpr int64_t kLanes = 16;
  std::array<float, kLanes> low{}, high{};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int64_t lane = 0; lane < kLanes; ++lane) {
      const float x = from[i + lane];
      low[static_cast<size_t>(lane)] = x < low[static_cast<size_t>(lane)] ? x : low[static_cast<size_t>(lane)];
      high[static_cast<size_t>(lane)] = x > high[static_cast<size_t>(lane)] ? x : high[static_cast<size_t>(lane)];
    }
  }
  Range range;
  for (; i < count; ++i) range.widen(from[i], from[i]);
  for (size_t lane = 0; lane < kLanes; ++lane) range.widen(low[lane], high[lane]);
  return range;
}

Range merged(const Range* parts, int count) {
  Range whole;
  for (int i = 0; i < count; ++i) whole.widen(parts[i].low, parts[i].high);
  return whole;
}

Grid grid_over(const Range& range, const std::string& where) {
  const Grid grid = dynamic_grid(range.low, range.high);
  if (is_finite(grid)) return grid;
  fail(ErrorCode::NumericRange, where, "its operand requires finite numbers whose range is finite, found [{}, {}]",
       range.low, range.high);
}

// Adds a step that leaves the range of each of its parts in a buffer. Returns the buffer and the number of parts.
std::pair<Operand, int> add_ranges(Lowering& lowering, const std::string& name, const Operand& from, int64_t count) {
  const Split split = split_range(count, lowering.threads(), kEltwiseGrain);
  const Operand ranges{lowering.add_buffer(static_cast<size_t>(split.parts()) * sizeof(Range)), nullptr, 0};
  lowering.add_step({name + " range", split.parts(),
                     [from, ranges, split](RunMemory& memory) -> Step::Work {
                       const auto* floats = reinterpret_cast<const float*>(memory.at(from));
                       auto* found = reinterpret_cast<Range*>(memory.at(ranges));
                       return [=](int part) {
                         const int64_t begin = split.begin(part);
                         found[part] = range_of(floats + begin, split.end(part) - begin);
                       };
                     }},
                    {from, ranges});
  return {ranges, split.parts()};
}

}  // namespace

DynamicCodes add_dynamic_codes(Lowering& lowering, const Place& from, int64_t length, DynamicRange range) {
  const std::string name = describe(lowering.graph(), lowering.node());
  const int64_t count = element_count(from.shape);
  DynamicCodes codes;
  codes.length = length;
  codes.rows = count / length;
  const auto rows = static_cast<size_t>(codes.rows);
  codes.codes.buffer = lowering.add_buffer(static_cast<size_t>(count) + kernels::kSlack);
  codes.zero_points.buffer = lowering.add_buffer(rows * sizeof(int32_t));
  codes.scales.buffer = lowering.add_buffer(rows * sizeof(float));
  const bool by_row = range == DynamicRange::PerRow;
  std::pair<Operand, int> ranges;
  if (!by_row) ranges = add_ranges(lowering, name, from.where, count);

  const Split split{codes.rows, 1, split_range(count, lowering.threads(), kEltwiseGrain).count};
  kernels::QuantizeFunction* const quantize = kernels::choose_quantize({}).kernel->run;
  Step step{name + " to codes", split.parts(), nullptr};
  step.bind = [name, from = from.where, codes, ranges, by_row, split, quantize](RunMemory& memory) -> Step::Work {
    const auto* floats = reinterpret_cast<const float*>(memory.at(from));
    const auto* parts = by_row ? nullptr : reinterpret_cast<const Range*>(memory.at(ranges.first));
    auto* to = reinterpret_cast<uint8_t*>(memory.at(codes.codes));
    auto* zero_points = reinterpret_cast<int32_t*>(memory.at(codes.zero_points));
    auto* scales = reinterpret_cast<float*>(memory.at(codes.scales));
    return [=, length = codes.length, count = ranges.second](int part) {
      const auto run = [&](const Grid& grid, int64_t begin, int64_t end) {
        const kernels::QuantizeProblem problem{grid.scale, {grid.zero_point, grid.low, grid.high}};
        quantize(problem, kernels::Rows{1, (end - begin) * length, 0, 0}, floats + begin * length, to + begin * length);
        std::fill(zero_points + begin, zero_points + end, grid.zero_point);
        std::fill(scales + begin, scales + end, grid.scale);
      };
      const int64_t begin = split.begin(part), end = split.end(part);
      if (by_row) {
        for (int64_t row = begin; row < end; ++row) {
          run(grid_over(range_of(floats + row * length, length), name), row, row + 1);
        }
        return;
      }
      run(grid_over(merged(parts, count), name), begin, end);
    };
  };
  std::vector<Operand> touched = {from.where, codes.codes, codes.zero_points, codes.scales};
  if (!by_row) touched.push_back(ranges.first);
  lowering.add_step(std::move(step), touched);
  return codes;
}

DynamicImage add_dynamic_image(Lowering& lowering, const Place& from, const Border& border) {
  const std::string name = describe(lowering.graph(), lowering.node());
  const Channels value = channels_of(from.shape);
  const int64_t width = from.shape.back(), height = value.s / width;
  DynamicImage image;
  image.height = height + border.top + border.bottom;
  image.width = width + border.left + border.right;
  const auto bytes = static_cast<size_t>(value.n * image.height * image.width * value.c);
  image.codes.buffer = lowering.add_buffer(bytes + kernels::kSlack);
  image.grid.buffer = lowering.add_buffer(sizeof(Grid));
  const int64_t count = element_count(from.shape);
  const std::pair<Operand, int> ranges = add_ranges(lowering, name, from.where, count);
  const Split split{value.n * image.height, 1,
                    std::min(split_range(count, lowering.threads(), kEltwiseGrain).count, value.n * image.height)};
  const kernels::PixelQuantizer quantizer = kernels::make_pixel_quantizer({value.c, value.s, 1}, value.c, value.c, {});
  Step step{name + " to codes", split.parts(), nullptr};
  step.bind = [name, from = from.where, image, ranges, split, value, width, height, border,
               quantizer](RunMemory& memory) -> Step::Work {
    const auto* floats = reinterpret_cast<const float*>(memory.at(from));
    const auto* parts = reinterpret_cast<const Range*>(memory.at(ranges.first));
    auto* codes = reinterpret_cast<uint8_t*>(memory.at(image.codes));
    auto* shown = reinterpret_cast<Grid*>(memory.at(image.grid));
    return [=, count = ranges.second](int part) {
      const Grid grid = grid_over(merged(parts, count), name);
      if (part == 0) *shown = grid;
      kernels::PixelQuantizer own = quantizer;
      own.problem = {grid.scale, {grid.zero_point, grid.low, grid.high}};
      for (int64_t row = split.begin(part); row < split.end(part); ++row) {
        uint8_t* to = codes + row * image.width * value.c;
        const int64_t y = row % image.height - border.top;
        std::fill_n(to, image.width * value.c, static_cast<uint8_t>(grid.zero_point));
        if (y < 0 || y >= height) continue;
        // The quantizer counts pixels from the first of the image, on both sides.
        const float* plane = floats + row / image.height * value.c * value.s;
        own.run(plane, to + (border.left - y * width) * value.c, y * width, (y + 1) * width);
      }
    };
  };
  lowering.add_step(std::move(step), {from.where, ranges.first, image.codes, image.grid});
  return image;
}

}  // namespace halftone::runtime
