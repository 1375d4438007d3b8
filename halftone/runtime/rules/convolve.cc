#include "halftone/runtime/rules/convolve.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "halftone/runtime/onednn.h"
#include "halftone/runtime/rules/border_zeros.h"
#include "halftone/runtime/rules/conv_weights.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {
namespace {

using Desc = dnnl::convolution_forward::primitive_desc;

// What one thread computes at a time.
struct Slice {
  int64_t image = 0, images = 1;
  int64_t channel = 0, channels = 0;  // of the output
  int64_t row = 0, rows = 0;          // of the output
};

// Microseconds that one thread takes, by what oneDNN's kernels reach on AVX-512 machines.
double estimated_us(const ConvShape& shape) { return shape.macs() / (shape.depthwise() ? 15e3 : 55e3); }

// Below this a second thread's help costs more than it brings.
constexpr double kWorthSlicingUs = 2.5;

std::vector<Slice> cut(const ConvShape& shape, const ConvWeights& weights, bool rows_are_contiguous, int threads) {
  const int64_t channels = weights.dst_channels();
  const bool worth = threads > 1 && estimated_us(shape) > kWorthSlicingUs;
  Split images{shape.n, 1, 1}, blocks{channels, weights.unit(), 1}, rows{shape.oh, 1, 1};
  if (worth && shape.n >= threads) {
    // Many more images than threads in a few chunks, that oneDNN loops over; else one by one.
    images.count = shape.n % threads == 0 ? threads : std::min<int64_t>(shape.n, 4 * threads);
  } else if (worth) {
    images.count = shape.n;
    if (rows_are_contiguous) {
      rows.count = std::min<int64_t>(shape.oh, threads);
    } else {
      blocks.count = std::min<int64_t>(channels / weights.unit(), threads);
    }
  }
  std::vector<Slice> slices;
  for (int64_t i = 0; i < images.count; ++i) {
    for (int64_t b = 0; b < blocks.count; ++b) {
      for (int64_t r = 0; r < rows.count; ++r) {
        slices.push_back({images.begin(i), images.end(i) - images.begin(i), blocks.begin(b),
                          blocks.end(b) - blocks.begin(b), rows.begin(r), rows.end(r) - rows.begin(r)});
      }
    }
  }
  return slices;
}

struct Builder {
  Lowering& lowering;
  const ConvShape& shape;
  ConvWeights weights;
  Place src, dst;
  dnnl::primitive_attr attributes;
  std::map<std::tuple<int64_t, int64_t, int64_t, int64_t, int64_t>, Desc> descs;
  std::map<int64_t, std::pair<dnnl::memory::desc, Operand>> packed;  // by first channel
  Operand bias;

  bool plain_src() const { return src.layout == Layout::Plain; }
  // Input channels that `channels` output channels read.
  int64_t read_channels(int64_t channels) const {
    return weights.groups > 1 ? channels / weights.oc * weights.ic : weights.ic;
  }
  dnnl::memory::dims weight_dims(int64_t channels) const {
    if (weights.groups == 1) return {channels, weights.ic, shape.kh, shape.kw};
    return {channels / weights.oc, weights.oc, weights.ic, shape.kh, shape.kw};
  }

