#include "tests/engine/random_graph.h"

#include <cmath>

#include "halftone/base/rng.h"
#include "tests/support/test_graph.h"

namespace halftone::test {
namespace {

class Generator {
 public:
  explicit Generator(uint64_t seed) : rng_(seed) {}

  RandomNet generate() {
    const Shape shape = {pick({1, 2, 3}), pick({1, 3, 8, 16, 20, 33}), pick({5, 7, 12, 16}), pick({4, 9, 15})};
    const ValueId x = net_.input("x", {DType::Float, to_dims(shape)});
    images_.push_back({x, shape});
    const int count = 4 + static_cast<int>(rng_.below(20));
    for (int i = 0; i < count; ++i) add_node();
    finish();
    net_.graph.remove_dead();
    return {net_.graph, {{"x", tensor(shape, 1.0)}}};
  }

 private:
  struct Image {
    ValueId id;
    Shape shape;
  };

  int64_t pick(const std::vector<int64_t>& choices) { return choices[rng_.below(choices.size())]; }
  bool chance(double p) { return rng_.uniform() < p; }
  Tensor tensor(const Shape& shape, double scale) {
    Tensor result(DType::Float, shape);
    for (float& x : result.mutable_data<float>()) x = static_cast<float>(rng_.normal() * scale);
    return result;
  }
  Tensor positive(int64_t count) {
    Tensor result = tensor({count}, 0.3);
    for (float& x : result.mutable_data<float>()) x = std::abs(x) + 0.5f;
    return result;
  }
  const Image& any() { return images_[images_.size() - 1 - rng_.below(std::min<size_t>(images_.size(), 3))]; }
  void push(ValueId id, Shape shape) { images_.push_back({id, std::move(shape)}); }

  void add_node() {
    const Image image = any();
    switch (rng_.below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return convolution(image);
      case 4:
        return push(net_(chance(0.5) ? "Relu" : "HardSwish", {image.id}), image.shape);
      case 5:
        return push(net_("Clip", {image.id, net_.constant(Tensor::scalar(-1.0f)), net_.constant(Tensor::scalar(2.0f))}),
                    image.shape);
      case 6:
        return sum(image);
      case 7:
        return concat(image);
      case 8:
        return pool(image);
      case 9:
        return push(net_(chance(0.5) ? "Identity" : "Dropout", {image.id}), image.shape);
      case 10:
        return pad(image);
      default:
        return slice(image);
    }
  }

  void convolution(const Image& image) {
    const int64_t ic = image.shape[1];
    const int64_t groups = chance(0.4) ? ic : (ic % 4 == 0 && chance(0.3) ? 4 : 1);
    const int64_t oc = groups == ic ? ic : pick({4, 12, 16, 24, 32, 48}) / 4 * 4;
    const int64_t kh = pick({1, 1, 3, 3, 2}), kw = chance(0.8) ? kh : 1, stride = pick({1, 1, 2});
    const int64_t pad = kh / 2;
    const Shape shape = {image.shape[0], oc, (image.shape[2] + 2 * pad - kh) / stride + 1,
                         (image.shape[3] + 2 * pad - kw) / stride + 1};
    if (shape[2] < 1 || shape[3] < 1) return;
    std::vector<ValueId> inputs = {
        image.id,
        net_.constant(tensor({oc, ic / groups, kh, kw}, 1 / std::sqrt(static_cast<double>(ic / groups * kh * kw))))};
    if (chance(0.5)) inputs.push_back(net_.constant(tensor({oc}, 0.2)));
    ValueId y = net_("Conv", inputs,
                     {{"group", groups}, {"strides", list({stride, stride})}, {"pads", list({pad, pad, pad, pad})}});
    if (chance(0.6)) {
      y = net_("BatchNormalization", {y, net_.constant(positive(oc)), net_.constant(tensor({oc}, 0.3)),
                                      net_.constant(tensor({oc}, 0.3)), net_.constant(positive(oc))});
    }
    if (chance(0.6)) y = net_("Relu", {y});
    push(y, shape);
  }

  void sum(const Image& image) {
    for (const Image& other : images_) {
      if (other.shape == image.shape && other.id != image.id)
        return push(net_("Add", {image.id, other.id}), image.shape);
    }
    const Shape per_channel = {image.shape[1], 1, 1};
    push(net_(chance(0.5) ? "Mul" : "Sub", {image.id, net_.constant(tensor(per_channel, 1.0))}), image.shape);
  }

  void concat(const Image& image) {
    const Image other = any();
    if (other.shape[0] != image.shape[0] || other.shape[2] != image.shape[2] || other.shape[3] != image.shape[3])
      return;
    Shape shape = image.shape;
    shape[1] += other.shape[1];
    if (shape[1] < 100) push(net_("Concat", {image.id, other.id}, {{"axis", int64_t{1}}}), shape);
  }

  void pool(const Image& image) {
    if (image.shape[2] < 3 || image.shape[3] < 3) return;
    Shape shape = image.shape;
    shape[2] = (shape[2] - 1) / 2 + 1;
    shape[3] = (shape[3] - 1) / 2 + 1;
    push(net_(chance(0.5) ? "MaxPool" : "AveragePool", {image.id},
              {{"kernel_shape", list({3, 3})}, {"strides", list({2, 2})}, {"pads", list({1, 1, 1, 1})}}),
         shape);
  }

  void pad(const Image& image) {
    const int64_t channels = pick({0, 0, 3, 8}), rows = pick({0, 1});
    Shape shape = image.shape;
    shape[1] += 2 * channels;
    shape[2] += rows;
    if (shape[1] > 100) return;
    push(net_("Pad", {image.id, net_.constant(ints({0, channels, 0, 0, 0, channels, rows, 0}))}), shape);
  }

  void slice(const Image& image) {
    const int64_t step = pick({1, 2}), first = image.shape[1] > 2 ? pick({0, 1}) : 0;
    Shape shape = image.shape;
    shape[1] -= first;
    shape[3] = (shape[3] + step - 1) / step;
    push(net_("Slice", {image.id, net_.constant(ints({first, 0})), net_.constant(ints({1000, 1000})),
                        net_.constant(ints({1, 3})), net_.constant(ints({1, step}))}),
         shape);
  }

  void finish() {
    const Image image = images_.back();
    const ValueId mean = net_("GlobalAveragePool", {image.id});
    // The batch from the shape, as exporters write it.
    const ValueId batch = net_("Gather", {net_("Shape", {mean}), net_.constant(ints({0}))});
    const ValueId flat =
        net_("Reshape", {mean, net_("Concat", {batch, net_.constant(ints({-1}))}, {{"axis", int64_t{0}}})});
    const ValueId y =
        net_("Gemm", {flat, net_.constant(tensor({7, image.shape[1]}, 0.3)), net_.constant(tensor({7}, 0.3))},
             {{"transB", int64_t{1}}});
    net_.graph.outputs() = {net_("Identity", {y}), image.id};
  }

  Rng rng_;
  TestGraph net_;
  std::vector<Image> images_;
};

}  // namespace

RandomNet random_net(uint64_t seed) { return Generator(seed).generate(); }

}  // namespace halftone::test
