#include <algorithm>
#include <string>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/element_writer.h"
#include "halftone/sim/ops/parameters.h"

namespace halftone::sim::ops {
namespace {

int64_t positive_mod(int64_t i, int64_t n) { return (i % n + n) % n; }

// The element of [0, dim) that stands at position i of the endless extension, -1 where that is the constant.
using Extension = int64_t (*)(int64_t i, int64_t dim);

int64_t constant_extension(int64_t i, int64_t dim) { return i < 0 || i >= dim ? -1 : i; }
int64_t edge_extension(int64_t i, int64_t dim) { return std::clamp<int64_t>(i, 0, dim - 1); }
int64_t wrap_extension(int64_t i, int64_t dim) { return positive_mod(i, dim); }
// Mirrored about the first and the last element, which are not repeated.
int64_t reflect_extension(int64_t i, int64_t dim) {
  if (dim == 1) return 0;
  const int64_t phase = positive_mod(i, 2 * (dim - 1));
  return phase < dim ? phase : 2 * (dim - 1) - phase;
}

Extension extension_of(const OpCall& call, const std::string& mode) {
  if (mode == "constant") return constant_extension;
  if (mode == "reflect") return reflect_extension;
  if (mode == "edge") return edge_extension;
  if (mode == "wrap") return wrap_extension;
  call.refuse("attribute 'mode' must be constant, reflect, edge or wrap, found '{}'", mode);
}

struct Padding {
  int64_t before = 0, after = 0;  // negative: elements cut off
};

std::vector<Padding> paddings(const OpCall& call, int64_t rank) {
  const std::vector<int64_t> pads = attribute_or_input(call, call.opset < 2 ? "paddings" : "pads", 1, 11, {});
  const bool axes_given = call.opset >= 18 && call.has_input(3);
  const std::vector<int64_t> axes = normalize_axes(call, axes_given ? integers(call, 3) : all_of(rank), rank);
  if (pads.size() != 2 * axes.size()) {
    call.refuse("{} pads are required for {} axes, found {}", 2 * axes.size(), axes.size(), pads.size());
  }
  std::vector<Padding> result(static_cast<size_t>(rank));
  for (size_t i = 0; i < axes.size(); ++i) {
    result[static_cast<size_t>(axes[i])] = {pads[i], pads[i + axes.size()]};
  }
  return result;
}

}  // namespace

std::vector<Tensor> pad(const OpCall& call) {
  const Tensor& x = call.input(0);
  const std::string mode = call.node.string_or("mode", "constant");
  const Extension extend = extension_of(call, mode);
  const std::vector<Padding> amounts = paddings(call, x.rank());

  Shape shape = x.shape();
  for (size_t d = 0; d < shape.size(); ++d) {
    const bool overflow = __builtin_add_overflow(shape[d], amounts[d].before, &shape[d]) || shape[d] < 0 ||
                          __builtin_add_overflow(shape[d], amounts[d].after, &shape[d]);
    if (overflow || shape[d] < 0) {
      call.refuse("pads {} and {} leave no valid dimension of {}", amounts[d].before, amounts[d].after, x.shape()[d]);
    }
  }
  if (element_count(check_size(shape)) == 0) return {Tensor(x.dtype(), shape)};

  std::vector<std::vector<int64_t>> picks(shape.size());
  for (size_t d = 0; d < shape.size(); ++d) {
    if (x.shape()[d] == 0 && mode != "constant") call.refuse("an empty axis can't be padded with mode {}", mode);
    picks[d] = all_of(shape[d]);
    for (int64_t& i : picks[d]) i = extend(i - amounts[d].before, x.shape()[d]);
  }
  if (call.opset < 11) {
    const Tensor value = convert(Tensor::scalar(call.node.float_or("value", 0.0f)), x.dtype());
    return {select(x, picks, &value)};
  }
  const Tensor* value = call.has_input(2) && call.input(2).size() > 0 ? &call.input(2) : nullptr;
  if (value != nullptr && value->dtype() != x.dtype()) {
    call.refuse("the constant must be {} like the data, found {}", name_of(x.dtype()), name_of(value->dtype()));
  }
  return {select(x, picks, value)};
}

}  // namespace halftone::sim::ops