  const Desc& desc(const Slice& slice) {
    using Tag = dnnl::memory::format_tag;
    const InputRows rows = input_rows(shape, slice.row, slice.rows);
    const auto key = std::tuple(slice.images, slice.channels, slice.rows, rows.pad_top, rows.pad_bottom);
    const auto found = descs.find(key);
    if (found != descs.end()) return found->second;
    const dnnl::memory::desc src_desc({slice.images, read_channels(slice.channels), rows.count, shape.iw}, kFloat,
                                      plain_src() ? Tag::nchw : blocked_tag());
    const dnnl::memory::desc dst_desc({slice.images, slice.channels, slice.rows, shape.ow}, kFloat, blocked_tag());
    const dnnl::memory::desc weight_desc(weight_dims(slice.channels), kFloat, Tag::any);
    const dnnl::memory::dims strides = {shape.stride_h, shape.stride_w};
    const dnnl::memory::dims dilations = {shape.dilation_h - 1, shape.dilation_w - 1};
    const dnnl::memory::dims before = {rows.pad_top, shape.pad_left}, after = {rows.pad_bottom, shape.pad_right};
    constexpr auto kForward = dnnl::prop_kind::forward_inference;
    constexpr auto kDirect = dnnl::algorithm::convolution_direct;
    const auto operation =
        weights.bias.empty()
            ? dnnl::convolution_forward::desc(kForward, kDirect, src_desc, weight_desc, dst_desc, strides, dilations,
                                              before, after)
            : dnnl::convolution_forward::desc(kForward, kDirect, src_desc, weight_desc, flat_desc(slice.channels),
                                              dst_desc, strides, dilations, before, after);
    return descs.emplace(key, Desc(operation, attributes, engine())).first->second;
  }

  // Slices of the same channels share their weights.
  const Operand& packed_weights(const Slice& slice, const dnnl::memory::desc& wanted) {
    const auto found = packed.find(slice.channel);
    if (found != packed.end() && found->second.first == wanted) return found->second.second;
    const dnnl::memory::dims dims = weight_dims(slice.channels);
    const dnnl::memory::desc from(
        dims, dnnl::memory::data_type::f32,
        weights.groups == 1 ? dnnl::memory::format_tag::abcd : dnnl::memory::format_tag::abcde);
    const float* data = weights.weights.data() + slice.channel * weights.ic * shape.kh * shape.kw;
    return packed.insert_or_assign(slice.channel, std::pair(wanted, pack(data, from, wanted))).first->second.second;
  }

  PrimitivePart part(const Slice& slice) {
    const Desc& primitive = desc(slice);
    const int64_t src_channel = weights.groups > 1 ? read_channels(slice.channel) : 0;
    const int64_t src_row = input_rows(shape, slice.row, slice.rows).begin;
    const int64_t row_width = plain_src() ? 1 : channel_block(weights.src_channels());
    const int64_t src_offset =
        (slice.image * weights.src_channels() + src_channel) * shape.ih * shape.iw + src_row * shape.iw * row_width;
    const int64_t dst_offset = (slice.image * weights.dst_channels() + slice.channel) * shape.oh * shape.ow +
                               slice.row * shape.ow * channel_block(weights.dst_channels());
    PrimitivePart result{dnnl::convolution_forward(primitive), {}};
    result.arguments.push_back({DNNL_ARG_SRC, primitive.src_desc(), shifted(src.where, src_offset)});
    result.arguments.push_back(
        {DNNL_ARG_WEIGHTS, primitive.weights_desc(), packed_weights(slice, primitive.weights_desc())});
    if (!weights.bias.empty()) {
      result.arguments.push_back({DNNL_ARG_BIAS, primitive.bias_desc(), shifted(bias, slice.channel)});
    }
    result.arguments.push_back({DNNL_ARG_DST, primitive.dst_desc(), shifted(dst.where, dst_offset)});
    return result;
  }
};

// Each pixel a row of its own, so that threads can share pixels: for kernels of one element.
ConvShape in_one_column(ConvShape shape) {
  const bool one_element = shape.kh * shape.kw * shape.stride_h * shape.stride_w == 1;
  const bool padded = shape.pad_top + shape.pad_left + shape.pad_bottom + shape.pad_right > 0;
  if (!one_element || padded || !is_one_block(shape.ic) || !is_one_block(shape.oc)) return shape;
  shape.ih *= std::exchange(shape.iw, 1);
  shape.oh *= std::exchange(shape.ow, 1);
  return shape;
}

// Kernels from best to worst: written for a convolution; a matrix product of gathered pixels; the reference, hundreds
// of times as slow.
enum class Kernel { Direct, Gemm, Reference };

Kernel kernel_of(const Desc& desc) {
  const std::string_view name = desc.impl_info_str();
  if (name.starts_with("ref")) return Kernel::Reference;
  return name.find("gemm") == std::string_view::npos ? Kernel::Direct : Kernel::Gemm;
}

// A way to hand a convolution to oneDNN, and the worst kernel that is accepted for it.
struct Manner {
  Kernel worst;
  bool with_chain;  // what follows the convolution is computed with it
  bool plain_src;   // few input channels (an image) are read as they are instead of being padded to a block
  bool borders;     // the padding is copied around the input first: kernels pad no more than they hold in registers
};
constexpr Manner kManners[] = {
    {Kernel::Direct, true, true, false},  {Kernel::Direct, true, false, false},
    {Kernel::Direct, true, false, true},  {Kernel::Gemm, true, false, false},
    {Kernel::Direct, false, true, false}, {Kernel::Direct, false, false, false},
    {Kernel::Direct, false, false, true}, {Kernel::Reference, false, false, false},
};

}  // namespace

