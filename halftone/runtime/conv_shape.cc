#include "halftone/runtime/conv_shape.h"

#include <algorithm>

namespace halftone::runtime {
namespace {

// What auto_pad puts before the first element (ONNX, Conv): SAME_UPPER leaves the odd element for the end.
int64_t auto_pad_before(const std::string& mode, int64_t total) {
  if (mode == "SAME_UPPER") return total / 2;
  if (mode == "SAME_LOWER") return total - total / 2;
  return 0;
}

}  // namespace

InputRows input_rows(const ConvShape& shape, int64_t row, int64_t rows) {
  if (rows == shape.oh) return {0, shape.ih, shape.pad_top, shape.pad_bottom};
  const int64_t reach = (shape.kh - 1) * shape.dilation_h + 1;
  const int64_t first = row * shape.stride_h - shape.pad_top;
  const int64_t end = first + (rows - 1) * shape.stride_h + reach;
  const int64_t begin = std::clamp<int64_t>(first, 0, shape.ih), stop = std::clamp<int64_t>(end, begin, shape.ih);
  return {begin, stop - begin, begin - first, end - stop};
}

std::optional<ConvShape> conv_shape(const Lowering& lowering, const Node& node, const Shape* weights) {
  const std::optional<Shape> x = lowering.float_shape(node.input(0)), y = lowering.float_shape(node.output(0));
  if (!x || !y || x->size() != y->size() || (x->size() != 3 && x->size() != 4)) return std::nullopt;
  const size_t spatial = x->size() - 2;
  std::vector<int64_t> kernel = node.ints_or("kernel_shape", {});
  if (weights != nullptr) {
    if (weights->size() != x->size()) return std::nullopt;
    kernel.assign(weights->begin() + 2, weights->end());
  }
  const std::vector<int64_t> ones(spatial, 1);
  const std::vector<int64_t> strides = node.ints_or("strides", ones), dilations = node.ints_or("dilations", ones);
  std::vector<int64_t> pads = node.ints_or("pads", std::vector<int64_t>(2 * spatial, 0));
  if (kernel.size() != spatial || strides.size() != spatial || dilations.size() != spatial) return std::nullopt;
  if (pads.size() != 2 * spatial) return std::nullopt;

  const std::string auto_pad = node.string_or("auto_pad", "NOTSET");
  const bool transposed = node.is("ConvTranspose");
  for (size_t d = 0; d < spatial; ++d) {
    const int64_t in = (*x)[d + 2], out = (*y)[d + 2], reach = (kernel[d] - 1) * dilations[d] + 1;
    // What the shapes imply in total.
    const int64_t total = transposed ? (in - 1) * strides[d] + reach - out : (out - 1) * strides[d] + reach - in;
    if (auto_pad != "NOTSET") pads[d] = auto_pad_before(auto_pad, std::max<int64_t>(total, 0));
    pads[spatial + d] = total - pads[d];
    // ONNX rounds output sizes down, which shows as a negative rest.
    if (!transposed) pads[spatial + d] = std::max<int64_t>(pads[spatial + d], 0);
  }

  ConvShape shape;
  const auto last = spatial - 1;
  shape.n = (*x)[0];
  shape.ic = (*x)[1];
  shape.oc = (*y)[1];
  shape.groups = weights == nullptr ? shape.ic : node.int_or("group", 1);
  shape.ih = spatial == 2 ? (*x)[2] : 1;
  shape.iw = (*x)[2 + last];
  shape.oh = spatial == 2 ? (*y)[2] : 1;
  shape.ow = (*y)[2 + last];
  shape.kw = kernel[last];
  shape.stride_w = strides[last];
  shape.dilation_w = dilations[last];
  shape.pad_left = pads[last];
  shape.pad_right = pads[spatial + last];
  if (spatial == 2) {
    shape.kh = kernel[0];
    shape.stride_h = strides[0];
    shape.dilation_h = dilations[0];
    shape.pad_top = pads[0];
    shape.pad_bottom = pads[2];
  }
  return shape;
}

}  // namespace halftone::runtime
