// Which elements of a tensor share a scale. Internal to quantizing.
#pragma once

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/quant/quant_params.h"

namespace halftone {

// Elements [begin, begin + count) share scale `index`.
struct Run {
  size_t begin, count, index;
};

// Calls f for consecutive runs that together cover the tensor. Errors: Error{InvalidArgument} when scales and shape
// disagree.
template <typename F>
void for_each_run(const Shape& shape, const QuantParams& params, const F& f) {
  const auto total = static_cast<size_t>(element_count(shape));
  size_t outer = 1, dim = 1, inner = total;
  if (params.axis >= static_cast<int64_t>(shape.size())) {
    fail(ErrorCode::InvalidArgument, "quantize", "quantization axis {} does not exist in shape {}", params.axis,
         to_string(shape));
  }
  if (!params.per_tensor()) {
    const auto axis = static_cast<size_t>(params.axis);
    dim = static_cast<size_t>(shape[axis]);
    for (size_t i = 0; i < axis; ++i) outer *= static_cast<size_t>(shape[i]);
    inner = outer * dim == 0 ? 0 : total / (outer * dim);
  }
  const bool blocks = !params.per_tensor() && params.block_size > 0;
  const size_t block = blocks ? static_cast<size_t>(params.block_size) : 1;
  const size_t block_count = (dim + block - 1) / block;
  const size_t required = blocks ? outer * block_count * inner : dim;
  if (params.scale.size() != required || params.zero_point.size() != required) {
    fail(ErrorCode::InvalidArgument, "quantize",
         "shape {} with quantization axis {} requires {} scales and zero points, found {} and {}", to_string(shape),
         params.axis, required, params.scale.size(), params.zero_point.size());
  }
  if (total == 0) return;
  if (blocks && inner > 1) {
    // Neighbours in memory belong to different blocks, so no two of them share a scale.
    for (size_t o = 0; o < outer; ++o) {
      for (size_t d = 0; d < dim; ++d) {
        for (size_t i = 0; i < inner; ++i) {
          f(Run{(o * dim + d) * inner + i, 1, (o * block_count + d / block) * inner + i});
        }
      }
    }
    return;
  }
  for (size_t o = 0; o < outer; ++o) {
    for (size_t d = 0; d < dim; d += block) {
      const size_t index = blocks ? o * block_count + d / block : d;
      f(Run{(o * dim + d) * inner, std::min(block, dim - d) * inner, index});
    }
  }
}

}  // namespace halftone
