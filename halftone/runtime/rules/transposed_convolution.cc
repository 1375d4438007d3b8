#include "halftone/runtime/activation.h"
#include "halftone/runtime/conv_shape.h"
#include "halftone/runtime/onednn.h"

namespace halftone::runtime {
namespace {

// ONNX's weights [ic, oc, kh, kw] as oneDNN's [oc, ic, kh, kw], channels padded to whole blocks.
std::vector<float> arranged(const ConvShape& shape, const float* weights) {
  const int64_t ic_padded = padded_channels(shape.ic), oc_padded = padded_channels(shape.oc);
  const int64_t kernel = shape.kh * shape.kw;
  std::vector<float> result(static_cast<size_t>(oc_padded * ic_padded * kernel), 0.0f);
  for (int64_t ic = 0; ic < shape.ic; ++ic) {
    for (int64_t oc = 0; oc < shape.oc; ++oc) {
      std::copy_n(weights + (ic * shape.oc + oc) * kernel, kernel, result.begin() + (oc * ic_padded + ic) * kernel);
    }
  }
  return result;
}

}  // namespace

std::string lower_transposed_convolution(Lowering& lowering) {
  const Node& node = lowering.node();
  if (!node.is("ConvTranspose")) return "no ConvTranspose";
  const Tensor* weights = lowering.constant(node.input(1));
  if (weights == nullptr || weights->dtype() != DType::Float) return "the weights are not constant floats";
  if (node.string_or("auto_pad", "NOTSET") != "NOTSET" || node.find_attribute("output_shape") != nullptr) {
    return "padding that depends on the output's shape";
  }
  const std::optional<ConvShape> known = conv_shape(lowering, node, &weights->shape());
  if (!known) return "not one- or two-dimensional, or of unknown shape";
  const ConvShape& shape = *known;
  if (shape.groups != 1) return "grouped";
  if (weights->dim(0) != shape.ic || weights->dim(1) != shape.oc || shape.macs() == 0) return "weights do not fit";
  std::vector<float> bias(static_cast<size_t>(padded_channels(shape.oc)), 0.0f);
  if (node.input(2) != ValueId::None) {
    const Tensor* constant = lowering.constant(node.inputs[2]);
    if (constant == nullptr || constant->dtype() != DType::Float) return "the bias is not constant";
    std::copy(constant->data<float>().begin(), constant->data<float>().end(), bias.begin());
  }

  const SingleThreadScope single;
  const Chain chain = follow(lowering, node.output(0), false);
  const int64_t ic = padded_channels(shape.ic), oc = padded_channels(shape.oc);
  const dnnl::memory::desc src_desc({shape.n, ic, shape.ih, shape.iw}, kFloat, blocked_tag());
  const dnnl::memory::desc dst_desc({shape.n, oc, shape.oh, shape.ow}, kFloat, blocked_tag());
  const dnnl::memory::desc any_weights({oc, ic, shape.kh, shape.kw}, kFloat, dnnl::memory::format_tag::any);
  const dnnl::memory::desc given_weights({oc, ic, shape.kh, shape.kw}, kFloat, dnnl::memory::format_tag::abcd);
  try {
    const dnnl::deconvolution_forward::desc operation(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::deconvolution_direct, src_desc, any_weights, flat_desc(oc),
        dst_desc, {shape.stride_h, shape.stride_w}, {shape.dilation_h - 1, shape.dilation_w - 1},
        {shape.pad_top, shape.pad_left}, {shape.pad_bottom, shape.pad_right});
    const dnnl::deconvolution_forward::primitive_desc desc(operation, make_attributes(chain.post_ops), engine());
    const Place src = lowering.blocked(node.inputs[0]);
    const Place dst = lowering.allocate(DType::Float, *lowering.float_shape(chain.output), Layout::Blocked);
    const std::vector<float> padded = arranged(shape, weights->data<float>().data());
    PrimitivePart part{
        dnnl::deconvolution_forward(desc),
        {{DNNL_ARG_SRC, src_desc, src.where},
         {DNNL_ARG_WEIGHTS, desc.weights_desc(), pack(padded.data(), given_weights, desc.weights_desc())},
         {DNNL_ARG_BIAS, desc.bias_desc(), pack(bias.data(), flat_desc(oc), desc.bias_desc())},
         {DNNL_ARG_DST, dst_desc, dst.where}}};
    add_primitives(lowering, describe(lowering.graph(), node), {std::move(part)});
    absorb(lowering, chain);
    lowering.define(chain.output, dst);
    return "";
  } catch (const dnnl::error& error) {
    return error.what();
  }
}

}  // namespace halftone::runtime
