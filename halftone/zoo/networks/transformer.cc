#include <fmt/core.h>

#include <cmath>

#include "halftone/base/error.h"
#include "halftone/zoo/builder.h"

namespace halftone::zoo {
namespace {

const std::vector<int64_t> kHeadsFirst = {0, 2, 1, 3};  // [N, tokens, heads, part] to [N, heads, tokens, part] and back

constexpr int64_t kMostTokens = 4096;

struct BlockShape {
  int64_t width, heads, hidden;
};

ValueId transposed(Builder& net, ValueId x, const std::string& name, std::vector<int64_t> perm) {
  return net.node("Transpose", name, {x}, {{"perm", std::move(perm), ""}});
}

ValueId reshaped(Builder& net, ValueId x, const std::string& name, const std::vector<int64_t>& shape) {
  return net.node("Reshape", name, {x, net.integers(name + ".shape", shape)});
}

ValueId attention(Builder& net, ValueId x, const std::string& name, const BlockShape& shape) {
  const auto heads_of = [&](const std::string& part, const std::vector<int64_t>& perm) {
    const ValueId projected = net.linear(x, name + part, shape.width, shape.width);
    const ValueId heads =
        reshaped(net, projected, name + part + ".split", {0, 0, shape.heads, shape.width / shape.heads});
    return transposed(net, heads, name + part + ".heads", perm);
  };
  const ValueId q = heads_of(".q", kHeadsFirst);
  const ValueId k = heads_of(".k", {0, 2, 3, 1});
  const ValueId v = heads_of(".v", kHeadsFirst);
  const ValueId products = net.node("MatMul", name + ".products", {q, k});
  const float factor = 1 / std::sqrt(static_cast<float>(shape.width / shape.heads));
  const ValueId scores = net.node("Mul", name + ".scores", {products, net.number(name + ".factor", factor)});
  const ValueId shares = net.node("Softmax", name + ".shares", {scores}, {{"axis", int64_t{-1}, ""}});
  const ValueId mixed = net.node("MatMul", name + ".mixed", {shares, v});
  const ValueId tokens = transposed(net, mixed, name + ".tokens", kHeadsFirst);
  return net.linear(reshaped(net, tokens, name + ".joined", {0, 0, shape.width}), name + ".out", shape.width,
                    shape.width);
}

ValueId encoder_block(Builder& net, ValueId x, const std::string& name, const BlockShape& shape) {
  const ValueId seen = attention(net, net.layer_norm(x, name + ".norm1", shape.width), name + ".attention", shape);
  x = net.add(x, seen, name + ".add1");
  const ValueId y =
      net.linear(net.layer_norm(x, name + ".norm2", shape.width), name + ".up", shape.width, shape.hidden);
  return net.add(x, net.linear(net.node("Gelu", name + ".gelu", {y}), name + ".down", shape.hidden, shape.width),
                 name + ".add2");
}

}  // namespace

Graph network_transformer(StepWords& words) {
  constexpr int64_t kOpsetOfGelu = 20;
  Builder net(words, 32, 10, kOpsetOfGelu);
  const int64_t depth = words.count("depth", 6, 1, 64);
  const int64_t width = words.count("width", 128, 1, 4096);
  const int64_t heads = words.count("heads", 4, 1, 4096);
  const int64_t hidden = words.count("hidden", 4, 1, 16);
  const int64_t patch = words.count("patch", 4, 1, 2048);
  words.finish();
  const auto check_multiple = [](std::string_view word, int64_t of, std::string_view divisor, int64_t by) {
    if (of % by == 0) return;
    fail(ErrorCode::InvalidArgument, "network 'transformer'", "'{}' must be a multiple of '{}', found {} and {}", word,
         divisor, of, by);
  };
  check_multiple("width", width, "heads", heads);
  check_multiple("size", net.size(), "patch", patch);
  const int64_t tokens = net.size() / patch * (net.size() / patch);
  if (tokens > kMostTokens) {
    fail(ErrorCode::InvalidArgument, "network 'transformer'",
         "at most {} patches are possible, whose products are stored, found {}; take a larger 'patch'", kMostTokens,
         tokens);
  }

  const ValueId weights = net.parameter("patches.weight", {width, 3, patch, patch});
  const ValueId bias = net.parameter("patches.bias", {width});
  const std::vector<int64_t> window = {patch, patch};
  ValueId x = net.node("Conv", "patches", {net.image(), weights, bias},
                       {{"kernel_shape", window, ""}, {"strides", window, ""}});
  x = transposed(net, reshaped(net, x, "patches.flat", {0, width, tokens}), "tokens", {0, 2, 1});
  x = net.add(x, net.parameter("positions.weight", {1, tokens, width}), "positions");
  for (int64_t block = 0; block < depth; ++block) {
    x = encoder_block(net, x, fmt::format("blocks.{}", block), {width, heads, width * hidden});
  }
  x = net.layer_norm(x, "norm", width);
  const ValueId mean =
      net.node("ReduceMean", "mean", {x, net.integers("mean.axes", {1})}, {{"keepdims", int64_t{0}, ""}});
  return net.classify(mean, "head", width);
}

}  // namespace halftone::zoo
