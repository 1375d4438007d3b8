#include <algorithm>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/parameters.h"

namespace halftone::sim::ops {
namespace {

int64_t clamp_axis(int64_t axis, int64_t rank) {
  if (axis < 0) axis += rank;
  return std::clamp<int64_t>(axis, 0, rank);
}

}  // namespace

std::vector<Tensor> shape(const OpCall& call) {
  const Shape& dims = call.input(0).shape();
  const int64_t rank = call.input(0).rank();
  const int64_t start = clamp_axis(call.node.int_or("start", 0), rank);
  const int64_t end = std::max(start, clamp_axis(call.node.int_or("end", rank), rank));
  return {Tensor::from({end - start}, std::vector<int64_t>(dims.begin() + start, dims.begin() + end))};
}

std::vector<Tensor> size(const OpCall& call) { return {Tensor::scalar(call.input(0).size())}; }

// 0 keeps the input's dimension (with allowzero it is a 0), one -1 takes what the others leave. Kept dimensions cancel
// first, so that they don't hide the rest where they are 0.
std::vector<Tensor> reshape(const OpCall& call) {
  const Tensor& x = call.input(0);
  Shape target = attribute_or_input(call, "shape", 1, 5, {});
  const bool zero_is_zero = call.node.int_or("allowzero", 0) != 0;
  int64_t* inferred = nullptr;
  Shape available = x.shape(), stated;
  for (size_t i = 0; i < target.size(); ++i) {
    if (target[i] == -1) {
      if (inferred != nullptr) call.refuse("one dimension may be -1, found several in {}", to_string(target));
      inferred = &target[i];
    } else if (target[i] == 0 && !zero_is_zero) {
      if (i >= x.shape().size())
        call.refuse("a 0 in {} has no dimension in {}", to_string(target), to_string(x.shape()));
      target[i] = x.shape()[i];
      available[i] = 1;
    } else {
      stated.push_back(target[i]);
    }
  }
  if (inferred != nullptr) {
    const int64_t rest = element_count(stated);
    if (rest == 0) call.refuse("the dimension -1 of {} could be any number", to_string(target));
    *inferred = element_count(available) / rest;
  }
  return {x.reshaped(target)};
}

std::vector<Tensor> flatten(const OpCall& call) {
  const Tensor& x = call.input(0);
  int64_t axis = call.node.int_or("axis", 1);
  if (axis < -x.rank() || axis > x.rank()) call.refuse("axis {} is outside rank {}", axis, x.rank());
  if (axis < 0) axis += x.rank();
  const auto middle = x.shape().begin() + axis;
  return {x.reshaped({element_count(Shape(x.shape().begin(), middle)), element_count(Shape(middle, x.shape().end()))})};
}

// Without axes, every dimension of 1 goes.
std::vector<Tensor> squeeze(const OpCall& call) {
  const Tensor& x = call.input(0);
  const bool all = call.opset < 13 ? call.node.find_attribute("axes") == nullptr : !call.has_input(1);
  const std::vector<int64_t> axes = normalize_axes(call, attribute_or_input(call, "axes", 1, 13, {}), x.rank());
  Shape result;
  for (int64_t d = 0; d < x.rank(); ++d) {
    const bool named = std::find(axes.begin(), axes.end(), d) != axes.end();
    if (named && x.dim(d) != 1) call.refuse("axis {} must be 1, found {}", d, to_string(x.shape()));
    if (!named && !(all && x.dim(d) == 1)) result.push_back(x.dim(d));
  }
  return {x.reshaped(result)};
}

std::vector<Tensor> unsqueeze(const OpCall& call) {
  const Tensor& x = call.input(0);
  std::vector<int64_t> axes = attribute_or_input(call, "axes", 1, 13, {});
  axes = normalize_axes(call, axes, x.rank() + static_cast<int64_t>(axes.size()));
  std::sort(axes.begin(), axes.end());
  Shape result = x.shape();
  for (const int64_t axis : axes) result.insert(result.begin() + axis, 1);
  return {x.reshaped(result)};
}

}  // namespace halftone::sim::ops
