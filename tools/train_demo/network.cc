#include "network.h"

#include <utility>

#include "halftone/data/preprocess.h"

namespace train_demo {
namespace {

using halftone::AttributeValue;
using halftone::Dim;
using halftone::DType;
using halftone::Graph;
using halftone::Node;
using halftone::Tensor;
using halftone::TensorType;
using halftone::ValueId;

using Attributes = std::vector<std::pair<std::string, AttributeValue>>;
using Ints = std::vector<int64_t>;

class Writer {
 public:
  explicit Writer(const Weights& weights) : weights_(weights) {}

  Graph write() {
    graph_.name = "glyphs";
    graph_.metadata["halftone.preprocess"] = recipe().to_json();
    const Dim batch(std::string("N"));
    ValueId x = graph_.add_value("image", {DType::Float, std::vector<Dim>{batch, 3, kInputSize, kInputSize}});
    graph_.inputs() = {x};
    relu6_low_ = graph_.add_constant("relu6.low", Tensor::scalar(0.0f));
    relu6_high_ = graph_.add_constant("relu6.high", Tensor::scalar(6.0f));
    ValueId shortcut = ValueId::None;
    for (const ConvLayer& layer : layers()) {
      if (layer.opens_residual) shortcut = x;
      x = convolution(layer, x);
      if (layer.closes_residual) x = node("Add", layer.name + "/residual", {x, shortcut});
    }
    x = node("GlobalAveragePool", "head/pool", {x});
    x = node("Flatten", "head/flatten", {x}, {{"axis", int64_t{1}}});
    x = node("Gemm", "head", {x, constant("head.weight"), constant("head.bias")}, {{"transB", int64_t{1}}}, "logits");
    graph_.value(x).type = {DType::Float, std::vector<Dim>{batch, kClasses}};
    graph_.value(x).declared = true;
    graph_.outputs() = {x};
    return std::move(graph_);
  }

 private:
  static halftone::data::Preprocess recipe() {
    halftone::data::Preprocess recipe;
    recipe.height = recipe.width = kInputSize;
    recipe.mean.assign(3, kMean);
    recipe.std.assign(3, kStd);
    return recipe;
  }

  ValueId constant(const std::string& name) { return graph_.add_constant(name, weights_.at(name)); }

  // A node with one output, which bears the node's name unless another is given.
  ValueId node(const std::string& op, const std::string& name, std::vector<ValueId> inputs, Attributes attributes = {},
               const std::string& output = "") {
    Node made;
    made.op_type = op;
    made.name = name;
    made.inputs = std::move(inputs);
    made.outputs = {graph_.add_value(output.empty() ? name : output)};
    for (auto& [key, value] : attributes) made.set_attribute(key, std::move(value));
    graph_.nodes().push_back(std::move(made));
    return graph_.nodes().back().outputs[0];
  }

  ValueId convolution(const ConvLayer& layer, ValueId x) {
    const int64_t pad = layer.kernel / 2;
    x = node("Conv", layer.name, {x, constant(layer.name + ".weight")},
             {{"kernel_shape", Ints{layer.kernel, layer.kernel}},
              {"strides", Ints{layer.stride, layer.stride}},
              {"pads", Ints{pad, pad, pad, pad}},
              {"group", layer.depthwise ? layer.in_channels : 1}});
    std::vector<ValueId> inputs = {x};
    for (const char* part : {"weight", "bias", "running_mean", "running_var"}) {
      inputs.push_back(constant(layer.name + ".norm." + part));
    }
    x = node("BatchNormalization", layer.name + "/norm", std::move(inputs), {{"epsilon", kBatchNormEpsilon}});
    if (layer.activation == Activation::Relu) return node("Relu", layer.name + "/relu", {x});
    if (layer.activation == Activation::Relu6) return node("Clip", layer.name + "/relu6", {x, relu6_low_, relu6_high_});
    return x;
  }

  const Weights& weights_;
  Graph graph_;
  ValueId relu6_low_ = ValueId::None, relu6_high_ = ValueId::None;
};

}  // namespace

const std::vector<ConvLayer>& layers() {
  using enum Activation;
  static const std::vector<ConvLayer> list = {
      {"stem", 3, 24, 3, 2, false, Relu},
      {"block1/depthwise", 24, 24, 3, 1, true, Relu},
      {"block1/pointwise", 24, 48, 1, 1, false, Relu},
      {"block2/depthwise", 48, 48, 3, 2, true, Relu},
      {"block2/pointwise", 48, 64, 1, 1, false, None},
      {"block3/expand", 64, 128, 1, 1, false, Relu6, true},
      {"block3/depthwise", 128, 128, 3, 1, true, Relu6},
      {"block3/project", 128, 64, 1, 1, false, None, false, true},
      {"block4/depthwise", 64, 64, 3, 2, true, Relu},
      {"block4/pointwise", 64, 96, 1, 1, false, Relu},
      {"block5/depthwise", 96, 96, 3, 1, true, Relu},
      {"block5/pointwise", 96, 128, 1, 1, false, Relu},
  };
  return list;
}

Graph to_graph(const Weights& weights) { return Writer(weights).write(); }

}  // namespace train_demo
