// Where the numbers lie that a tensor's elements are rounded to: the grids of grids.def.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "halftone/quant/observer.h"
#include "halftone/quant/quant_params.h"

namespace halftone {

// The elements that share a scale.
struct Slice {
  Range range;                    // that the grid has to cover, as an observer proposes it
  std::span<const float> values;  // the numbers themselves, all finite; empty where nobody has them (activations)
};

struct GridInfo {
  std::string_view name;
  int least_bits, most_bits;
  bool weights_only;  // has levels, which only constants may have
  bool uses_range;    // otherwise the values alone decide
  std::string_view summary, source;
};
// The lines of grids.def.
std::span<const GridInfo> all_grids();
// Errors: Error{InvalidArgument} for an unknown name, with the nearest known one.
const GridInfo& find_grid(std::string_view name);

// The grid of `spec`, with one scale per slice, in their order. `axis` is that of the scales (-1: one slice). Ranges
// are extended to contain 0. Errors: Error{NumericRange} for a range that is not finite; Error{InvalidArgument} for a
// spec that can't be (check_spec) and a grid that needs values and gets none. Deterministic.
QuantParams lay_grid(const QuantSpec& spec, std::span<const Slice> slices, int64_t axis);

}  // namespace halftone
