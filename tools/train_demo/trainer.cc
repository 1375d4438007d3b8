#include "trainer.h"

#include <torch/torch.h>

#include <chrono>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "halftone/data/glyphs.h"

namespace train_demo {
namespace {

constexpr int64_t kBatch = 128;
constexpr double kPeakLearningRate = 4e-3, kWeightDecay = 0.02;
constexpr int64_t kWarmupSteps = 200, kLogEvery = 250;

struct NetworkImpl : torch::nn::Module {
  NetworkImpl() {
    for (const ConvLayer& layer : layers()) {
      convolutions.push_back(register_module(
          layer.name, torch::nn::Conv2d(torch::nn::Conv2dOptions(layer.in_channels, layer.out_channels, layer.kernel)
                                            .stride(layer.stride)
                                            .padding(layer.kernel / 2)
                                            .groups(layer.depthwise ? layer.in_channels : 1)
                                            .bias(false))));
      norms.push_back(register_module(
          layer.name + "_norm",
          torch::nn::BatchNorm2d(torch::nn::BatchNorm2dOptions(layer.out_channels).eps(kBatchNormEpsilon))));
    }
    head = register_module("head", torch::nn::Linear(layers().back().out_channels, kClasses));
  }

  torch::Tensor forward(torch::Tensor x) {
    torch::Tensor shortcut;
    for (size_t i = 0; i < layers().size(); ++i) {
      const ConvLayer& layer = layers()[i];
      if (layer.opens_residual) shortcut = x;
      x = norms[i](convolutions[i](x));
      if (layer.activation == Activation::Relu) x = torch::relu(x);
      if (layer.activation == Activation::Relu6) x = torch::clamp(x, 0, 6);
      if (layer.closes_residual) x = x + shortcut;
    }
    return head(x.mean({2, 3}));
  }

  std::vector<torch::nn::Conv2d> convolutions;
  std::vector<torch::nn::BatchNorm2d> norms;
  torch::nn::Linear head = nullptr;
};
TORCH_MODULE(Network);

struct Pictures {
  torch::Tensor images;  // [n, 3, 32, 32], normalized
  torch::Tensor labels;  // [n]
};

Pictures draw(uint64_t seed, int64_t first, int64_t count) {
  Pictures pictures{torch::empty({count, 3, kInputSize, kInputSize}), torch::empty({count}, torch::kInt64)};
  float* to = pictures.images.data_ptr<float>();
  constexpr int64_t kPixels = kInputSize * kInputSize;
  for (int64_t i = 0; i < count; ++i, to += 3 * kPixels) {
    const halftone::data::Glyph glyph = halftone::data::draw_glyph(seed, static_cast<uint64_t>(first + i));
    pictures.labels.data_ptr<int64_t>()[i] = glyph.label;
    for (int64_t p = 0; p < kPixels; ++p) {
      for (int64_t c = 0; c < 3; ++c) {
        const auto value = static_cast<float>(glyph.image.pixels[static_cast<size_t>(3 * p + c)]);
        to[c * kPixels + p] = (value - kMean) / kStd;
      }
    }
  }
  return pictures;
}

double accuracy(Network& network, uint64_t seed, int64_t count) {
  const torch::NoGradGuard no_grad;
  network->eval();
  int64_t right = 0;
  constexpr int64_t kChunk = 500;
  for (int64_t first = 0; first < count; first += kChunk) {
    const Pictures pictures = draw(seed, first, std::min(kChunk, count - first));
    right += network(pictures.images).argmax(1).eq(pictures.labels).sum().item<int64_t>();
  }
  network->train();
  return static_cast<double>(right) / static_cast<double>(count);
}

// A short linear rise, then half a cosine down to zero.
double learning_rate(int64_t step, int64_t steps) {
  if (step < kWarmupSteps) return kPeakLearningRate * static_cast<double>(step + 1) / kWarmupSteps;
  const double done = static_cast<double>(step - kWarmupSteps) / static_cast<double>(steps - kWarmupSteps);
  return kPeakLearningRate * 0.5 * (1 + std::cos(M_PI * done));
}

halftone::Tensor to_halftone(const torch::Tensor& tensor) {
  const torch::Tensor dense = tensor.detach().contiguous();
  halftone::Tensor result(halftone::DType::Float, dense.sizes().vec());
  std::memcpy(result.mutable_bytes().data(), dense.data_ptr<float>(), result.bytes().size());
  return result;
}

Weights weights_of(const Network& network) {
  Weights weights;
  for (size_t i = 0; i < layers().size(); ++i) {
    const std::string& name = layers()[i].name;
    const torch::nn::BatchNorm2d& norm = network->norms[i];
    weights[name + ".weight"] = to_halftone(network->convolutions[i]->weight);
    weights[name + ".norm.weight"] = to_halftone(norm->weight);
    weights[name + ".norm.bias"] = to_halftone(norm->bias);
    weights[name + ".norm.running_mean"] = to_halftone(norm->running_mean);
    weights[name + ".norm.running_var"] = to_halftone(norm->running_var);
  }
  weights["head.weight"] = to_halftone(network->head->weight);
  weights["head.bias"] = to_halftone(network->head->bias);
  return weights;
}

}  // namespace

TrainResult train(const TrainOptions& options, const std::function<void(const std::string&)>& log) {
  torch::manual_seed(options.seed);
  torch::set_num_threads(options.threads);
  Network network;
  torch::optim::AdamW optimizer(network->parameters(), torch::optim::AdamWOptions(0).weight_decay(kWeightDecay));
  const auto start = std::chrono::steady_clock::now();
  double loss_sum = 0;
  for (int64_t step = 0; step < options.steps; ++step) {
    const double rate = learning_rate(step, options.steps);
    static_cast<torch::optim::AdamWOptions&>(optimizer.param_groups()[0].options()).lr(rate);
    const Pictures pictures = draw(options.seed, step * kBatch, kBatch);
    optimizer.zero_grad();
    const torch::Tensor loss = torch::nn::functional::cross_entropy(network(pictures.images), pictures.labels);
    loss.backward();
    optimizer.step();
    loss_sum += loss.item<double>();
    if ((step + 1) % kLogEvery == 0) {
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      log(fmt::format("step {:5}  loss {:.4f}  rate {:.5f}  {:.0f} s", step + 1, loss_sum / kLogEvery, rate, seconds));
      loss_sum = 0;
    }
  }
  TrainResult result{weights_of(network), 0};
  result.test_accuracy = accuracy(network, options.test_seed, options.test_count);
  return result;
}

}  // namespace train_demo
