#include "halftone/sim/ops/parameters.h"

#include <algorithm>

namespace halftone::sim::ops {

std::vector<int64_t> integers(const OpCall& call, size_t input) {
  const Tensor& tensor = call.input(input);
  if (!is_integer(tensor.dtype())) call.refuse("input {} must hold integers, found {}", input, name_of(tensor.dtype()));
  return to_vector<int64_t>(tensor);
}

std::vector<int64_t> attribute_or_input(const OpCall& call, std::string_view attribute, size_t input, int64_t since,
                                        std::vector<int64_t> fallback) {
  if (call.opset < since) return call.node.ints_or(attribute, std::move(fallback));
  return call.has_input(input) ? integers(call, input) : fallback;
}

int64_t integer_or(const OpCall& call, size_t input, int64_t fallback) {
  if (!call.has_input(input)) return fallback;
  const std::vector<int64_t> values = integers(call, input);
  if (values.size() != 1) call.refuse("input {} must hold one number, found {}", input, values.size());
  return values[0];
}

std::vector<int64_t> normalize_axes(const OpCall& call, std::vector<int64_t> axes, int64_t rank) {
  for (int64_t& axis : axes) axis = normalize_axis(axis, rank);
  std::vector<int64_t> sorted = axes;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end()) call.refuse("each axis may be named once, found {} twice", *twice);
  return axes;
}

int64_t normalize_index(const OpCall& call, int64_t i, int64_t count) {
  if (i < -count || i >= count) call.refuse("indices must lie in [{}, {}), found {}", -count, count, i);
  return i < 0 ? i + count : i;
}

}  // namespace halftone::sim::ops
