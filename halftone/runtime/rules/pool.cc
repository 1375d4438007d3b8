#include "halftone/runtime/conv_shape.h"
#include "halftone/runtime/onednn.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {
namespace {

struct Pool {
  dnnl::algorithm algorithm = dnnl::algorithm::pooling_max;
  ConvShape shape;
};

// The whole plane as one window.
std::string global_pool(const Lowering& lowering, const Node& node, Pool& pool) {
  const std::optional<Shape> x = lowering.float_shape(node.input(0));
  if (!x || x->size() < 3) return "the input's shape is unknown or has no spatial dimensions";
  const Channels value = channels_of(*x);
  pool.shape.n = value.n;
  pool.shape.ic = pool.shape.oc = value.c;
  // oneDNN's kernels like planes better than lines; a line is cut where that is free.
  pool.shape.ih = x->size() == 4 ? (*x)[2] : 1;
  pool.shape.iw = value.s / std::max<int64_t>(pool.shape.ih, 1);
  pool.shape.kh = pool.shape.stride_h = pool.shape.ih;
  pool.shape.kw = pool.shape.stride_w = pool.shape.iw;
  return value.s == 0 ? "nothing to compute" : "";
}

// ReduceMean over exactly the spatial dimensions.
bool is_spatial_mean(const Lowering& lowering, const Node& node) {
  const std::optional<Shape> x = lowering.float_shape(node.input(0));
  if (!node.is("ReduceMean") || !x || x->size() < 3) return false;
  std::vector<int64_t> axes = node.ints_or("axes", {});
  if (node.input(1) != ValueId::None) {
    const Tensor* constant = lowering.constant(node.inputs[1]);
    if (constant == nullptr) return false;
    axes = to_vector<int64_t>(*constant);
  }
  const auto rank = static_cast<int64_t>(x->size());
  std::vector<bool> reduced(x->size());
  for (int64_t axis : axes) reduced[static_cast<size_t>(normalize_axis(axis, rank))] = true;
  for (size_t i = 0; i < reduced.size(); ++i) {
    if (reduced[i] != (i >= 2)) return false;
  }
  return true;
}

std::string windowed_pool(const Lowering& lowering, const Node& node, Pool& pool) {
  const std::optional<ConvShape> shape = conv_shape(lowering, node, nullptr);
  if (!shape) return "not one- or two-dimensional, or of unknown shape";
  pool.shape = *shape;
  if (shape->dilation_h != 1 || shape->dilation_w != 1) return "dilated";
  if (node.is("MaxPool")) {
    return node.output(1) == ValueId::None ? "" : "indices are asked for";
  }
  const bool padded = shape->pad_top + shape->pad_left + shape->pad_bottom + shape->pad_right > 0;
  const bool with_padding = node.int_or("count_include_pad", 0) != 0;
  if (with_padding && padded && node.int_or("ceil_mode", 0) != 0) return "padding that counts only in part";
  pool.algorithm =
      with_padding ? dnnl::algorithm::pooling_avg_include_padding : dnnl::algorithm::pooling_avg_exclude_padding;
  return "";
}

std::string read_pool(const Lowering& lowering, const Node& node, Pool& pool) {
  if (node.is("MaxPool") || node.is("AveragePool")) return windowed_pool(lowering, node, pool);
  if (node.is("GlobalMaxPool")) return global_pool(lowering, node, pool);
  if (!node.is("GlobalAveragePool") && !is_spatial_mean(lowering, node)) return "no pool";
  pool.algorithm = dnnl::algorithm::pooling_avg_exclude_padding;
  return global_pool(lowering, node, pool);
}

}  // namespace

std::string lower_pool(Lowering& lowering) {
  const Node& node = lowering.node();
  Pool pool;
  if (std::string reason = read_pool(lowering, node, pool); !reason.empty()) return reason;
  const ConvShape& shape = pool.shape;
  // A window that lies in the padding altogether has no mean and no largest element.
  if (shape.pad_top >= shape.kh || shape.pad_left >= shape.kw || shape.pad_bottom >= shape.kh ||
      shape.pad_right >= shape.kw) {
    return "windows of padding only";
  }
  const int64_t channels = padded_channels(shape.ic), block = channel_block(shape.ic);
  if (shape.n * channels * shape.ih * shape.iw == 0) return "nothing to compute";
  const SingleThreadScope single;
  const bool by_image = shape.n >= lowering.threads();
  // Of one image rows, where all channels are one block, else blocks.
  const bool by_rows = shape.n == 1 && !by_image && channels == block;
  const int64_t units = by_image ? shape.n : by_rows ? shape.oh : channels / block;
  const int64_t worth = shape.n * channels * shape.ih * shape.iw / kEltwiseGrain;
  const int64_t wanted = std::clamp<int64_t>(worth, 1, std::min<int64_t>(units, lowering.threads()));
  const bool images = shape.n > 1 || by_image;
  const Split split = images && !by_image ? Split{shape.n, 1, shape.n}
                      : images            ? Split{shape.n, 1, wanted}
                      : by_rows           ? Split{shape.oh, 1, wanted}
                                          : Split{channels, block, wanted};
  try {
    const Place src = lowering.blocked(node.inputs[0]);
    const Shape y = *lowering.float_shape(node.outputs[0]);
    Place dst = lowering.allocate(DType::Float, Shape{shape.n, shape.ic, shape.oh, shape.ow}, Layout::Blocked);
    std::vector<PrimitivePart> parts;
    for (int i = 0; i < split.parts(); ++i) {
      const int64_t begin = split.begin(i), size = split.end(i) - begin;
      const int64_t n = images ? size : 1, c = images || by_rows ? channels : size;
      const int64_t plane = images ? begin * channels : by_rows ? 0 : begin;
      const int64_t row = by_rows ? begin : 0, rows = by_rows ? size : shape.oh;
      const InputRows input = input_rows(shape, row, rows);
      const dnnl::memory::desc src_desc({n, c, input.count, shape.iw}, kFloat, blocked_tag());
      const dnnl::memory::desc dst_desc({n, c, rows, shape.ow}, kFloat, blocked_tag());
      const dnnl::pooling_forward::desc operation(dnnl::prop_kind::forward_inference, pool.algorithm, src_desc,
                                                  dst_desc, {shape.stride_h, shape.stride_w}, {shape.kh, shape.kw},
                                                  {input.pad_top, shape.pad_left}, {input.pad_bottom, shape.pad_right});
      const dnnl::pooling_forward::primitive_desc desc(operation, make_attributes(), engine());
      parts.push_back(
          {dnnl::pooling_forward(desc),
           {{DNNL_ARG_SRC, src_desc, shifted(src.where, (plane * shape.ih + input.begin * block) * shape.iw)},
            {DNNL_ARG_DST, dst_desc, shifted(dst.where, (plane * shape.oh + row * block) * shape.ow)}}});
    }
    add_primitives(lowering, describe(lowering.graph(), node), std::move(parts));
    // A mean that drops the reduced dimensions has the same channels.
    dst.shape = y;
    lowering.define(node.outputs[0], dst);
    return "";
  } catch (const dnnl::error& error) {
    return error.what();
  }
}

}  // namespace halftone::runtime
