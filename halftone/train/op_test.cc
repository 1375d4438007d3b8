// Each differentiable operator against the reference interpreter: its results, and its gradients against central
// differences of what the interpreter computes in double.
#include "halftone/train/op.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "halftone/base/rng.h"
#include "halftone/sim/test_node.h"
#include "halftone/train/tensors.h"

namespace halftone::train::op_test {
namespace {

using sim::Attributes;
using sim::ints;
using sim::vector_of;

constexpr int64_t kOpset = 21;

// Real numbers that differ from each other and from 0, 1, 3 and 6, where activations have their kinks.
Tensor reals(Shape shape, uint64_t seed, double low = -2, double high = 2) {
  Rng rng(seed);
  Tensor tensor(DType::Double, std::move(shape));
  for (double& x : tensor.mutable_data<double>()) {
    do {
      x = rng.uniform(low, high);
    } while (std::abs(x - std::round(x)) < 0.01);
  }
  return tensor;
}

struct Case {
  std::string name;
  std::string op;
  std::vector<Tensor> inputs;  // gradients are checked for those of type Double
  Attributes attributes = {};
  size_t outputs = 1;
  bool batch_statistics = false;
};

Case plain(const std::string& op, double low = -2, double high = 2) { return {op, op, {reals({3, 7}, 1, low, high)}}; }

Case with(std::string variant, const std::string& op, std::vector<Tensor> inputs, Attributes attributes = {},
          size_t outputs = 1) {
  return {op + "_" + std::move(variant), op, std::move(inputs), std::move(attributes), outputs};
}

Tensor number(double x) { return Tensor::scalar(x); }
Tensor none() { return Tensor(); }

std::vector<Case> convolutions() {
  return {
      with("plain", "Conv", {reals({2, 3, 5, 6}, 1), reals({4, 3, 3, 2}, 2), reals({4}, 3)}),
      with("strided_padded", "Conv", {reals({1, 2, 7, 6}, 1), reals({3, 2, 3, 3}, 2)},
           {{"strides", ints({2, 1})}, {"pads", ints({1, 1, 1, 1})}, {"dilations", ints({1, 2})}}),
      with("lopsided", "Conv", {reals({1, 2, 5, 5}, 1), reals({2, 2, 3, 3}, 2), reals({2}, 3)},
           {{"pads", ints({0, 1, 2, 0})}}),
      with("same_upper", "Conv", {reals({1, 2, 6, 5}, 1), reals({2, 2, 3, 2}, 2)},
           {{"auto_pad", std::string("SAME_UPPER")}, {"strides", ints({2, 2})}}),
      with("same_lower", "Conv", {reals({1, 2, 6, 5}, 1), reals({2, 2, 3, 2}, 2)},
           {{"auto_pad", std::string("SAME_LOWER")}, {"strides", ints({2, 2})}}),
      with("depthwise", "Conv", {reals({2, 4, 5, 5}, 1), reals({4, 1, 3, 3}, 2), reals({4}, 3)},
           {{"group", int64_t{4}}, {"pads", ints({1, 1, 1, 1})}}),
      with("grouped", "Conv", {reals({1, 6, 4, 4}, 1), reals({4, 3, 1, 1}, 2)}, {{"group", int64_t{2}}}),
      with("one_dimension", "Conv", {reals({2, 2, 9}, 1), reals({3, 2, 3}, 2)}, {{"strides", ints({2})}}),
      with("three_dimensions", "Conv", {reals({1, 2, 3, 4, 3}, 1), reals({2, 2, 2, 2, 2}, 2)}),
      with("plain", "ConvTranspose", {reals({1, 3, 3, 4}, 1), reals({3, 2, 3, 3}, 2), reals({2}, 3)}),
      with("strided", "ConvTranspose", {reals({1, 2, 3, 3}, 1), reals({2, 2, 3, 3}, 2)},
           {{"strides", ints({2, 2})}, {"pads", ints({1, 0, 0, 1})}, {"output_padding", ints({1, 1})}}),
      with("grouped", "ConvTranspose", {reals({1, 4, 3, 3}, 1), reals({4, 1, 2, 2}, 2), reals({2}, 3)},
           {{"group", int64_t{2}}}),
  };
}

std::vector<Case> products() {
  return {
      with("plain", "Gemm", {reals({3, 4}, 1), reals({4, 5}, 2), reals({5}, 3)}),
      with("transposed", "Gemm", {reals({4, 3}, 1), reals({5, 4}, 2), reals({3, 1}, 3)},
           {{"transA", int64_t{1}}, {"transB", int64_t{1}}, {"alpha", 0.5f}, {"beta", 2.0f}}),
      with("no_bias", "Gemm", {reals({3, 4}, 1), reals({4, 2}, 2)}, {{"alpha", 3.0f}}),
      with("batched", "MatMul", {reals({2, 3, 4}, 1), reals({4, 5}, 2)}),
      with("broadcast", "MatMul", {reals({2, 1, 3, 4}, 1), reals({3, 4, 2}, 2)}),
      with("vectors", "MatMul", {reals({4}, 1), reals({4}, 2)}),
      with("products", "Einsum", {reals({2, 3, 4}, 1), reals({2, 4, 5}, 2)},
           {{"equation", std::string("bij,bjk->bik")}}),
  };
}

std::vector<Case> normalizations() {
  const std::vector<Tensor> batch = {reals({4, 3, 2, 2}, 1), reals({3}, 2), reals({3}, 3), reals({3}, 4),
                                     reals({3}, 5, 0.5, 2)};
  Case updated = with("by_batch", "BatchNormalization", batch, {{"training_mode", int64_t{1}}});
  updated.batch_statistics = true;
  return {
      with("running", "BatchNormalization", batch),
      updated,
      with("last", "LayerNormalization", {reals({2, 3, 5}, 1), reals({5}, 2), reals({5}, 3)}),
      with("two_axes", "LayerNormalization", {reals({2, 3, 5}, 1), reals({3, 5}, 2)}, {{"axis", int64_t{1}}}),
      with("planes", "InstanceNormalization", {reals({2, 3, 4, 2}, 1), reals({3}, 2), reals({3}, 3)}),
      with("groups", "GroupNormalization", {reals({2, 4, 3, 2}, 1), reals({4}, 2), reals({4}, 3)},
           {{"num_groups", int64_t{2}}}),
  };
}

std::vector<Case> activations() {
  return {
      plain("Relu"),
      plain("LeakyRelu"),
      with("per_channel", "PRelu", {reals({2, 3, 4}, 1), reals({3, 1}, 2)}),
      with("six", "Clip", {reals({3, 7}, 1, -3, 9), number(0), number(6)}),
      with("above", "Clip", {reals({3, 7}, 1), none(), number(1)}),
      plain("Elu"),
      plain("Selu"),
      with("sharp", "Celu", {reals({3, 7}, 1)}, {{"alpha", 0.5f}}),
      plain("Gelu"),
      with("tanh", "Gelu", {reals({3, 7}, 1)}, {{"approximate", std::string("tanh")}}),
      plain("Mish"),
      plain("Swish"),
      plain("HardSwish", -5, 5),
      with("steep", "HardSigmoid", {reals({3, 7}, 1, -4, 4)}, {{"alpha", 0.3f}, {"beta", 0.4f}}),
      plain("Sigmoid"),
      plain("Tanh"),
      plain("Softplus", -30, 40),
      plain("Softsign"),
      with("last", "Softmax", {reals({2, 3, 4}, 1)}),
      with("first", "Softmax", {reals({2, 3, 4}, 1)}, {{"axis", int64_t{0}}}),
      with("middle", "LogSoftmax", {reals({2, 3, 4}, 1)}, {{"axis", int64_t{1}}}),
  };
}

std::vector<Case> elementwise() {
  const Tensor a = reals({2, 3, 4}, 1), row = reals({4}, 2), plane = reals({3, 1}, 3, 0.5, 2);
  return {
      with("broadcast", "Add", {a, row}),
      with("broadcast", "Sub", {row, a}),
      with("broadcast", "Mul", {a, plane}),
      with("broadcast", "Div", {a, plane}),
      with("integers", "Div", {vector_of({7, -7, 9}), vector_of({2, 2, -4})}),
      with("numbers", "Pow", {reals({3, 4}, 1, 0.2, 3), reals({4}, 2)}),
      with("three", "Min", {a, row, plane}),
      with("three", "Max", {a, row, plane}),
      with("three", "Sum", {a, row, plane}),
      with("two", "Mean", {a, row}),
      with("mask", "Where", {Tensor::from<int64_t>({4}, std::vector<int64_t>{1, 0, 0, 1}), a, row}),
      plain("Abs"),
      plain("Neg"),
      plain("Sqrt", 0.2, 4),
      plain("Reciprocal"),
      plain("Exp"),
      plain("Log", 0.2, 4),
      plain("Erf"),
      plain("Sin"),
      plain("Cos"),
  };
}

std::vector<Case> pools() {
  const Tensor x = reals({2, 3, 7, 6}, 1);
  const std::pair<std::string, AttributeValue> kernel{"kernel_shape", ints({3, 2})};
  return {
      with("plain", "MaxPool", {x}, {kernel, {"strides", ints({2, 2})}}),
      with("padded", "MaxPool", {x}, {kernel, {"pads", ints({1, 0, 1, 1})}, {"dilations", ints({2, 1})}}),
      with("ceil", "MaxPool", {x}, {kernel, {"strides", ints({3, 4})}, {"ceil_mode", int64_t{1}}}),
      with("one_dimension", "MaxPool", {reals({2, 2, 9}, 1)}, {{"kernel_shape", ints({3})}, {"strides", ints({2})}}),
      with("plain", "AveragePool", {x}, {kernel, {"strides", ints({2, 1})}}),
      with("padded", "AveragePool", {x}, {kernel, {"pads", ints({1, 1, 1, 1})}}),
      with("lopsided", "AveragePool", {x}, {kernel, {"pads", ints({0, 1, 2, 0})}}),
      with("lopsided_counted", "AveragePool", {x},
           {kernel, {"pads", ints({0, 1, 2, 0})}, {"count_include_pad", int64_t{1}}}),
      with("ceil", "AveragePool", {x}, {kernel, {"strides", ints({3, 4})}, {"ceil_mode", int64_t{1}}}),
      with("ceil_counted", "AveragePool", {x},
           {kernel,
            {"strides", ints({3, 4})},
            {"ceil_mode", int64_t{1}},
            {"pads", ints({1, 1, 1, 1})},
            {"count_include_pad", int64_t{1}}}),
      with("one_dimension", "AveragePool", {reals({2, 2, 9}, 1)},
           {{"kernel_shape", ints({3})}, {"pads", ints({1, 1})}}),
      with("planes", "GlobalAveragePool", {x}),
      with("planes", "GlobalMaxPool", {x}),
  };
}

std::vector<Case> reductions() {
  const Tensor x = reals({2, 3, 4}, 1);
  return {
      with("all", "ReduceSum", {x}),
      with("dropped", "ReduceSum", {x, vector_of({-1})}, {{"keepdims", int64_t{0}}}),
      with("nothing", "ReduceSum", {x, none()}, {{"noop_with_empty_axes", int64_t{1}}}),
      with("two", "ReduceMean", {x, vector_of({0, 2})}),
      with("one", "ReduceMax", {x, vector_of({1})}),
      with("one", "ReduceMin", {x, vector_of({2})}),
      with("one", "ReduceL2", {x, vector_of({1})}),
      with("all", "ReduceSumSquare", {x}, {{"keepdims", int64_t{0}}}),
  };
}

std::vector<Case> movers() {
  const Tensor x = reals({2, 3, 4}, 1);
  return {
      plain("Identity"),
      plain("Dropout"),
      with("inferred", "Reshape", {x, vector_of({0, -1})}),
      with("default", "Flatten", {x}),
      with("one", "Squeeze", {reals({2, 1, 3}, 1), vector_of({1})}),
      with("two", "Unsqueeze", {x, vector_of({0, -1})}),
      with("reversed", "Transpose", {x}),
      with("permuted", "Transpose", {x}, {{"perm", ints({1, 2, 0})}}),
      with("last", "Concat", {x, reals({2, 3, 2}, 2)}, {{"axis", int64_t{-1}}}),
      with("uneven", "Split", {reals({5, 2}, 1), vector_of({1, 4})}, {}, 2),
      with("by_outputs", "Split", {reals({2, 5}, 1)}, {{"axis", int64_t{1}}, {"num_outputs", int64_t{2}}}, 2),
      with("steps", "Slice", {x, vector_of({0, 1}), vector_of({3, 9}), vector_of({1, 2}), vector_of({2, 2})}),
      with("from_the_end", "Slice", {x, vector_of({-3}), vector_of({-1}), vector_of({-1})}),
      with("backwards", "Slice", {x, vector_of({-1}), vector_of({-9}), vector_of({2}), vector_of({-2})}),
      with("constant", "Pad", {x, vector_of({0, 1, 2, 1, 0, 3}), number(1.5)}),
      with("cut", "Pad", {x, vector_of({0, 0, -1, 0, 0, 1})}),
      with("some_axes", "Pad", {x, vector_of({1, 2}), none(), vector_of({-1})}),
      with("reflect", "Pad", {x, vector_of({0, 1, 2, 0, 1, 3})}, {{"mode", std::string("reflect")}}),
      with("edge", "Pad", {x, vector_of({0, 1, 2, 0, 1, 3})}, {{"mode", std::string("edge")}}),
      with("leading", "Expand", {reals({3, 1}, 1), vector_of({2, 1, 4})}),
      with("twice", "Tile", {x, vector_of({1, 2, 2})}),
      with("rows", "Gather", {x, Tensor::from<int64_t>({2, 2}, std::vector<int64_t>{0, -1, 2, 2})},
           {{"axis", int64_t{1}}}),
      with("scalar", "Gather", {x, Tensor::scalar<int64_t>(1)}, {{"axis", int64_t{-1}}}),
      with("columns", "GatherElements",
           {reals({2, 3}, 1), Tensor::from<int64_t>({2, 2}, std::vector<int64_t>{0, 2, 1, 1})}, {{"axis", int64_t{1}}}),
      with("pairs", "GatherND", {x, Tensor::from<int64_t>({2, 2}, std::vector<int64_t>{0, 1, 1, 2})}),
      with("blocks", "DepthToSpace", {reals({1, 8, 2, 3}, 1)}, {{"blocksize", int64_t{2}}}),
      with("columns_first", "DepthToSpace", {reals({1, 8, 2, 3}, 1)},
           {{"blocksize", int64_t{2}}, {"mode", std::string("CRD")}}),
      with("blocks", "SpaceToDepth", {reals({1, 2, 4, 6}, 1)}, {{"blocksize", int64_t{2}}}),
      with("nearest", "Resize", {reals({1, 2, 3, 4}, 1), none(), sim::floats({1, 1, 2, 1.5f})}),
      with("linear", "Resize", {reals({1, 2, 3, 4}, 1), none(), sim::floats({1, 1, 2, 2})},
           {{"mode", std::string("linear")}}),
      with("aligned", "Resize", {reals({1, 2, 3, 4}, 1), none(), none(), vector_of({1, 2, 5, 3})},
           {{"mode", std::string("linear")}, {"coordinate_transformation_mode", std::string("align_corners")}}),
  };
}

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (const auto& list :
       {convolutions(), products(), normalizations(), activations(), elementwise(), pools(), reductions(), movers()}) {
    all.insert(all.end(), list.begin(), list.end());
  }
  return all;
}

// The node of a case, in a graph of its own.
struct OneNode {
  Graph graph;
  Node node;

