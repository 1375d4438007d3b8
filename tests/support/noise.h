// Samples of noise, to calibrate networks on.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "halftone/base/rng.h"
#include "halftone/calibrate/quantize_model.h"

namespace halftone::test {

// Normal numbers of deviation 1.
inline Tensor noise(const Shape& shape, uint64_t seed) {
  Rng rng(seed);
  Tensor x(DType::Float, shape);
  for (float& v : x.mutable_data<float>()) v = static_cast<float>(rng.normal());
  return x;
}

// noise(shape, 0), noise(shape, 1) ... for one input; `shape` is that of one sample, with its batch dimension.
class Noise final : public data::Dataset {
 public:
  Noise(std::string input, Shape shape, uint64_t count)
      : input_(std::move(input)), shape_(std::move(shape)), count_(count) {}
  std::optional<int64_t> size() const override { return static_cast<int64_t>(count_); }
  std::optional<data::Record> next() override {
    if (next_ == count_) return std::nullopt;
    const uint64_t seed = next_++;
    return data::Record{std::to_string(seed), [this, seed] {
                          data::Sample sample;
                          sample.id = std::to_string(seed);
                          sample.tensors[input_] = noise(shape_, seed);
                          return sample;
                        }};
  }
  void rewind() override { next_ = 0; }

 private:
  std::string input_;
  Shape shape_;
  uint64_t count_, next_ = 0;
};

// The network quantized on `count` samples for its input of that name.
inline QuantizedModel quantize_on_noise(const Graph& graph, const std::string& input, const Shape& shape,
                                        const Recipe& recipe, uint64_t count) {
  data::InputPort port{input, DType::Float, shape};
  port.shape[0] = -1;
  data::Loader loader(std::make_unique<Noise>(input, shape, count), std::nullopt, {port});
  QuantizeOptions options;
  options.recipe = recipe;
  return quantize_model(graph, loader, options).model;
}

}  // namespace halftone::test