std::string add_convolution(Lowering& lowering, const Convolution& convolution, ValueId dst) {
  const SingleThreadScope single;
  const ConvShape& given = convolution.shape;
  if (given.macs() == 0) return "nothing to compute";
  const bool may_be_plain =
      given.groups == 1 && given.ic <= 4 && lowering.place(convolution.src).layout == Layout::Plain;
  const bool padded = given.pad_top + given.pad_left + given.pad_bottom + given.pad_right > 0;
  std::string reason;
  for (const Manner& manner : kManners) {
    if ((manner.plain_src && !may_be_plain) || (manner.borders && !padded)) continue;
    const ConvShape shape = manner.borders ? with_borders(given) : in_one_column(given);
    const Chain chain = manner.with_chain ? follow(lowering, dst, true) : Chain{{}, dst, {}, ValueId::None};
    try {
      Builder builder{lowering, shape, arrange_weights(convolution, manner.plain_src),
                      {},       {},    make_attributes(chain.post_ops),
                      {},       {},    {}};
      builder.src.layout = manner.plain_src ? Layout::Plain : Layout::Blocked;
      const ConvWeights& weights = builder.weights;
      const bool one_block = is_one_block(weights.dst_channels()) &&
                             (manner.plain_src ? weights.src_channels() == 1 : is_one_block(weights.src_channels()));
      const std::vector<Slice> slices = cut(shape, weights, one_block, lowering.threads());
      const auto acceptable = [&](const Slice& slice) { return kernel_of(builder.desc(slice)) <= manner.worst; };
      if (!std::ranges::all_of(slices, acceptable)) continue;

      builder.src = manner.plain_src ? lowering.plain(convolution.src) : lowering.blocked(convolution.src);
      if (manner.borders) builder.src = add_borders(lowering, given, builder.src);
      const Shape dst_shape = *lowering.float_shape(chain.output);
      builder.dst = chain.addend != ValueId::None ? lowering.blocked(chain.addend)
                                                  : lowering.allocate(DType::Float, dst_shape, Layout::Blocked);
      if (!weights.bias.empty()) {
        const auto count = static_cast<int64_t>(weights.bias.size());
        builder.bias = pack(weights.bias.data(), flat_desc(count), flat_desc(count));
      }
      std::vector<PrimitivePart> parts;
      for (const Slice& slice : slices) parts.push_back(builder.part(slice));
      add_primitives(lowering, describe(lowering.graph(), lowering.node()), std::move(parts));
      lowering.note().kernel = builder.desc(slices.front()).impl_info_str();
      absorb(lowering, chain);
      lowering.define(chain.output, builder.dst);
      return "";
    } catch (const dnnl::error& error) {
      reason = error.what();
    }
  }
  return reason;
}

}  // namespace halftone::runtime
