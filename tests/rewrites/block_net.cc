#include "tests/rewrites/block_net.h"

#include <cmath>

#include "halftone/base/rng.h"
#include "tests/support/test_graph.h"

namespace halftone::test {
namespace {

class Generator {
 public:
  explicit Generator(uint64_t seed) : rng_(seed) {}

  BlockNet generate() {
    channels_ = 1 + below(5);
    const Shape shape = {1 + below(2), channels_, 5 + below(9), 5 + below(9)};
    x_ = net_.input("x", {DType::Float, to_dims(shape)});
    const int64_t first = 4 + below(12);
    x_ = convolution(x_, channels_, first, 1, 3);
    channels_ = first;
    const int64_t blocks = 3 + below(6);
    for (int64_t i = 0; i < blocks; ++i) add_block();
    const ValueId flat = net_("Flatten", {net_("GlobalAveragePool", {x_})});
    net_.graph.outputs() = {net_("Gemm",
                                 {flat, net_.constant(weights({5, channels_})), net_.constant(numbers({5}, 0.3))},
                                 {{"transB", int64_t{1}}})};
    infer_shapes(net_.graph);
    return {net_.graph, {{"x", numbers(shape, 1)}}};
  }

 private:
  int64_t below(int64_t bound) { return static_cast<int64_t>(rng_.below(static_cast<uint64_t>(bound))); }
  bool chance(double p) { return rng_.uniform() < p; }
  Tensor numbers(const Shape& shape, double scale) {
    Tensor result(DType::Float, shape);
    for (float& x : result.mutable_data<float>()) x = static_cast<float>(rng_.normal() * scale);
    return result;
  }
  // Rows of magnitudes from 1/8 to 8, some of them zero.
  Tensor weights(const Shape& shape) {
    const int64_t row = element_count(shape) / shape[0];
    Tensor result = numbers(shape, 1 / std::sqrt(static_cast<double>(row)));
    for (int64_t c = 0; c < shape[0]; ++c) {
      const float scale = chance(0.08) ? 0.0f : static_cast<float>(std::exp2(rng_.uniform(-3, 3)));
      for (int64_t i = 0; i < row; ++i) result.mutable_data<float>()[static_cast<size_t>(c * row + i)] *= scale;
    }
    return result;
  }
  Tensor positive(int64_t count) {
    Tensor result = numbers({count}, 1);
    for (float& x : result.mutable_data<float>()) x = std::abs(x) + 0.1f;
    return result;
  }

  // A convolution of `from` to `to` channels and what follows it.
  ValueId convolution(ValueId x, int64_t from, int64_t to, int64_t groups, int64_t kernel) {
    const bool norm = chance(0.5);
    std::vector<ValueId> operands = {x, net_.constant(weights({to, from / groups, kernel, kernel}))};
    if (!norm || chance(0.3)) operands.push_back(net_.constant(numbers({to}, 0.5)));
    const int64_t pad = kernel / 2;
    ValueId y = net_("Conv", operands, {{"group", groups}, {"pads", list({pad, pad, pad, pad})}});
    if (norm) {
      y = net_("BatchNormalization", {y, net_.constant(positive(to)), net_.constant(numbers({to}, 1)),
                                      net_.constant(numbers({to}, 0.5)), net_.constant(positive(to))});
    }
    return y;
  }
  ValueId activation(ValueId x, int64_t channels) {
    switch (below(6)) {
      case 0:
        return net_("LeakyRelu", {x});
      case 1:
        return net_("PRelu", {x, net_.constant(numbers({channels, 1, 1}, 0.3))});
      case 2:
      case 3:
        return net_("Clip", {x, net_.constant(Tensor::scalar(0.0f)), net_.constant(Tensor::scalar(6.0f))});
      default:
        return net_("Relu", {x});
    }
  }

  void add_block() {
    switch (below(5)) {
      case 0:
      case 1:
        return inverted_residual();
      case 2:
        return residual();
      case 3:
        return branches();
      default:
        x_ = net_(chance(0.5) ? "MaxPool" : "AveragePool", {x_},
                  {{"kernel_shape", list({3, 3})}, {"pads", list({1, 1, 1, 1})}});
    }
  }
  void inverted_residual() {
    const int64_t wide = channels_ * (1 + below(3)), narrow = chance(0.6) ? channels_ : 3 + below(9);
    ValueId y = activation(convolution(x_, channels_, wide, 1, 1), wide);
    y = activation(convolution(y, wide, wide, wide, 3), wide);
    y = convolution(y, wide, narrow, 1, 1);
    x_ = narrow == channels_ ? net_("Add", {x_, y}) : y;
    channels_ = narrow;
  }
  void residual() {
    const int64_t added = below(3), groups = channels_ % 2 == 0 && chance(0.4) ? 2 : 1;
    ValueId y = activation(convolution(x_, channels_, channels_, groups, 3), channels_);
    y = convolution(y, channels_, channels_ + 2 * added, 1, 3);
    const ValueId shortcut = added == 0 ? x_ : net_("Pad", {x_, net_.constant(ints({0, added, 0, 0, 0, added, 0, 0}))});
    channels_ += 2 * added;
    x_ = activation(net_("Add", {y, shortcut}), channels_);
  }
  void branches() {
    const int64_t a = 2 + below(5), b = 2 + below(5);
    const ValueId left = activation(convolution(x_, channels_, a, 1, 1), a);
    const ValueId right = activation(convolution(x_, channels_, b, 1, 3), b);
    x_ = net_("Concat", {left, right}, {{"axis", int64_t{1}}});
    channels_ = a + b;
  }

  Rng rng_;
  TestGraph net_;
  ValueId x_ = ValueId::None;
  int64_t channels_ = 0;
};

}  // namespace

BlockNet block_net(uint64_t seed) { return Generator(seed).generate(); }

}  // namespace halftone::test
