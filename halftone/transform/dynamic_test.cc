// Products on grids found at run time: to standard operators and back. The file has to compute the model bit for bit.
#include <gtest/gtest.h>

#include <set>

#include "halftone/quant/integer_plan.h"
#include "halftone/transform/insert_qdq.h"
#include "halftone/transform/qdq_test_nets.h"

namespace halftone {
namespace {

using namespace test;

const std::vector<float> kScales = {0.01F, 0.02F, 0.003F};

QuantParams int8_weights(std::vector<float> scales, int64_t axis, int32_t zero_point = 0) {
  QuantParams params{DType::Int8, -128, 127, std::move(scales), {}, axis, 0};
  params.zero_point.assign(params.scale.size(), zero_point);
  return params;
}

// Weights on their grid.
ValueId weights(NetBuilder& net, Rng& rng, const std::string& name, const Shape& shape, const QuantParams& params) {
  const Tensor real = Tensor::from(shape, random_floats(rng, element_count(shape), -0.5, 0.5));
  net.encode(name, params);
  net.model.encodings[name].spec.narrow_range = false;
  return net.model.graph.add_constant(name, fake_quantize(real, params));
}

Shape counted(std::initializer_list<int64_t> dims) { return dims; }

// The trip to a file and back. `same_nodes`: the nodes are those of the model again.
void expect_trip(const NetBuilder& net, bool same_nodes = true) {
  const QuantizedModel& model = net.model;
  const IntegerPlan plan = plan_integers(model);
  ASSERT_TRUE(plan.refusals.empty()) << plan.refusals.begin()->second;
  const Graph file = insert_qdq(model);
  EXPECT_NO_THROW(verify(file));
  const QuantizedModel back = fold_qdq(file);
  EXPECT_NO_THROW(verify(back.graph));
  EXPECT_TRUE(back.float_reasons.empty()) << back.float_reasons.begin()->second;
  if (same_nodes) {
    EXPECT_EQ(structure(back.graph), structure(model.graph));
    EXPECT_EQ(back.encodings, model.encodings);
  }
  EXPECT_EQ(back.dynamic, model.dynamic);
  Rng rng(5);
  const TensorMap inputs = random_inputs(rng, model.graph);
  const TensorMap expected = run(model, inputs), from_file = sim::Interpreter(file).run(inputs),
                  folded = run(back, inputs);
  for (const auto& [name, tensor] : expected) {
    EXPECT_TRUE(from_file.at(name).same_as(tensor)) << name;
    EXPECT_TRUE(folded.at(name).same_as(tensor)) << name;
  }
}

class DynamicTrip : public testing::TestWithParam<std::tuple<DynamicRange, int64_t>> {
 protected:
  DynamicTrip() { net.model.graph.opset_imports[""] = std::get<1>(GetParam()); }
  DynamicRange range() const { return std::get<0>(GetParam()); }
  void dynamic(ValueId result) { net.model.dynamic[net.model.graph.value(result).name] = range(); }

