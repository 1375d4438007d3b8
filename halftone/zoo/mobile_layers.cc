#include "halftone/zoo/mobile_layers.h"

namespace halftone::zoo {

ValueId linear_conv_layer(Builder& net, ValueId x, const std::string& name, const ConvShape& shape) {
  return net.batch_norm(net.conv(x, name, shape), name + ".bn", shape.out);
}

ValueId conv_layer(Builder& net, ValueId x, const std::string& name, const ConvShape& shape) {
  return net.relu6(linear_conv_layer(net, x, name, shape), name + ".relu6");
}

ValueId depthwise_layer(Builder& net, ValueId x, const std::string& name, int64_t channels, int64_t stride) {
  return conv_layer(net, x, name, {.in = channels, .out = channels, .stride = stride, .groups = channels});
}

}  // namespace halftone::zoo
