#include <fmt/core.h>

#include "halftone/base/error.h"
#include "halftone/zoo/builder.h"

namespace halftone::zoo {
namespace {

// Where the shape changes the shortcut is a projection, option B of the paper: option A pads with zero channels, which
// takes operators that integer engines rarely have, to save 1 % of the parameters.
ValueId residual_block(Builder& net, ValueId x, const std::string& name, int64_t in, int64_t out, int64_t stride) {
  ValueId y = net.conv(x, name + ".conv1", {.in = in, .out = out, .stride = stride});
  y = net.relu(net.batch_norm(y, name + ".bn1", out), name + ".relu1");
  y = net.conv(y, name + ".conv2", {.in = out, .out = out});
  y = net.batch_norm(y, name + ".bn2", out);
  if (in != out || stride != 1) {
    x = net.conv(x, name + ".shortcut.conv", {.in = in, .out = out, .kernel = 1, .stride = stride});
    x = net.batch_norm(x, name + ".shortcut.bn", out);
  }
  return net.relu(net.add(y, x, name + ".add"), name + ".relu2");
}

}  // namespace

Graph network_resnet(StepWords& words) {
  Builder net(words, 32, 10);
  const int64_t depth = words.count("depth", 20, 8, 1202);
  const double width = read_width(words);
  words.finish();
  if (depth % 6 != 2) {
    const int64_t below = (depth - 2) / 6 * 6 + 2;
    fail(ErrorCode::InvalidArgument, "network 'resnet'",
         "'depth' must be 6n+2, three stages of n blocks of two layers and two more, found {}; take {} or {}", depth,
         below, below + 6);
  }
  const int64_t blocks = (depth - 2) / 6;

  int64_t channels = scaled(16, width);
  ValueId x = net.conv(net.image(), "conv1", {.in = 3, .out = channels});
  x = net.relu(net.batch_norm(x, "bn1", channels), "relu1");
  for (int64_t stage = 0; stage < 3; ++stage) {
    const int64_t out = scaled(int64_t{16} << stage, width);
    for (int64_t block = 0; block < blocks; ++block) {
      const int64_t stride = stage > 0 && block == 0 ? 2 : 1;
      x = residual_block(net, x, fmt::format("layer{}.{}", stage + 1, block), channels, out, stride);
      channels = out;
    }
  }
  return net.classify_images(x, "fc", channels);
}

}  // namespace halftone::zoo
