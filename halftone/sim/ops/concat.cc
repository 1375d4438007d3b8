#include "halftone/sim/ops.h"
#include "halftone/sim/ops/element_writer.h"
#include "halftone/sim/ops/parameters.h"

namespace halftone::sim::ops {

std::vector<Tensor> concat(const OpCall& call) {
  const Tensor& first = call.input(0);
  const int64_t axis = normalize_axis(call.node.int_or("axis", 1), first.rank());
  Shape shape = first.shape();
  int64_t& length = shape[static_cast<size_t>(axis)];
  length = 0;
  for (size_t i = 0; i < call.input_count(); ++i) {
    const Tensor& x = call.input(i);
    bool fits = x.dtype() == first.dtype() && x.rank() == first.rank();
    for (int64_t d = 0; fits && d < x.rank(); ++d) fits = d == axis || x.dim(d) == first.dim(d);
    if (!fits) {
      call.refuse("inputs must agree beside axis {}, found {} {} and {} {}", axis, name_of(first.dtype()),
                  to_string(first.shape()), name_of(x.dtype()), to_string(x.shape()));
    }
    if (__builtin_add_overflow(length, x.dim(axis), &length)) call.refuse("axis {} exceeds 2^63 elements", axis);
  }

  ElementWriter writer(first.dtype(), shape);
  const int64_t inner = element_count(Shape(shape.begin() + axis + 1, shape.end()));
  int64_t offset = 0;
  for (size_t i = 0; i < call.input_count(); ++i) {
    const Tensor& x = call.input(i);
    const int64_t chunk = x.dim(axis) * inner;
    for (int64_t outer = 0; chunk > 0 && outer < x.size() / chunk; ++outer) {
      writer.copy_range(outer * length * inner + offset, x, outer * chunk, chunk);
    }
    offset += chunk;
  }
  return {std::move(writer).finish()};
}

namespace {

// Lengths of the parts: as given, or equal but for a shorter last one.
std::vector<int64_t> part_lengths(const OpCall& call, int64_t total) {
  const std::vector<int64_t> given = attribute_or_input(call, "split", 1, 13, {});
  const auto outputs = static_cast<int64_t>(call.node.outputs.size());
  if (!given.empty()) {
    int64_t sum = 0;
    for (const int64_t length : given) {
      if (length < 0 || length > total - sum) call.refuse("parts must be >= 0 and add up to {}", total);
      sum += length;
    }
    if (sum != total || static_cast<int64_t>(given.size()) != outputs) {
      call.refuse("{} parts must add up to {}, found {} that add up to {}", outputs, total, given.size(), sum);
    }
    return given;
  }
  const int64_t parts = call.node.int_or("num_outputs", outputs);
  if (parts != outputs || parts < 1) call.refuse("num_outputs is {}, but there are {} outputs", parts, outputs);
  const bool uneven_allowed = call.opset >= 18;
  if (total % parts != 0 && !uneven_allowed)
    call.refuse("{} elements can't be split into {} equal parts", total, parts);
  const int64_t length = (total + parts - 1) / parts;
  if (length * (parts - 1) > total) call.refuse("{} elements can't be split into {} parts", total, parts);
  std::vector<int64_t> lengths(static_cast<size_t>(parts), length);
  lengths.back() = total - length * (parts - 1);
  return lengths;
}

}  // namespace

std::vector<Tensor> split(const OpCall& call) {
  const Tensor& x = call.input(0);
  const int64_t axis = normalize_axis(call.node.int_or("axis", 0), x.rank());
  std::vector<std::vector<int64_t>> picks;
  for (const int64_t dim : x.shape()) picks.push_back(all_of(dim));
  std::vector<Tensor> parts;
  int64_t start = 0;
  for (const int64_t length : part_lengths(call, x.dim(axis))) {
    std::vector<int64_t>& pick = picks[static_cast<size_t>(axis)];
    pick = all_of(length);
    for (int64_t& i : pick) i += start;
    start += length;
    parts.push_back(select(x, picks));
  }
  return parts;
}

}  // namespace halftone::sim::ops