  Rng rng{1};
  NetBuilder net;
};

INSTANTIATE_TEST_SUITE_P(Ranges, DynamicTrip,
                         testing::Combine(testing::Values(DynamicRange::PerTensor, DynamicRange::PerRow),
                                          testing::Values(13, 18)));

TEST_P(DynamicTrip, MatMulsThatReadOneActivation) {
  const ValueId x = net.node("Tanh", {net.input("x", {2, 4, 5})}, "t");
  const ValueId q = net.node("MatMul", {x, weights(net, rng, "wq", {5, 3}, int8_weights(kScales, 1))}, "q");
  const ValueId k = net.node("MatMul", {x, weights(net, rng, "wk", {5, 3}, int8_weights({0.01F}, -1, 9))}, "k");
  dynamic(q);
  dynamic(k);
  net.output(q);
  net.output(net.node("Add", {k, net.constant("bias", {3}, {1, 2, 3})}, "k_biased"));
  net.output(net.node("Neg", {x}, "unrounded"));
  expect_trip(net);
  const Graph file = insert_qdq(net.model);
  EXPECT_EQ(count_of(file, "DynamicQuantizeLinear"), range() == DynamicRange::PerTensor ? 1 : 0);
  EXPECT_EQ(count_of(file, "ReduceMax"), range() == DynamicRange::PerTensor ? 0 : 1);
  EXPECT_EQ(count_of(file, "MatMulInteger"), 2);
  EXPECT_EQ(count_of(file, "DequantizeLinear"), 0);
  EXPECT_EQ(file.find("wq"), ValueId::None) << "the float weights are gone";
}

TEST_P(DynamicTrip, TwoActivations) {
  const ValueId a = net.input("a", {2, 4, 5}), b = net.node("Tanh", {net.input("b", {2, 5, 3})}, "t");
  const ValueId y = net.node("MatMul", {a, b}, "y");
  dynamic(y);
  net.output(y);
  expect_trip(net);
}

TEST_P(DynamicTrip, AGemmComesBackAsItWas) {
  for (const bool transposed : {false, true}) {
    SCOPED_TRACE(transposed);
    net = {};
    net.model.graph.opset_imports[""] = std::get<1>(GetParam());
    const Shape shape = transposed ? Shape{3, 5} : Shape{5, 3};
    const ValueId w = weights(net, rng, "w", shape, int8_weights(kScales, transposed ? 0 : 1, -3));
    const ValueId y = net.node("Gemm", {net.input("x", {4, 5}), w, net.constant("b", {3}, {1, -2, 0.5F})}, "y",
                               {{"transB", int64_t{transposed}}});
    dynamic(y);
    net.output(y);
    expect_trip(net);
    // Without notes it is what the operators say.
    Graph file = insert_qdq(net.model);
    file.metadata.clear();
    const QuantizedModel back = fold_qdq(file);
    EXPECT_EQ(count_of(back.graph, "MatMul"), 1);
    EXPECT_EQ(count_of(back.graph, "Add"), 1);
    EXPECT_EQ(back.dynamic.size(), 1U);
    EXPECT_EQ(back.encodings.at("w").params.zero_point, (std::vector<int32_t>{-3, -3, -3}));
    const TensorMap inputs = random_inputs(rng, net.model.graph);
    const Tensor expected = run(net.model, inputs).at("y");
    EXPECT_TRUE(sim::Interpreter(file).run(inputs).at("y").same_as(expected));
    EXPECT_TRUE(run(back, inputs).at("y").same_as(expected));
  }
}

// Layers of every kind in random order: products with weights and biases of their own and shared ones, in every shape
// and with every attribute that a product on codes may have, those that are refused, and float ones beside them.
class RandomProducts : public NetBuilder {
 public:
  explicit RandomProducts(uint64_t seed) : rng_(seed) {
    model.graph.opset_imports[""] = seed % 2 == 0 ? 13 : 18;
    x_ = input("x", {4, 5});
    for (int i = 0; i < 8; ++i) add_layer(fmt::format("layer{}", i));
    output(x_);
  }

