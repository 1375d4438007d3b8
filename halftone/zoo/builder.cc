#include "halftone/zoo/builder.h"

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/graph/op_table.h"

namespace halftone::zoo {
namespace {

// The version of the file format that came with opset 20, and one that every runtime of today reads.
constexpr int64_t kNewFormat = 9, kOldFormat = 8;
constexpr float kBatchNormEpsilon = 1e-5F, kLayerNormEpsilon = 1e-6F;

Attribute attribute(std::string name, AttributeValue value) { return {std::move(name), std::move(value), ""}; }

void check_any_left(int64_t channels, double width) {
  if (std::llround(static_cast<double>(channels) * width) >= 1) return;
  fail(ErrorCode::InvalidArgument, "width", "{} leaves none of {} channels; at least {:.3f} is required", width,
       channels, 0.5 / static_cast<double>(channels));
}

}  // namespace

Builder::Builder(StepWords& words, int64_t usual_size, int64_t usual_classes, int64_t opset)
    : size_(words.count("size", usual_size, 4, 2048)), classes_(words.count("classes", usual_classes, 1, 100'000)) {
  graph_.opset_imports = {{"", opset}};
  graph_.ir_version = opset >= 20 ? kNewFormat : kOldFormat;
  image_ = graph_.add_value("image", {DType::Float, std::vector<Dim>{Dim("N"), 3, size_, size_}});
  graph_.value(image_).declared = true;
  graph_.inputs().push_back(image_);
}

ValueId Builder::node(std::string_view op, const std::string& name, std::vector<ValueId> inputs,
                      std::vector<Attribute> attributes) {
  Node node;
  node.name = name;
  node.op_type = op;
  node.inputs = std::move(inputs);
  node.outputs = {graph_.add_value(name)};
  node.attributes = std::move(attributes);
  graph_.nodes().push_back(std::move(node));
  return graph_.nodes().back().outputs.front();
}

ValueId Builder::parameter(const std::string& name, const Shape& shape) {
  const ValueId id = graph_.add_value(name, {DType::Float, to_dims(shape)});
  graph_.value(id).declared = true;
  graph_.inputs().push_back(id);
  return id;
}

ValueId Builder::integers(const std::string& name, const std::vector<int64_t>& numbers) {
  return graph_.add_constant(name, Tensor::from({static_cast<int64_t>(numbers.size())}, numbers));
}

ValueId Builder::number(const std::string& name, float value) {
  return graph_.add_constant(name, Tensor::scalar(value));
}

ValueId Builder::conv(ValueId x, const std::string& name, const ConvShape& shape) {
  const ValueId weights = parameter(name + ".weight", {shape.out, shape.in / shape.groups, shape.kernel, shape.kernel});
  const int64_t pad = shape.kernel / 2;
  return node(
      "Conv", name, {x, weights},
      {attribute("group", shape.groups), attribute("kernel_shape", std::vector<int64_t>{shape.kernel, shape.kernel}),
       attribute("pads", std::vector<int64_t>{pad, pad, pad, pad}),
       attribute("strides", std::vector<int64_t>{shape.stride, shape.stride})});
}

ValueId Builder::batch_norm(ValueId x, const std::string& name, int64_t channels) {
  std::vector<ValueId> inputs = {x};
  for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
    inputs.push_back(parameter(name + part, {channels}));
  }
  return node("BatchNormalization", name, std::move(inputs), {attribute("epsilon", kBatchNormEpsilon)});
}

ValueId Builder::relu(ValueId x, const std::string& name) { return node("Relu", name, {x}); }

ValueId Builder::relu6(ValueId x, const std::string& name) {
  return node("Clip", name, {x, number(name + ".min", 0), number(name + ".max", 6)});
}

ValueId Builder::add(ValueId a, ValueId b, const std::string& name) { return node("Add", name, {a, b}); }

ValueId Builder::layer_norm(ValueId x, const std::string& name, int64_t width) {
  return node("LayerNormalization", name, {x, parameter(name + ".weight", {width}), parameter(name + ".bias", {width})},
              {attribute("axis", int64_t{-1}), attribute("epsilon", kLayerNormEpsilon)});
}

ValueId Builder::linear(ValueId x, const std::string& name, int64_t in, int64_t out) {
  const ValueId product = node("MatMul", name + ".product", {x, parameter(name + ".weight", {in, out})});
  return add(product, parameter(name + ".bias", {out}), name);
}

Graph Builder::classify_images(ValueId x, const std::string& name, int64_t channels) {
  const ValueId means = node("GlobalAveragePool", "pool", {x});
  return classify(node("Flatten", "flatten", {means}), name, channels);
}

Graph Builder::classify(ValueId x, const std::string& name, int64_t channels) {
  const ValueId weights = parameter(name + ".weight", {classes_, channels});
  const ValueId logits =
      node("Gemm", "logits", {x, weights, parameter(name + ".bias", {classes_})}, {attribute("transB", int64_t{1})});
  graph_.nodes().back().name = name;
  graph_.outputs().push_back(logits);
  graph_.value(logits).declared = true;
  infer_shapes(graph_);
  verify(graph_);
  return std::move(graph_);
}

int64_t scaled(int64_t channels, double width) {
  check_any_left(channels, width);
  return std::llround(static_cast<double>(channels) * width);
}

int64_t scaled_by_8(int64_t channels, double width) {
  check_any_left(channels, width);
  const double asked = static_cast<double>(channels) * width;
  const int64_t rounded = std::max<int64_t>(8, static_cast<int64_t>(asked + 4) / 8 * 8);
  return static_cast<double>(rounded) < 0.9 * asked ? rounded + 8 : rounded;
}

double read_width(StepWords& words) { return words.number("width", 1, 0, 16); }

}  // namespace halftone::zoo