  explicit OneNode(const Case& test) {
    graph.opset_imports[""] = test.op == "Swish" ? 24 : kOpset;
    node.op_type = test.op;
    node.name = test.name;
    for (size_t i = 0; i < test.inputs.size(); ++i) {
      node.inputs.push_back(test.inputs[i].defined() ? graph.add_value(fmt::format("x{}", i)) : ValueId::None);
    }
    for (size_t i = 0; i < test.outputs; ++i) node.outputs.push_back(graph.add_value(fmt::format("y{}", i)));
    for (const auto& [name, value] : test.attributes) node.set_attribute(name, value);
  }
};

std::vector<at::Tensor> on_torch(const Case& test, const std::vector<at::Tensor>& inputs) {
  const OneNode one(test);
  const OpFunction function = find_op(one.node);
  HT_CHECK(function != nullptr);
  return function(OpCall{one.graph, one.node, one.graph.opset(), inputs, test.batch_statistics});
}

std::vector<at::Tensor> torch_inputs(const Case& test) {
  std::vector<at::Tensor> inputs;
  for (const Tensor& input : test.inputs) inputs.push_back(input.defined() ? to_torch(input) : at::Tensor());
  return inputs;
}

std::vector<Tensor> in_reference(const Case& test, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> typed = inputs;
  if (test.op == "Where") typed[0] = convert(typed[0], DType::Bool);
  return sim::run_node(test.op, test.op == "Swish" ? 24 : kOpset, typed, test.attributes,
                       test.batch_statistics ? 3 : test.outputs);
}

// A fixed weighted sum of everything that the node computes.
double weighted_sum(const Case& test, const std::vector<Tensor>& inputs) {
  const std::vector<Tensor> results = in_reference(test, inputs);
  double sum = 0;
  for (size_t k = 0; k < test.outputs; ++k) {
    const std::vector<double> y = to_vector<double>(results[k]);
    const Tensor weights = reals({static_cast<int64_t>(y.size())}, 100 + k);
    for (size_t i = 0; i < y.size(); ++i) sum += y[i] * weights.data<double>()[i];
  }
  return sum;
}

class TrainOps : public testing::TestWithParam<Case> {};

TEST_P(TrainOps, ComputesWhatTheReferenceDoes) {
  const Case& test = GetParam();
  const std::vector<at::Tensor> found = on_torch(test, torch_inputs(test));
  const std::vector<Tensor> expected = in_reference(test, test.inputs);
  ASSERT_EQ(found.size(), test.outputs);
  for (size_t k = 0; k < test.outputs; ++k) {
    EXPECT_EQ(Shape(found[k].sizes().vec()), expected[k].shape());
    const std::vector<double> y = to_vector<double>(from_torch(found[k])), e = to_vector<double>(expected[k]);
    ASSERT_EQ(y.size(), e.size());
    for (size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], e[i], 1e-6 * std::max(1.0, std::abs(e[i]))) << i;
  }
}

