#include "halftone/runtime/rules/convolve.h"

namespace halftone::runtime {

std::string lower_convolution(Lowering& lowering) {
  const Node& node = lowering.node();
  if (!node.is("Conv")) return "no Conv";
  const Tensor* weights = lowering.constant(node.input(1));
  if (weights == nullptr || weights->dtype() != DType::Float) return "the weights are not constant floats";
  const std::optional<ConvShape> shape = conv_shape(lowering, node, &weights->shape());
  if (!shape) return "not one- or two-dimensional, or of unknown shape";
  if (shape->groups < 1 || shape->ic % shape->groups != 0 || shape->oc % shape->groups != 0 ||
      weights->dim(1) != shape->ic / shape->groups || weights->dim(0) != shape->oc) {
    return "groups and weights do not fit";
  }
  if (shape->pad_top < 0 || shape->pad_left < 0) return "negative padding";
  Convolution convolution{*shape, node.input(0), weights->data<float>().data(), {}};
  if (node.input(2) != ValueId::None) {
    const Tensor* bias = lowering.constant(node.inputs[2]);
    if (bias == nullptr || bias->dtype() != DType::Float || bias->size() != shape->oc)
      return "the bias is not constant";
    convolution.bias.assign(bias->data<float>().begin(), bias->data<float>().end());
  }
  return add_convolution(lowering, convolution, node.output(0));
}

}  // namespace halftone::runtime