 private:
  bool coin() { return rng_.below(2) == 0; }
  ValueId matrix(const std::string& name, bool transposed) {
    const ValueId shared = model.graph.find(transposed ? "shared_transposed" : "shared");
    if (shared != ValueId::None && rng_.below(4) == 0) return shared;
    const bool share = shared == ValueId::None && coin();
    const std::vector<float> scales = {0.01F, 0.02F, 0.003F, 0.5F, 0.0078125F};
    const QuantParams params = coin() ? int8_weights({0.01F}, -1, static_cast<int32_t>(rng_.below(9)) - 4)
                                      : int8_weights(scales, transposed ? 0 : 1);
    return weights(*this, rng_, !share ? name + ".w" : transposed ? "shared_transposed" : "shared", {5, 5}, params);
  }
  ValueId bias(const std::string& name, const Shape& shape) {
    const ValueId shared = model.graph.find("shared_bias");
    if (shared != ValueId::None && shape == Shape{5} && coin()) return shared;
    const bool share = shared == ValueId::None && shape == Shape{5};
    return constant(share ? "shared_bias" : name + ".b", shape, random_floats(rng_, element_count(shape), -1, 1));
  }
  void gemm(const std::string& name) {
    const bool transposed = coin(), activations = rng_.below(4) == 0;
    std::vector<std::pair<std::string, AttributeValue>> attributes;
    if (transposed || coin()) attributes.emplace_back("transB", int64_t{transposed});
    if (coin()) attributes.emplace_back("alpha", 1.0F);
    if (coin()) attributes.emplace_back("transA", int64_t{0});
    if (rng_.below(6) == 0) attributes.emplace_back("alpha", 0.5F);  // refused
    std::vector<ValueId> inputs = {x_, activations ? square(name) : matrix(name, transposed)};
    const std::vector<Shape> shapes = {{5}, {1}, {}, {1, 5}, {5}};
    if (!activations && coin())
      inputs.push_back(bias(name, shapes[rng_.below(shapes.size())]));
    else if (coin())
      attributes.emplace_back("beta", coin() ? 1.0F : 0.3F);
    x_ = node("Gemm", inputs, name, attributes);
  }
  ValueId square(const std::string& name) {
    return node("Slice",
                {node("Concat", {x_, x_}, name + ".twice", {{"axis", int64_t{0}}}), integers(name + ".from", {0}),
                 integers(name + ".to", {5}), integers(name + ".axis", {0})},
                name + ".square");
  }
  void convolution(const std::string& name) {
    const ValueId image = node("Reshape", {x_, integers(name + ".image", {1, 4, 5})}, name + ".x");
    const bool depthwise = coin();
    const ValueId w =
        weights(*this, rng_, name + ".w", {4, depthwise ? 1 : 4, 3}, int8_weights({0.01F, 0.02F, 0.03F, 0.5F}, 0));
    std::vector<ValueId> inputs = {image, w};
    if (coin()) inputs.push_back(constant(name + ".b", {4}, random_floats(rng_, 4, -1, 1)));
    ValueId y =
        node("Conv", inputs, name, {{"group", int64_t{depthwise ? 4 : 1}}, {"pads", std::vector<int64_t>{1, 1}}});
    // The network's own sum, no bias.
    if (coin()) y = node("Add", {y, constant(name + ".c", {4, 1}, random_floats(rng_, 4, -1, 1))}, name + ".sum");
    x_ = node("Reshape", {y, integers(name + ".matrix", {4, 5})}, name + ".y");
  }
  void add_layer(const std::string& name) {
    const uint64_t kind = rng_.below(4);
    if (kind == 0) {
      gemm(name);
    } else if (kind == 1) {
      convolution(name);
    } else if (kind == 2) {
      x_ = node("MatMul", {x_, coin() ? matrix(name, false) : square(name)}, name);
      if (coin()) x_ = node("Add", {x_, bias(name, {5})}, name + ".sum");
    } else {
      x_ = node("Tanh", {x_}, name);
    }
    if (kind < 3 && rng_.below(5) > 0) {
      model.dynamic[name] = coin() ? DynamicRange::PerRow : DynamicRange::PerTensor;
      if (coin() && model.graph.value(x_).name == name) encode(name, uint8_grid(0.1F, 128));
    }
    if (rng_.below(4) == 0 && name != "layer7") output(x_);
  }

