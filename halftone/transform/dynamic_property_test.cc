// Products on grids found at run time, in random networks: a file loses nothing of them.
#include <gtest/gtest.h>

#include <set>

#include "halftone/quant/integer_plan.h"
#include "halftone/transform/dynamic_test_nets.h"
#include "halftone/transform/insert_qdq.h"

namespace halftone::dynamic_property_test {
namespace {

using namespace test;

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

}  // namespace
}  // namespace halftone::dynamic_property_test