TEST_P(TrainOps, GradientsAreThoseOfCentralDifferences) {
  const Case& test = GetParam();
  std::vector<at::Tensor> inputs = torch_inputs(test);
  std::vector<size_t> checked;
  for (size_t i = 0; i < inputs.size(); ++i) {
    // Bounds of a clip and running statistics are constants in training.
    const bool constant =
        (i > 0 && (test.op == "Clip" || test.op == "Pad")) || (test.op == "BatchNormalization" && i > 2);
    if (!inputs[i].defined() || inputs[i].scalar_type() != at::kDouble || constant) continue;
    inputs[i].set_requires_grad(true);
    checked.push_back(i);
  }
  if (checked.empty()) return;  // integers have none
  const std::vector<at::Tensor> outputs = on_torch(test, inputs);
  at::Tensor sum = at::zeros({}, at::kDouble);
  for (size_t k = 0; k < outputs.size(); ++k) {
    const at::Tensor weights = to_torch(reals({outputs[k].numel()}, 100 + k)).reshape(outputs[k].sizes());
    sum = sum + (outputs[k] * weights).sum();
  }
  sum.backward();

  constexpr double kStep = 1e-5;
  for (size_t i : checked) {
    const std::vector<double> gradient = to_vector<double>(from_torch(inputs[i].grad()));
    std::vector<Tensor> moved = test.inputs;
    for (size_t e = 0; e < gradient.size(); ++e) {
      const double at = test.inputs[i].data<double>()[e];
      moved[i].mutable_data<double>()[e] = at + kStep;
      const double above = weighted_sum(test, moved);
      moved[i].mutable_data<double>()[e] = at - kStep;
      const double below = weighted_sum(test, moved);
      moved[i].mutable_data<double>()[e] = at;
      const double expected = (above - below) / (2 * kStep);
      EXPECT_NEAR(gradient[e], expected, 1e-5 * std::max(1.0, std::abs(expected))) << "input " << i << " element " << e;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, TrainOps, testing::ValuesIn(all_cases()),
                         [](const auto& test) { return test.param.name; });

TEST(TrainOpTable, EveryOperatorHasACase) {
  std::set<std::string> covered;
  for (const Case& test : all_cases()) covered.insert(test.op);
  for (const char* name : {
#define HT_TRAIN_OP(name, function) #name,
#include "halftone/train/ops.def"
#undef HT_TRAIN_OP
       }) {
    EXPECT_TRUE(covered.count(name)) << name;
  }
}

TEST(TrainBatchNormalization, MovesTheRunningStatistics) {
  const Case test = normalizations()[1];
  const std::vector<at::Tensor> inputs = torch_inputs(test);
  on_torch(test, inputs);
  const std::vector<Tensor> expected = in_reference(test, test.inputs);
  // ONNX moves the running variance by the batch's variance over n, libtorch by that over n - 1: 16 elements a channel.
  for (size_t c = 0; c < 3; ++c) {
    EXPECT_NEAR(inputs[3].data_ptr<double>()[c], to_vector<double>(expected[1])[c], 1e-9);
    const double before = test.inputs[4].data<double>()[c] * static_cast<double>(0.9f);
    const double moved = to_vector<double>(expected[2])[c] - before;
    EXPECT_NEAR(inputs[4].data_ptr<double>()[c] - before, moved * 16 / 15, 1e-9);
  }
}

TEST(TrainOps, RefusesByName) {
  const Case test = with("three", "AveragePool", {reals({1, 1, 3, 3, 3}, 1)}, {{"kernel_shape", ints({2, 2, 2})}});
  try {
    on_torch(test, torch_inputs(test));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unsupported);
    EXPECT_NE(std::string(error.what()).find("AveragePool 'AveragePool_three'"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace halftone::train::op_test