  Rng rng_;
  ValueId x_;
};

// Everything that a node says.
std::vector<std::string> attributes_of(const Graph& graph) {
  std::vector<std::string> lines;
  for (const Node& node : graph.nodes()) {
    for (const Attribute& attribute : node.attributes) {
      std::string text = node.name + " " + attribute.name;
      if (const auto* integer = std::get_if<int64_t>(&attribute.value)) text += fmt::format(" {}", *integer);
      if (const auto* real = std::get_if<float>(&attribute.value)) text += fmt::format(" {}f", *real);
      if (const auto* integers = std::get_if<std::vector<int64_t>>(&attribute.value))
        for (int64_t integer : *integers) text += fmt::format(" {},", integer);
      lines.push_back(text);
    }
  }
  return lines;
}

TEST(DynamicProperty, ExportAndImportLoseNothing) {
  int gemms = 0, refused = 0;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    const RandomProducts net(seed);
    QuantizedModel model = net.model;
    infer_shapes(model.graph);
    const IntegerPlan plan = plan_integers(model);
    refused += static_cast<int>(plan.refusals.size());
    gemms += count_of(model.graph, "Gemm");
    const Graph file = insert_qdq(model);
    EXPECT_NO_THROW(verify(file));
    const QuantizedModel back = fold_qdq(file);
    EXPECT_NO_THROW(verify(back.graph));
    EXPECT_EQ(structure(back.graph), structure(model.graph));
    EXPECT_EQ(attributes_of(back.graph), attributes_of(model.graph));
    EXPECT_EQ(back.encodings, model.encodings);
    EXPECT_EQ(back.dynamic, model.dynamic);
    EXPECT_EQ(back.float_reasons, model.float_reasons);
    std::set<ValueId> rounded;  // biases that are int32 in the file
    for (const std::optional<IntegerNode>& node : plan.nodes) {
      if (node && !node->bias.empty()) rounded.insert(model.graph.nodes()[static_cast<size_t>(node->node)].input(2));
    }
    for (ValueId id : model.graph.live_values()) {
      const Value& value = model.graph.value(id);
      const ValueId again = back.graph.find(value.name);
      // Missing ones differ in structure.
      if (!value.constant || again == ValueId::None || rounded.contains(id)) continue;
      ASSERT_TRUE(back.graph.value(again).constant) << value.name;
      EXPECT_TRUE(back.graph.value(again).constant->same_as(*value.constant)) << value.name;
    }
    Rng rng(seed);
    const TensorMap inputs = random_inputs(rng, model.graph), expected = run(model, inputs), found = run(back, inputs);
    for (const auto& [name, tensor] : expected) EXPECT_TRUE(tensor.same_as(found.at(name))) << name;
    if (HasFailure()) return;
  }
  EXPECT_GT(gemms, 60);
  EXPECT_GT(refused, 20);
}

TEST(InsertDynamic, Convolutions) {
  Rng rng(2);
  NetBuilder net;
  const ValueId x = net.input("x", {2, 4, 6, 5});
  const std::vector<std::pair<std::string, AttributeValue>> geometry = {{"pads", std::vector<int64_t>{1, 0, 1, 2}},
                                                                        {"group", int64_t{1}}};
  const ValueId w = weights(net, rng, "w", {3, 4, 3, 2}, int8_weights(kScales, 0));
  net.output(net.node("Conv", {x, w, net.constant("y_node_bias", {3}, {1, -2, 0.5F})}, "y", geometry));
  const ValueId v = weights(net, rng, "v", {2, 4, 1, 1}, int8_weights({0.01F}, -1, 5));
  net.output(net.node("Conv", {x, v}, "z"));
  net.model.dynamic = {{"y", DynamicRange::PerTensor}, {"z", DynamicRange::PerTensor}};
  expect_trip(net);
}

TEST(InsertDynamic, ResultsOnAGrid) {
  Rng rng(3);
  NetBuilder net;
  const ValueId w = weights(net, rng, "w", {5, 3}, int8_weights(kScales, 1));
  const ValueId y = net.node("MatMul", {net.input("x", {4, 5}, uint8_grid(0.02F, 100)), w}, "y", uint8_grid(0.1F, 128));
  net.output(net.node("Relu", {y}, "r", uint8_grid(0.1F, 0)));
  net.model.dynamic["y"] = DynamicRange::PerTensor;
  expect_trip(net);
}

TEST(InsertDynamic, WeightsOfFourBitsHaveNoOperator) {
  Rng rng(4);
  NetBuilder net;
  const ValueId w = weights(net, rng, "w", {5, 3}, {DType::Int4, -8, 7, {0.1F}, {0}, -1, 0});
  net.output(net.node("MatMul", {net.input("x", {4, 5}), w}, "y"));
  net.model.dynamic["y"] = DynamicRange::PerTensor;
  EXPECT_THROW(insert_qdq(net.model), Error);
}

// What ONNX Runtime's quantize_dynamic writes: names, order of operands, a bias that is brought into shape.
struct DynamicFile : NetBuilder {
  ValueId codes = ValueId::None, scale = ValueId::None, zero = ValueId::None;

