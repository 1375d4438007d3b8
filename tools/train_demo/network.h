// The demo network as data: one list of layers from which the trainer builds its modules and the writer its ONNX nodes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "halftone/graph/graph.h"

namespace train_demo {

enum class Activation { None, Relu, Relu6 };

// A convolution without bias, its batch normalization and its activation.
struct ConvLayer {
  std::string name;
  int64_t in_channels, out_channels, kernel, stride;
  bool depthwise;
  Activation activation;
  bool opens_residual = false;   // its input is added ...
  bool closes_residual = false;  // ... to this layer's output
};

constexpr int64_t kInputSize = 32;
constexpr int64_t kClasses = 10;
constexpr float kBatchNormEpsilon = 1e-5f;
// The recipe's normalization, for every channel, on the 0..255 scale.
constexpr float kMean = 127.5f, kStd = 63.75f;

// Convolutions from the image to the features that are averaged over the picture.
const std::vector<ConvLayer>& layers();

// A trained parameter: "stem.weight", "stem.norm.weight", ".bias", ".running_mean", ".running_var", "head.weight" ...
using Weights = std::map<std::string, halftone::Tensor>;

// The network in ONNX (opset 13, batch "N"): Conv, BatchNormalization, Relu or Clip, Add, GlobalAveragePool, Flatten,
// Gemm; `image` [N, 3, 32, 32] to `logits` [N, 10], with the preprocessing recipe in its metadata.
halftone::Graph to_graph(const Weights& weights);

}  // namespace train_demo
