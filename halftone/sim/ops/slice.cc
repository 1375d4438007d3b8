#include <algorithm>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/element_writer.h"
#include "halftone/sim/ops/parameters.h"

namespace halftone::sim::ops {
namespace {

// start, start + step ... before end. Negative positions count from the end; what lies outside is clamped as the
// operator's definition says, which for a negative step differs from Python's: start can't fall before the first
// element.
std::vector<int64_t> slice_positions(int64_t start, int64_t end, int64_t step, int64_t dim) {
  if (dim == 0) return {};
  if (start < 0) start += dim;
  if (end < 0) end += dim;
  start = std::clamp<int64_t>(start, 0, step > 0 ? dim : dim - 1);
  end = step > 0 ? std::clamp<int64_t>(end, 0, dim) : std::clamp<int64_t>(end, -1, dim - 1);
  // A longer step takes the first element alone just as well, and can't overflow.
  step = std::clamp(step, -dim - 1, dim + 1);
  std::vector<int64_t> positions;
  for (int64_t i = start; step > 0 ? i < end : i > end; i += step) positions.push_back(i);
  return positions;
}

}  // namespace

std::vector<Tensor> slice(const OpCall& call) {
  const Tensor& x = call.input(0);
  const std::vector<int64_t> starts = attribute_or_input(call, "starts", 1, 10, {});
  const std::vector<int64_t> ends = attribute_or_input(call, "ends", 2, 10, {});
  const std::vector<int64_t> axes = normalize_axes(
      call, attribute_or_input(call, "axes", 3, 10, all_of(static_cast<int64_t>(starts.size()))), x.rank());
  const std::vector<int64_t> ones(starts.size(), 1);
  const std::vector<int64_t> steps = call.opset >= 10 && call.has_input(4) ? integers(call, 4) : ones;
  if (ends.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size()) {
    call.refuse("starts, ends, axes and steps must be equally many, found {}, {}, {} and {}", starts.size(),
                ends.size(), axes.size(), steps.size());
  }

  std::vector<std::vector<int64_t>> picks;
  for (const int64_t dim : x.shape()) picks.push_back(all_of(dim));
  for (size_t i = 0; i < axes.size(); ++i) {
    if (steps[i] == 0) call.refuse("steps must not be 0");
    picks[static_cast<size_t>(axes[i])] = slice_positions(starts[i], ends[i], steps[i], x.dim(axes[i]));
  }
  return {select(x, picks)};
}

// The upper (lower) triangle of each matrix, from diagonal k on; zero elsewhere.
std::vector<Tensor> trilu(const OpCall& call) {
  const Tensor& x = call.input(0);
  if (x.rank() < 2) call.refuse("a matrix is required, found {}", to_string(x.shape()));
  const bool upper = call.node.int_or("upper", 1) != 0;
  const int64_t rows = x.dim(x.rank() - 2), columns = x.dim(x.rank() - 1);
  const int64_t k = std::clamp(integer_or(call, 1, 0), -rows - 1, columns + 1);
  std::vector<int64_t> index = all_of(x.size());
  for (int64_t& i : index) {
    const int64_t row = i / columns % rows, column = i % columns;
    if (upper ? column - row < k : column - row > k) i = -1;
  }
  return {take(x, x.shape(), index)};
}

// Reverses the first sequence_lens[b] steps of each batch entry.
std::vector<Tensor> reverse_sequence(const OpCall& call) {
  const Tensor& x = call.input(0);
  const std::vector<int64_t> lengths = integers(call, 1);
  const int64_t batch_axis = call.node.int_or("batch_axis", 1), time_axis = call.node.int_or("time_axis", 0);
  if (x.rank() < 2 || batch_axis + time_axis != 1 || batch_axis * time_axis != 0) {
    call.refuse("batch_axis and time_axis must be 0 and 1 of rank >= 2, found {} and {} of rank {}", batch_axis,
                time_axis, x.rank());
  }
  if (static_cast<int64_t>(lengths.size()) != x.dim(batch_axis)) {
    call.refuse("{} sequence lengths are required, found {}", x.dim(batch_axis), lengths.size());
  }
  const std::vector<int64_t> strides = contiguous_strides(x.shape());
  const int64_t time_stride = strides[static_cast<size_t>(time_axis)];
  std::vector<int64_t> index = all_of(x.size());
  for (int64_t& i : index) {
    const int64_t batch = i / strides[static_cast<size_t>(batch_axis)] % x.dim(batch_axis);
    const int64_t time = i / time_stride % x.dim(time_axis);
    const int64_t length = lengths[static_cast<size_t>(batch)];
    if (length < 0 || length > x.dim(time_axis)) {
      call.refuse("sequence lengths must lie in [0, {}], found {}", x.dim(time_axis), length);
    }
    if (time < length) i += (length - 1 - 2 * time) * time_stride;
  }
  return {take(x, x.shape(), index)};
}

}  // namespace halftone::sim::ops
