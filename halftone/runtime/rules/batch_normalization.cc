#include <array>
#include <cmath>

#include "halftone/runtime/rules/convolve.h"

namespace halftone::runtime {

std::string lower_batch_normalization(Lowering& lowering) {
  const Node& node = lowering.node();
  if (!node.is("BatchNormalization")) return "no BatchNormalization";
  if (node.int_or("training_mode", 0) != 0 || node.int_or("spatial", 1) != 1) return "not at inference";
  const std::optional<Shape> x = lowering.float_shape(node.input(0));
  if (!x || x->size() < 2) return "the input's shape is unknown";
  const Channels value = channels_of(*x);
  std::array<const Tensor*, 4> parameters{};  // gamma, beta, mean, var
  for (size_t i = 0; i < parameters.size(); ++i) {
    parameters[i] = lowering.constant(node.input(i + 1));
    if (parameters[i] == nullptr || parameters[i]->dtype() != DType::Float || parameters[i]->size() != value.c) {
      return "the parameters are not constant";
    }
  }
  const auto number = [&](size_t which, int64_t c) {
    return double{parameters[which]->data<float>()[static_cast<size_t>(c)]};
  };
  std::vector<float> scale;
  Convolution convolution;
  for (int64_t c = 0; c < value.c; ++c) {
    const double factor = number(0, c) / std::sqrt(number(3, c) + node.float_or("epsilon", 1e-5f));
    scale.push_back(static_cast<float>(factor));
    convolution.bias.push_back(static_cast<float>(number(1, c) - number(2, c) * factor));
  }
  convolution.shape.n = value.n;
  convolution.shape.ic = convolution.shape.oc = convolution.shape.groups = value.c;
  convolution.shape.iw = convolution.shape.ow = value.s;
  convolution.src = node.inputs[0];
  convolution.weights = scale.data();
  return add_convolution(lowering, convolution, node.output(0));
}

}  // namespace halftone::runtime
