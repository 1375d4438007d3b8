#include "benchmarks/training/hand_written.h"

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/optim/sgd.h>

namespace halftone::benchmarks {
namespace {

torch::nn::Conv2d conv(int64_t from, int64_t to, int64_t stride) {
  return torch::nn::Conv2d(torch::nn::Conv2dOptions(from, to, 3).stride(stride).padding(1).bias(false));
}

class BlockImpl : public torch::nn::Module {
 public:
  BlockImpl(int64_t from, int64_t to)
      : stride_(to / from),
        added_(to - from),
        conv1_(register_module("conv1", conv(from, to, stride_))),
        norm1_(register_module("norm1", torch::nn::BatchNorm2d(to))),
        conv2_(register_module("conv2", conv(to, to, 1))),
        norm2_(register_module("norm2", torch::nn::BatchNorm2d(to))) {}

  at::Tensor forward(const at::Tensor& x) {
    const at::Tensor y = norm2_(conv2_(at::relu(norm1_(conv1_(x)))));
    if (added_ == 0) return at::relu(y + x);
    const at::Tensor strided = x.slice(2, 0, x.size(2), stride_).slice(3, 0, x.size(3), stride_);
    return at::relu(y + at::constant_pad_nd(strided, {0, 0, 0, 0, added_ / 2, added_ / 2}));
  }

 private:
  int64_t stride_, added_;
  torch::nn::Conv2d conv1_;
  torch::nn::BatchNorm2d norm1_;
  torch::nn::Conv2d conv2_;
  torch::nn::BatchNorm2d norm2_;
};
TORCH_MODULE(Block);

class ResNet20Impl : public torch::nn::Module {
 public:
  ResNet20Impl()
      : conv_(register_module("conv", conv(3, 16, 1))),
        norm_(register_module("norm", torch::nn::BatchNorm2d(16))),
        blocks_(register_module(
            "blocks", torch::nn::Sequential(Block(16, 16), Block(16, 16), Block(16, 16), Block(16, 32), Block(32, 32),
                                            Block(32, 32), Block(32, 64), Block(64, 64), Block(64, 64)))),
        linear_(register_module("linear", torch::nn::Linear(64, 10))) {}

  at::Tensor forward(const at::Tensor& images) {
    const at::Tensor features = blocks_->forward(at::relu(norm_(conv_(images))));
    return linear_(features.mean({2, 3}));
  }

 private:
  torch::nn::Conv2d conv_;
  torch::nn::BatchNorm2d norm_;
  torch::nn::Sequential blocks_;
  torch::nn::Linear linear_;
};
TORCH_MODULE(ResNet20);

class Trained : public HandWritten {
 public:
  Trained() : optimizer_(network_->parameters(), torch::optim::SGDOptions(0.01).momentum(0.9).weight_decay(1e-4)) {}
  at::Tensor step(const at::Tensor& images, const at::Tensor& labels) override {
    optimizer_.zero_grad();
    const at::Tensor loss = at::cross_entropy_loss(network_(images), labels);
    loss.backward();
    optimizer_.step();
    return loss.detach();
  }

 private:
  ResNet20 network_;
  torch::optim::SGD optimizer_;
};

}  // namespace

std::unique_ptr<HandWritten> hand_written_resnet20() { return std::make_unique<Trained>(); }

}  // namespace halftone::benchmarks
