#include <fmt/core.h>

#include <algorithm>

#include "halftone/zoo/mobile_layers.h"

namespace halftone::zoo {

Graph network_mobilenet_v2(StepWords& words) {
  Builder net(words, 224, 1000);
  const double width = read_width(words);
  words.finish();

  int64_t channels = scaled_by_8(32, width);
  ValueId x = conv_layer(net, net.image(), "features.0.conv", {.in = 3, .out = channels, .stride = 2});
  const struct {
    int64_t expansion, channels, blocks, stride;
  } stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
  int index = 1;
  for (const auto& stage : stages) {
    const int64_t out = scaled_by_8(stage.channels, width);
    for (int64_t block = 0; block < stage.blocks; ++block) {
      const std::string name = fmt::format("features.{}", index++);
      const int64_t stride = block == 0 ? stage.stride : 1;
      const int64_t hidden = channels * stage.expansion;
      ValueId y = x;
      if (stage.expansion > 1) y = conv_layer(net, y, name + ".expand", {.in = channels, .out = hidden, .kernel = 1});
      y = depthwise_layer(net, y, name + ".depthwise", hidden, stride);
      y = linear_conv_layer(net, y, name + ".project", {.in = hidden, .out = out, .kernel = 1});
      x = stride == 1 && channels == out ? net.add(y, x, name + ".add") : y;
      channels = out;
    }
  }
  // Section 5: multipliers below 1 spare the last layer.
  const int64_t last = scaled_by_8(1280, std::max(width, 1.0));
  x = conv_layer(net, x, fmt::format("features.{}.conv", index), {.in = channels, .out = last, .kernel = 1});
  return net.classify_images(x, "classifier", last);
}

}  // namespace halftone::zoo
