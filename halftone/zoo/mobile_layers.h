// The layers that MobileNets are made of.
#pragma once

#include <string>

#include "halftone/zoo/builder.h"

namespace halftone::zoo {

// A convolution and its batch normalization; conv_layer ends in min(max(x, 0), 6).
ValueId linear_conv_layer(Builder& net, ValueId x, const std::string& name, const ConvShape& shape);
ValueId conv_layer(Builder& net, ValueId x, const std::string& name, const ConvShape& shape);
// conv_layer with 3x3 weights per channel.
ValueId depthwise_layer(Builder& net, ValueId x, const std::string& name, int64_t channels, int64_t stride);

}  // namespace halftone::zoo