  void quantize(ValueId x) {
    codes = node("DynamicQuantizeLinear", {x}, "x_quantized");
    scale = model.graph.add_value("x_scale");
    zero = model.graph.add_value("x_zero_point");
    model.graph.nodes().back().outputs = {codes, scale, zero};
  }
  ValueId product(const std::string& op, const Shape& shape, const QuantParams& params, const Shape& scale_shape,
                  bool swapped = false) {
    Rng rng(7);
    const Tensor real = Tensor::from(shape, random_floats(rng, element_count(shape), -0.5, 0.5));
    Graph& graph = model.graph;
    const ValueId w = graph.add_constant("w_quantized", halftone::quantize(real, params));
    const ValueId w_zero = graph.add_constant(
        "w_zero_point",
        pack_integers(params.dtype, {static_cast<int64_t>(params.zero_point.size())}, params.zero_point));
    const ValueId w_scale = graph.add_constant("w_scale", Tensor::from(scale_shape, params.scale));
    const ValueId sums = node(op, {codes, w, zero, w_zero}, "y_output_quantized");
    graph.nodes().back().name = "y_quant";
    const ValueId cast = node("Cast", {sums}, "y_cast", {{"to", int64_t{1}}});
    const auto order = [&](ValueId a, ValueId b) {
      return swapped ? std::vector<ValueId>{b, a} : std::vector<ValueId>{a, b};
    };
    return node("Mul", order(cast, node("Mul", order(scale, w_scale), "scales")), "y");
  }
  QuantizedModel folded() {
    const QuantizedModel result = fold_qdq(model.graph);
    EXPECT_NO_THROW(verify(result.graph));
    Rng rng(8);
    const TensorMap inputs = random_inputs(rng, model.graph);
    const TensorMap expected = sim::Interpreter(model.graph).run(inputs), found = run(result, inputs);
    for (const auto& [name, tensor] : expected) EXPECT_TRUE(tensor.same_as(found.at(name))) << name;
    return result;
  }
};

TEST(FoldDynamic, MatMulsOfAnotherQuantizer) {
  for (const bool swapped : {false, true}) {
    for (const bool per_column : {false, true}) {
      DynamicFile file;
      file.quantize(file.input("x", {2, 4, 5}));
      const QuantParams params = per_column ? QuantParams{DType::UInt8, 0, 255, kScales, {128, 0, 3}, 1, 0}
                                            : QuantParams{DType::UInt8, 0, 255, {0.01F}, {100}, -1, 0};
      const ValueId y =
          file.product("MatMulInteger", {5, 3}, params, per_column ? counted({3}) : counted({1}), swapped);
      file.output(file.node("Add", {y, file.constant("b", {3}, {1, 2, 3})}, "z"));
      const QuantizedModel folded = file.folded();
      EXPECT_EQ(structure(folded.graph),
                (std::vector<std::string>{"input x", "output z", "MatMul y: x w -> y", "Add z_node: y b -> z"}));
      EXPECT_EQ(folded.encodings.at("w").params, params);
      EXPECT_EQ(folded.dynamic, (DynamicProducts{{"y", DynamicRange::PerTensor}}));
    }
  }
}

TEST(FoldDynamic, OneScaleAndAZeroPointPerColumn) {
  DynamicFile file;
  file.quantize(file.input("x", {4, 5}));
  QuantParams params{DType::UInt8, 0, 255, {0.01F, 0.01F, 0.01F}, {128, 0, 3}, 1, 0};
  const ValueId y = file.product("MatMulInteger", {5, 3}, params, counted({3}));
  file.output(y);
  Value& scale = file.model.graph.value(file.model.graph.find("w_scale"));
  scale.constant = Tensor::scalar(0.01F);
  scale.type.shape = std::vector<Dim>{};
  EXPECT_EQ(file.folded().encodings.at("w").params, params);
}

TEST(FoldDynamic, ConvolutionsOfAnotherQuantizer) {
  DynamicFile file;
  file.quantize(file.input("x", {2, 2, 4, 5}));
  const ValueId y = file.product("ConvInteger", {3, 2, 2, 2}, int8_weights({0.01F}, -1), {});
  const ValueId bias =
      file.node("Reshape", {file.constant("b", {3}, {1, 2, 3}), file.integers("to", {1, -1, 1, 1})}, "b_reshaped");
  file.output(file.node("Add", {y, bias}, "z"));
  EXPECT_EQ(structure(file.folded().graph),
            (std::vector<std::string>{"input x", "output z", "Conv y: x w y_bias -> z"}));
}

TEST(FoldDynamic, WhatStaysIsReported) {
  const auto reason = [](const auto& change) {
    DynamicFile file;
    file.quantize(file.input("x", {2, 4, 5}));
    file.output(file.product("MatMulInteger", {5, 3}, int8_weights({0.01F}, -1), {}));
    change(file);
    const QuantizedModel folded = file.folded();
    return folded.float_reasons.empty() ? "" : folded.float_reasons.at("y_quant");
  };
  const auto node = [](DynamicFile& file, size_t i) -> Node& { return file.model.graph.nodes().at(i); };
  EXPECT_EQ(reason([](DynamicFile&) {}), "");
  EXPECT_EQ(reason([&](DynamicFile& file) { node(file, 1).inputs[2] = ValueId::None; }),
            "its first operand comes from no DynamicQuantizeLinear");
  EXPECT_EQ(reason([&](DynamicFile& file) { file.output(file.model.graph.find("y_cast")); }),
            "its sums are not multiplied with the scales of its operands");
  EXPECT_EQ(reason([&](DynamicFile& file) { node(file, 3).inputs[0] = file.constant("s", {}, {0.5F}); }),
            "its sums are not multiplied with the scales of its operands");
  EXPECT_EQ(reason([](DynamicFile& file) {
              const Tensor by_row = Tensor::from<float>({4, 1}, std::vector{0.1F, 0.2F, 0.3F, 0.4F});
              Value& scale = file.model.graph.value(file.model.graph.find("w_scale"));
              scale.constant = by_row;
              scale.type.shape = to_dims(by_row.shape());
            }),
            "the scales of its weights are not one per output channel");
}

}  // namespace
}  // namespace halftone
