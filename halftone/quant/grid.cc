#include "halftone/quant/grid.h"

#include <array>
#include <cmath>

#include <fmt/format.h>

#include "halftone/base/error.h"
#include "halftone/quant/rounding.h"

namespace halftone {

#define HT_GRID(name, least, most, weights_only, uses_range, summary, source) \
  void append_##name(const QuantSpec& spec, const Slice& slice, QuantParams& params);
#include "halftone/quant/grids.def"
#undef HT_GRID

std::span<const GridInfo> all_grids() {
#define HT_GRID(name, least, most, weights_only, uses_range, summary, source) \
  GridInfo{#name, least, most, weights_only, uses_range, summary, source},
  static constexpr auto kGrids = std::to_array<GridInfo>({
#include "halftone/quant/grids.def"
  });
#undef HT_GRID
  return kGrids;
}

const GridInfo& find_grid(std::string_view name) {
  std::vector<std::string_view> names;
  for (const GridInfo& info : all_grids()) {
    if (info.name == name) return info;
    names.push_back(info.name);
  }
  const std::string nearest = nearest_word(name, names);
  fail(ErrorCode::InvalidArgument, "grid", "one of {} is required, found '{}'{}", fmt::join(names, ", "), name,
       nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
}

namespace {

using AppendGrid = void (*)(const QuantSpec&, const Slice&, QuantParams&);
AppendGrid find_append(std::string_view name) {
#define HT_GRID(known, least, most, weights_only, uses_range, summary, source) \
  if (name == #known) return append_##known;
#include "halftone/quant/grids.def"
#undef HT_GRID
  find_grid(name);  // complains
  return nullptr;
}

template <typename... Args>
[[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) {
  fail(ErrorCode::InvalidArgument, "quantization", format, std::forward<Args>(args)...);
}

}  // namespace

void check_spec(const QuantSpec& spec) {
  const GridInfo& grid = find_grid(spec.grid);
  if (spec.bits < grid.least_bits || spec.bits > grid.most_bits) {
    refuse("the grid {} requires {} to {} bits, found {}", spec.grid, grid.least_bits, grid.most_bits, spec.bits);
  }
  if (spec.bits == 1 && !grid.weights_only && spec.symmetric) {
    refuse(
        "1 bit and \"symmetric\" don't go together: around 0 there is room for nothing but 0; ask for the grid "
        "binary, or for symmetric false");
  }
  if (spec.granularity == Granularity::PerGroup && spec.group_size < 1) {
    refuse("a group requires at least 1 channel, found {}", spec.group_size);
  }
  if (spec.granularity == Granularity::PerBlock && spec.block_size < 1) {
    refuse("a block requires at least 1 element, found {}", spec.block_size);
  }
  if (spec.granularity == Granularity::PerBlock && grid.weights_only) {
    refuse("the grid {} and granularity per_block don't go together: files have no form for levels by block",
           spec.grid);
  }
  const bool two_numbers = find_rounding(spec.rounding).needs_two_numbers;
  if (two_numbers && spec.grid != "binary") {
    refuse(
        "the rounding {} and the grid {} don't go together: it chooses between two numbers, those of the grid binary",
        spec.rounding, spec.grid);
  }
}

QuantParams lay_grid(const QuantSpec& spec, std::span<const Slice> slices, int64_t axis) {
  check_spec(spec);
  const AppendGrid append = find_append(spec.grid);
  QuantParams params;
  const bool is_signed = spec.is_signed && !find_grid(spec.grid).weights_only;
  params.dtype = storage_type(spec.bits, is_signed);
  const int64_t codes = int64_t{1} << spec.bits;
  params.q_min = is_signed ? -codes / 2 : 0;
  params.q_max = params.q_min + codes - 1;
  if (spec.narrow_range && is_signed && spec.symmetric) ++params.q_min;
  if (spec.granularity != Granularity::PerTensor) params.axis = axis;
  if (spec.granularity == Granularity::PerBlock) params.block_size = spec.block_size;
  for (const Slice& slice : slices) {
    if (!std::isfinite(slice.range.low) || !std::isfinite(slice.range.high)) {
      fail(ErrorCode::NumericRange, "quantization", "a finite range is required, found [{}, {}]", slice.range.low,
           slice.range.high);
    }
    append(spec, slice, params);
  }
  return params;
}

}  // namespace halftone
