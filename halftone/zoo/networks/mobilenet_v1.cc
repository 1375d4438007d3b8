#include <fmt/core.h>

#include "halftone/zoo/mobile_layers.h"

namespace halftone::zoo {

Graph network_mobilenet_v1(StepWords& words) {
  Builder net(words, 224, 1000);
  const double width = read_width(words);
  words.finish();

  int64_t channels = scaled_by_8(32, width);
  ValueId x = conv_layer(net, net.image(), "features.0.conv", {.in = 3, .out = channels, .stride = 2});
  const struct {
    int64_t channels, stride;
  } blocks[] = {{64, 1},  {128, 2}, {128, 1}, {256, 2}, {256, 1},  {512, 2}, {512, 1},
                {512, 1}, {512, 1}, {512, 1}, {512, 1}, {1024, 2}, {1024, 1}};
  int index = 1;
  for (const auto& block : blocks) {
    const std::string name = fmt::format("features.{}", index++);
    const int64_t out = scaled_by_8(block.channels, width);
    x = depthwise_layer(net, x, name + ".depthwise", channels, block.stride);
    x = conv_layer(net, x, name + ".pointwise", {.in = channels, .out = out, .kernel = 1});
    channels = out;
  }
  return net.classify_images(x, "classifier", channels);
}

}  // namespace halftone::zoo
