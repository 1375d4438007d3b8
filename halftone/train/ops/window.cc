#include "halftone/train/ops/window.h"

#include <algorithm>

namespace halftone::train::ops {

Window read_window(const OpCall& call, const at::Tensor& x, std::vector<int64_t> kernel) {
  const size_t rank = kernel.size();
  if (rank < 1 || rank > 3 || x.dim() != static_cast<int64_t>(rank) + 2) {
    fail(ErrorCode::Unsupported, describe(call.graph, call.node),
         "training takes windows of 1 to 3 spatial dimensions over [N, C, spatial...], found {} over rank {}", rank,
         x.dim());
  }
  const Node& node = call.node;
  Window window;
  window.stride = node.ints_or("strides", std::vector<int64_t>(rank, 1));
  window.dilation = node.ints_or("dilations", std::vector<int64_t>(rank, 1));
  std::vector<int64_t> pads = node.ints_or("pads", std::vector<int64_t>(2 * rank, 0));
  window.ceil_mode = node.int_or("ceil_mode", 0) != 0;
  if (window.stride.size() != rank || window.dilation.size() != rank || pads.size() != 2 * rank) {
    call.refuse("strides, dilations and pads must have {}, {} and {} numbers", rank, rank, 2 * rank);
  }
  const std::string auto_pad = node.string_or("auto_pad", "NOTSET");
  if (auto_pad == "VALID") std::fill(pads.begin(), pads.end(), 0);
  if (auto_pad == "SAME_UPPER" || auto_pad == "SAME_LOWER") {
    for (size_t i = 0; i < rank; ++i) {
      const int64_t in = x.size(static_cast<int64_t>(i) + 2);
      const int64_t out = (in + window.stride[i] - 1) / window.stride[i];
      const int64_t reach = (kernel[i] - 1) * window.dilation[i] + 1;
      const int64_t total = std::max<int64_t>((out - 1) * window.stride[i] + reach - in, 0);
      pads[i] = auto_pad == "SAME_UPPER" ? total / 2 : total - total / 2;
      pads[rank + i] = total - pads[i];
    }
  }
  const auto middle = pads.begin() + static_cast<std::ptrdiff_t>(rank);
  window.pad_begin.assign(pads.begin(), middle);
  window.pad_end.assign(middle, pads.end());
  window.kernel = std::move(kernel);
  return window;
}

at::Tensor padded(const at::Tensor& x, const Window& window, double value) {
  std::vector<int64_t> amounts;  // last dimension first
  for (size_t i = window.pad_begin.size(); i-- > 0;) {
    amounts.push_back(window.pad_begin[i]);
    amounts.push_back(window.pad_end[i]);
  }
  return at::constant_pad_nd(x, amounts, value);
}

}  // namespace halftone::train::ops
