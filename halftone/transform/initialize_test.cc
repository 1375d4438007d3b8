#include "halftone/transform/initialize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "halftone/base/error.h"
#include "halftone/base/rng.h"
#include "halftone/sim/interpreter.h"
#include "halftone/transform/gain.h"
#include "tests/support/error_of.h"
#include "tests/support/test_graph.h"

namespace halftone::transform::initialize_test {
namespace {

using test::Attributes;
using test::list;
using test::number;
using test::TestGraph;
using test::typed;

// A layer whose parameters are inputs.
struct Net : TestGraph {
  ValueId x;
  explicit Net(const TensorType& type, int64_t opset = 17) : TestGraph(opset), x(input("x", type)) {}
  ValueId missing(const std::string& name, const Shape& shape, DType dtype = DType::Float) {
    return input(name, {dtype, to_dims(shape)});
  }
  Graph done(ValueId output, const Initialization& how = {}) {
    graph.outputs() = {output};
    return initialize(graph, how);
  }
};

TensorType batch_of(std::vector<Dim> dims) {
  dims.insert(dims.begin(), Dim("N"));
  return {DType::Float, dims};
}

std::vector<double> content(const Graph& graph, std::string_view name) {
  const ValueId id = graph.find(name);
  EXPECT_TRUE(graph.value(id).constant.has_value()) << name;
  EXPECT_EQ(std::count(graph.inputs().begin(), graph.inputs().end(), id), 0) << name;
  return to_vector<double>(*graph.value(id).constant);
}

double moment(const std::vector<double>& values, int power) {
  double sum = 0;
  for (double v : values) sum += std::pow(v, power);
  return sum / static_cast<double>(values.size());
}

// Five standard errors of the estimates: of the mean sigma / sqrt(n), of a normal variable's variance sqrt(2 / n) of
// it.
void expect_normal(const std::vector<double>& values, double variance) {
  const auto n = static_cast<double>(values.size());
  EXPECT_NEAR(moment(values, 1), 0, 5 * std::sqrt(variance / n));
  EXPECT_NEAR(moment(values, 2), variance, 5 * variance * std::sqrt(2 / n));
  // The fourth moment, 3 sigma^4, whose estimate has the variance 96 sigma^8 / n, tells it from uniform (1.8 sigma^4).
  EXPECT_NEAR(moment(values, 4), 3 * variance * variance, 5 * variance * variance * std::sqrt(96 / n));
}

// The variance of a uniform one's square is 4 a^4 / 45.
void expect_uniform(const std::vector<double>& values, double bound) {
  const auto n = static_cast<double>(values.size());
  EXPECT_NEAR(moment(values, 2), bound * bound / 3, 5 * bound * bound * std::sqrt(4.0 / 45 / n));
  for (double v : values) ASSERT_LE(std::abs(v), bound * (1 + 1e-6));
  EXPECT_GT(*std::max_element(values.begin(), values.end()), bound * (1 - 20 / n));
  EXPECT_LT(*std::min_element(values.begin(), values.end()), -bound * (1 - 20 / n));
}

struct Case {
  std::string op;
  Attributes attributes;
  std::vector<Dim> data;
  Shape weights;
  double fan_in, fan_out;
};

std::vector<Case> layers() {
  return {
      {"Conv", {}, {24, 9, 9}, {40, 24, 3, 5}, 24 * 15, 40 * 15},
      {"Conv", {{"group", number(4)}}, {32, 9, 9}, {64, 8, 5, 3}, 8 * 15, 16 * 15},
      {"Conv", {{"group", number(512)}}, {512, 9, 9}, {512, 1, 5, 5}, 25, 25},
      {"Conv", {{"strides", list({2, 2})}}, {24, 9, 9}, {40, 24, 3, 3}, 24 * 9, 40 * 9},
      {"ConvTranspose", {}, {24, 9, 9}, {24, 40, 3, 5}, 24 * 15, 40 * 15},
      {"ConvTranspose", {{"group", number(4)}}, {32, 9, 9}, {32, 16, 5, 3}, 8 * 15, 16 * 15},
      {"ConvTranspose", {{"strides", list({2, 3})}}, {24, 9, 9}, {24, 40, 4, 6}, 24 * 24 / 6, 40 * 24},
      {"Gemm", {}, {100}, {100, 70}, 100, 70},
      {"Gemm", {{"transB", number(1)}}, {100}, {70, 100}, 100, 70},
      {"MatMul", {}, {100}, {100, 70}, 100, 70},
      {"MatMul", {}, {6, 100}, {100, 70}, 100, 70},
      {"MatMul", {}, {6, 5000}, {5000}, 5000, 1},
  };
}

TEST(Initialize, WeightsHaveTheVarianceOfTheirFans) {
  for (const Case& c : layers()) {
    SCOPED_TRACE(c.op + " " + to_string(c.weights));
    for (bool relu : {false, true}) {
      Net net(batch_of(c.data));
      ValueId y = net(c.op, {net.x, net.missing("w", c.weights)}, c.attributes);
      if (relu) y = net("Relu", {y});
      expect_normal(content(net.done(y), "w"), (relu ? 2 : 1) / c.fan_in);
    }
    Net net(batch_of(c.data));
    const ValueId y = net(c.op, {net.x, net.missing("w", c.weights)}, c.attributes);
    expect_uniform(content(net.done(y, {.method = InitMethod::Xavier}), "w"), std::sqrt(6 / (c.fan_in + c.fan_out)));
  }
}

// What the definition is for: a result as large as the operand, here of unit size, padding and edges aside.
TEST(Initialize, ResultsAreAsLargeAsOperands) {
  for (const Case& c : layers()) {
    SCOPED_TRACE(c.op + " " + to_string(c.weights));
    Net net(batch_of(c.data));
    Graph graph = net.done(net(c.op, {net.x, net.missing("w", c.weights)}, c.attributes));
    Shape shape = {4};
    for (const Dim& dim : c.data) shape.push_back(dim.value);
    Tensor x(DType::Float, shape);
    Rng rng(3);
    for (float& v : x.mutable_data<float>()) v = static_cast<float>(rng.normal());
    const TensorMap results = sim::Interpreter(std::move(graph)).run({{"x", x}});
    const double variance = moment(to_vector<double>(results.begin()->second), 2);
    // At the edges of a transposed convolution fewer weights meet.
    EXPECT_GT(variance, c.op == "ConvTranspose" ? 0.5 : 0.8);
    EXPECT_LT(variance, c.weights.size() == 1 ? 2.5 : 1.2);
  }
}

TEST(Initialize, FirstOperandOfAProductMayBeTheWeights) {
  Net net({DType::Float, std::vector<Dim>{100, Dim("N")}});
  const ValueId turned = net("Identity", {net.x});
  expect_normal(content(net.done(net("MatMul", {net.missing("w", {70, 100}), turned})), "w"), 1.0 / 100);
}

TEST(Initialize, EverythingButWeightsIsConstant) {
  Net net(batch_of({6, 8, 8}));
  ValueId y = net("Conv", {net.x, net.missing("w", {12, 6, 3, 3}), net.missing("conv.b", {12})});
  y = net("BatchNormalization", {y, net.missing("gamma", {12}), net.missing("beta", {12}), net.missing("mean", {12}),
                                 net.missing("var", {12})});
  y = net("PRelu", {y, net.missing("slope", {12, 1, 1})});
  y = net("InstanceNormalization", {y, net.missing("in.gamma", {12}), net.missing("in.beta", {12})});
  y = net("Mul", {y, net.missing("layer_scale", {1, 12, 1, 1})});
  y = net("Flatten", {net("GlobalAveragePool", {y})});
  y = net("Gemm", {y, net.missing("fc.w", {12, 7}), net.missing("fc.b", {7})});
  y = net("LayerNormalization", {y, net.missing("ln.gamma", {7}), net.missing("ln.beta", {7})});
  y = net("MatMul", {y, net.missing("last.w", {7, 5}, DType::Float)});
  y = net("Add", {net.missing("last.b", {5}), y});
  const Graph graph = net.done(y);
  const auto expect_all = [&](std::initializer_list<const char*> names, double value) {
    for (const char* name : names) {
      for (double v : content(graph, name)) ASSERT_EQ(v, value) << name;
    }
  };
  expect_all({"conv.b", "beta", "mean", "in.beta", "fc.b", "ln.beta", "last.b"}, 0);
  expect_all({"gamma", "var", "in.gamma", "ln.gamma", "layer_scale"}, 1);
  expect_all({"slope"}, 0.25);
  EXPECT_EQ(graph.required_inputs(), std::vector<ValueId>{graph.find("x")});
  // Of half of its operand, a PRelu of slope 1/4 hands on a sixteenth of the square.
  EXPECT_NEAR(draw_of(find_parameters(net.graph, Parameters::Missing).at(net.graph.find("w")), InitMethod::He).size,
              std::sqrt(2 / (1 + 1.0 / 16) / (6 * 9)), 1e-9);
}

TEST(Initialize, TablesAreSmall) {
  Net net({DType::Int64, std::vector<Dim>{Dim("N"), 50}});
  ValueId y = net("Gather", {net.missing("words", {300, 64}), net.x});
  y = net("Add", {y, net.missing("positions", {1, 50, 64})});
  const Graph graph = net.done(y);
  expect_normal(content(graph, "words"), 0.0004);
  expect_normal(content(graph, "positions"), 0.0004);
}

TEST(Initialize, WeightsOnTheirWayAreFound) {
  Net net(batch_of({6, 100}));
  const ValueId turned = net("Transpose", {net("Identity", {net.missing("w", {70, 100})})}, {{"perm", list({1, 0})}});
  const Graph graph = net.done(net("Relu", {net("Add", {net("MatMul", {net.x, turned}), net.missing("b", {70})})}));
  expect_normal(content(graph, "w"), 2.0 / 100);
}

TEST(Initialize, OtherRealTypes) {
  for (DType dtype : {DType::Double, DType::Float16, DType::BFloat16}) {
    Net net({dtype, std::vector<Dim>{Dim("N"), 100}});
    const Graph graph = net.done(net("MatMul", {net.x, net.missing("w", {100, 70}, dtype)}));
    EXPECT_EQ(graph.value(graph.find("w")).constant->dtype(), dtype);
    expect_normal(content(graph, "w"), 1.0 / 100);
  }
}

Graph two_layers(bool swapped, const Initialization& how) {
  Net net(batch_of({8}));
  const auto layer = [&](const std::string& name) { return net("Gemm", {net.x, net.missing(name, {8, 9})}); };
  const ValueId first = layer(swapped ? "b" : "a"), second = layer(swapped ? "a" : "b");
  return net.done(net("Sum", {first, second}), how);
}

TEST(Initialize, DependsOnSeedAndNameAlone) {
  const auto a = content(two_layers(false, {}), "a"), b = content(two_layers(false, {}), "b");
  EXPECT_EQ(a, content(two_layers(false, {}), "a"));
  EXPECT_EQ(a, content(two_layers(true, {}), "a"));
  EXPECT_EQ(b, content(two_layers(true, {}), "b"));
  EXPECT_NE(a, b);
  EXPECT_NE(a, content(two_layers(false, {.seed = 1}), "a"));
}

TEST(Initialize, DataStaysAnInput) {
  Net net({DType::Float, std::vector<Dim>{1, 8}});
  const ValueId other = net.missing("other", {1, 8}), indices = net.missing("i", {3}, DType::Int64);
  const ValueId memory = net.missing("memory", {2, 8, 8}), both = net.missing("both", {8, 9});
  ValueId y = net("Add", {net("Relu", {net.x}), net("Relu", {other})});
  y = net("Add", {y, net.missing("scalar", {})});
  y = net("MatMul", {y, memory});
  y = net("Add", {net("MatMul", {y, both}), net("ReduceSum", {both}, {{"keepdims", number(0)}})});
  y = net("Gather", {y, indices}, {{"axis", number(1)}});
  const Graph graph = net.done(y);
  std::vector<std::string> left;
  for (ValueId id : graph.required_inputs()) left.push_back(graph.value(id).name);
  EXPECT_EQ(left, (std::vector<std::string>{"x", "other", "i", "memory", "both", "scalar"}));
}

TEST(Initialize, AllDrawsWhatHasContentAndSparesOtherConstants) {
  TestGraph net(17);
  const auto fives = [&](const std::string& name, const Shape& shape) {
    std::vector<float> values(static_cast<size_t>(element_count(shape)), 5.0F);
    return net.graph.add_constant(name, Tensor::from(shape, values));
  };
  ValueId x = net.input("x", batch_of({6, 8, 8}));
  ValueId y = net("Conv", {x, fives("w", {12, 6, 3, 3}), fives("b", {12})});
  y = net("Mul", {net("Clip", {net("Add", {y, fives("three", {})})}), fives("sixth", {12, 1, 1})});
  y = net("Add", {y, fives("anchors", {12, 6, 6})});
  y = net("Conv", {y, net("Constant", {}, {{"value", Tensor::from<float>({2, 12, 1, 1}, std::vector<float>(24, 5))}})});
  y = net("Add", {y, fives("bias", {1, 2, 1, 1})});
  y = net("MatMul", {y, fives("fc", {6, 4})});
  y = net("LayerNormalization",
          {net("Add", {net("Add", {y, fives("fc.b", {4})}), fives("positions", {6, 4})}), fives("gamma", {4})});
  net.graph.outputs() = {y};
  const Graph kept = initialize(net.graph, {});
  const Graph drawn = initialize(net.graph, {.which = Parameters::All});
  const auto first = [](const Graph& graph, const char* name) {
    return to_vector<double>(*graph.value(graph.find(name)).constant)[0];
  };
  for (const char* name : {"w", "b", "bias", "fc", "fc.b", "positions", "gamma"}) {
    EXPECT_EQ(first(kept, name), 5) << name;
    EXPECT_NE(first(drawn, name), 5) << name;
  }
  for (const char* name : {"three", "sixth", "anchors"}) EXPECT_EQ(first(drawn, name), 5) << name;
  EXPECT_EQ(drawn.nodes().size(), kept.nodes().size() - 1) << "weights of a Constant node become an initializer";
  verify(drawn);
}

TEST(Initialize, SharedWeightsAreAsSmallAsTheWidestLayerNeeds) {
  for (bool swapped : {false, true}) {
    Net net(batch_of({100}));
    const ValueId w = net.missing("w", {100, 20});
    ValueId y = net("Gemm", {net.x, w});
    if (swapped) y = net("Relu", {y});
    y = net("Gemm", {y, w}, {{"transB", number(1)}});
    const Parameter found = find_parameters((net.done(y), net.graph), Parameters::Missing).at(w);
    EXPECT_EQ(found.fan_in, 100);
  }
}

TEST(Initialize, Mistakes) {
  Net open(batch_of({6, 8, 8}));
  const ValueId w = open.input("w", {DType::Float, std::vector<Dim>{Dim("M"), 6, 3, 3}});
  const ValueId y = open("Conv", {open.x, w});
  EXPECT_CONTAINS(test::error_of([&] { open.done(y); }), "'w' is an input");

  Net huge(batch_of({1 << 15}));
  const ValueId z = huge("MatMul", {huge.x, huge.missing("w", {1 << 15, 1 << 15})});
  EXPECT_CONTAINS(test::error_of([&] { huge.done(z); }), "at most 536870912 numbers");

  EXPECT_CONTAINS(test::error_of([] { parse_init_method("xavir"); }), "did you mean 'xavier'?");
  for (const InitMethodInfo& info : all_init_methods()) EXPECT_EQ(parse_init_method(info.name), info.method);
}

double gain_behind(const std::string& op, const Attributes& attributes = {}) {
  TestGraph net(22);
  const ValueId x = net.input("x", batch_of({6, 8, 8}));
  net.graph.outputs() = {net(op, {net("Identity", {x})}, attributes)};
  return gains_behind(net.graph)[static_cast<size_t>(x)];
}

TEST(Gain, MakesUpForWhatTheFunctionTakes) {
  EXPECT_NEAR(gain_behind("Relu"), std::sqrt(2), 1e-9);
  EXPECT_NEAR(gain_behind("LeakyRelu", {{"alpha", 0.5F}}), std::sqrt(2 / 1.25), 1e-9);
  // By parts, E[z^2 Phi(z)^2] = E[Phi(z)^2] + 2 E[z Phi(z) phi(z)] = 1/3 + 1 / (2 pi sqrt 3).
  const double pi = std::acos(-1.0);
  EXPECT_NEAR(1 / std::pow(gain_behind("Gelu"), 2), 1.0 / 3 + 1 / (2 * pi * std::sqrt(3)), 1e-6);
  EXPECT_EQ(gain_behind("Softmax"), 1);
  EXPECT_NEAR(gain_behind("Clip"), 1, 1e-9) << "without bounds";
  for (const char* op : {"Sigmoid", "Tanh", "HardSwish", "Elu", "Mish", "Softplus"})
    EXPECT_GT(gain_behind(op), 1) << op;
}

TEST(Gain, LooksThroughSumsAndNormalization) {
  Net net(batch_of({6, 8, 8}));
  const ValueId w = net.missing("w", {6, 6, 1, 1});
  const ValueId y = net("Conv", {net.x, w});
  ValueId z = net("BatchNormalization",
                  {y, net.missing("g", {6}), net.missing("b", {6}), net.missing("m", {6}), net.missing("v", {6})});
  z = net("Relu", {net("Add", {z, net.x})});
  net.graph.outputs() = {z};
  const std::vector<double> gains = gains_behind(net.graph);
  EXPECT_NEAR(gains[static_cast<size_t>(y)], std::sqrt(2), 1e-9);
  EXPECT_EQ(gains[static_cast<size_t>(z)], 1);
  EXPECT_NEAR(gains[static_cast<size_t>(net.x)], std::sqrt(2), 1e-9);
}

}  // namespace
}  // namespace halftone::transform::initialize_test
