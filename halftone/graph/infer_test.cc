#include <gtest/gtest.h>

#include "halftone/base/rng.h"
#include "tests/support/test_graph.h"

namespace halftone::infer_test {
namespace {

using namespace test;

template <typename F>
std::string refusal(const F& f) {
  try {
    f();
  } catch (const Error& e) {
    return e.what();
  }
  return "nothing was refused";
}

TEST(OpTable, FindsOnnxOperatorsOnly) {
  Node node;
  for (const OpRow& row : all_ops()) {
    node.op_type = std::string(row.name);
    EXPECT_EQ(find_op(node), &row);
  }
  node.domain = "com.example";
  EXPECT_EQ(find_op(node), nullptr);
  node.domain = "";
  for (const char* unknown : {"", "Aaa", "Loop", "Zzz", "conv"}) {
    node.op_type = unknown;
    EXPECT_EQ(find_op(node), nullptr) << unknown;
  }
}

// What torch writes for x.view(x.size(0), -1).
TEST(InferShapes, KeepsASymbolicBatchThroughShapeArithmetic) {
  TestGraph net;
  const ValueId x = net.input("x", typed({"batch", 32, 4, 4}));
  const ValueId zero = net("Constant", {}, {{"value", Tensor::scalar<int64_t>(0)}});
  const ValueId batch = net("Unsqueeze", {net("Gather", {net("Shape", {x}), zero}), net.constant(ints({0}))});
  const ValueId target = net("Concat", {batch, net("Constant", {}, {{"value", ints({-1})}})}, {{"axis", number(0)}});
  const ValueId y = net("Reshape", {x, target});
  infer_shapes(net.graph);
  EXPECT_EQ(net.type(y), "float[batch, 512]");
}

// What torch writes for an attention's reshape to heads, with a symbolic length and integer arithmetic.
TEST(InferShapes, FollowsIntegerArithmetic) {
  TestGraph net;
  const ValueId x = net.input("x", typed({"batch", "length", 96}));
  const ValueId shape = net("Shape", {x});
  const ValueId lead = net("Slice", {shape, net.constant(ints({0})), net.constant(ints({2})), net.constant(ints({0}))});
  const ValueId width = net("Gather", {shape, net.constant(ints({-1}))});
  const ValueId head = net("Div", {width, net.constant(ints({8}))});
  const ValueId heads =
      net("Cast", {net("Floor", {net("Cast", {net.constant(ints({8}))}, {{"to", number(1)}})})}, {{"to", number(7)}});
  const ValueId y = net("Reshape", {x, net("Concat", {lead, heads, head}, {{"axis", number(0)}})});
  infer_shapes(net.graph);
  EXPECT_EQ(net.type(y), "float[batch, length, 8, 12]");
}

// What torch writes for x.expand(-1, 4): Where(Equal(shape, -1), ones, shape).
TEST(InferShapes, FollowsWhereOverShapes) {
  TestGraph net;
  const ValueId x = net.input("x", typed({"batch", 1}));
  const ValueId wanted = net.constant(ints({-1, 4}));
  const ValueId ones = net("ConstantOfShape", {net.constant(ints({2}))}, {{"value", ints({1})}});
  const ValueId minus = net("Mul", {ones, net.constant(ints({-1}))});
  const ValueId target = net("Where", {net("Equal", {wanted, minus}), ones, wanted});
  const ValueId y = net("Expand", {x, target});
  infer_shapes(net.graph);
  EXPECT_EQ(net.type(y), "float[batch, 4]");
}

// A symbol is an extent and so never -1, which Where then leaves alone.
TEST(InferShapes, KnowsThatExtentsAreNotNegative) {
  TestGraph net;
  const ValueId x = net.input("x", typed({"batch", 5}));
  const ValueId shape = net("Shape", {x});
  const ValueId is_minus = net("Equal", {shape, net.constant(ints({-1}))});
  const ValueId y =
      net("Expand", {net.constant(floats({1})), net("Where", {is_minus, net.constant(ints({7, 7})), shape})});
  infer_shapes(net.graph);
  EXPECT_EQ(net.type(y), "float[batch, 5]");
}

// An upsampling by shape: sizes computed in floats.
TEST(InferShapes, FollowsSizesThroughFloats) {
  TestGraph net;
  const ValueId x = net.input("x", typed({1, 3, 15, 20}));
  const ValueId extent = net("Slice", {net("Shape", {x}), net.constant(ints({2})), net.constant(ints({4}))});
  const ValueId scaled = net("Mul", {net("Cast", {extent}, {{"to", number(1)}}), net.constant(floats({2}))});
  const ValueId sizes =
      net("Concat", {net.constant(ints({1, 3})), net("Cast", {net("Floor", {scaled})}, {{"to", number(7)}})},
          {{"axis", number(0)}});
  const ValueId y = net("Resize", {x, ValueId::None, ValueId::None, sizes});
  infer_shapes(net.graph);
  EXPECT_EQ(net.type(y), "float[1, 3, 30, 40]");
}

TEST(InferShapes, BindsSymbolsEverywhereWithInputShapes) {
  TestGraph net;
  const ValueId a = net.input("a", typed({"N", 3}));
  const ValueId b = net.input("b", typed({"N", 3}));
  const ValueId opaque = net("Mystery", {b});
  net.graph.value(opaque).type = typed({"N", 7});
  net.graph.value(opaque).declared = true;
  const ValueId sum = net("Add", {a, b});
  infer_shapes(net.graph, {{"a", {5, 3}}});
  EXPECT_EQ(net.type(sum), "float[5, 3]");
  EXPECT_EQ(net.type(b), "float[5, 3]");
  EXPECT_EQ(net.type(opaque), "float[5, 7]") << "operators outside the table keep what the file declares";
}

TEST(InferShapes, RefusesInputShapesThatDoNotFit) {
  const auto with = [](const std::map<std::string, Shape>& shapes) {
    TestGraph net;
    net.input("pixels", typed({"N", 3}));
    net.input("other", typed({"N"}));
    return refusal([&] { infer_shapes(net.graph, shapes); });
  };
  EXPECT_CONTAINS(with({{"pixel", {1, 3}}}), "no such input; did you mean 'pixels'?");
  EXPECT_CONTAINS(with({{"pixels", {1, 4}}}), "the model requires float[N, 3], found shape [1, 4]");
  EXPECT_CONTAINS(with({{"pixels", {1}}}), "the model requires float[N, 3], found shape [1]");
  EXPECT_CONTAINS(with({{"pixels", {1, 3}}, {"other", {2}}}), "dimension 'N' can't be both 2 and 1");
  EXPECT_CONTAINS(with({{"pixels", {-1, 3}}}), "must be >= 0");
}

TEST(InferShapes, SharpensDeclaredTypesAndRefusesContradictions) {
  const auto relu = [](const TensorType& in, const TensorType& declared) {
    TestGraph net;
    const ValueId y = net("Relu", {net.input("x", in)});
    net.graph.value(y).type = declared;
    net.graph.value(y).declared = true;
    const std::string message = refusal([&] { infer_shapes(net.graph); });
    return message == "nothing was refused" ? net.type(y) : message;
  };
  EXPECT_EQ(relu(typed({"N", 3}), typed({"M", "?"})), "float[N, 3]");
  EXPECT_EQ(relu(typed({"N", "?"}), typed({4, "C"})), "float[4, C]");
  EXPECT_EQ(relu({DType::Float, {}}, typed({4})), "float[4]");
  EXPECT_EQ(relu({}, typed({4})), "float[4]");
  EXPECT_EQ(relu(typed({2, 3}), typed({2, 4})),
            "Relu 'n0': the model declares 'n0_out' as float[2, 4], but it is float[2, 3]");
  EXPECT_CONTAINS(relu(typed({2}), typed({2, 1})), "as float[2, 1], but it is float[2]");
  EXPECT_CONTAINS(relu(typed({2}), typed({2}, DType::Int8)), "as int8[2], but it is float[2]");
}

TEST(InferShapes, InfersAgainFromNewInputs) {
  TestGraph net;
  const ValueId x = net.input("x", typed({2, 3}));
  const ValueId y = net("Relu", {x});
  infer_shapes(net.graph);
  net.graph.value(x).type = typed({7, 3});
  infer_shapes(net.graph);
  EXPECT_EQ(net.type(y), "float[7, 3]");
}

TEST(InferShapes, RefusesExtentsThatOverflow) {
  TestGraph net;
  const TensorType huge{DType::Float, std::vector<Dim>{Dim(int64_t{1} << 40), Dim(1)}};
  const TensorType wide{DType::Float, std::vector<Dim>{Dim(1), Dim(int64_t{1} << 40)}};
  net("Add", {net.input("a", huge), net.input("b", wide)});
  EXPECT_CONTAINS(refusal([&] { infer_shapes(net.graph); }), "'n0_out' would have 2^63 elements or more");
}

// Attributes of the wrong kind, and numbers at the ends of their range, must never do worse than an Error.
TEST(InferShapes, SurvivesHostileAttributesOnEveryOperator) {
  const std::vector<AttributeValue> values = {int64_t{INT64_MIN},
                                              int64_t{INT64_MAX},
                                              1.5f,
                                              std::string("xyz"),
                                              std::vector<int64_t>{INT64_MIN, INT64_MAX},
                                              std::vector<float>{1e38f},
                                              std::vector<int64_t>{}};
  const std::vector<std::string> names = {
      "axis",        "axes",       "pads",  "kernel_shape", "strides",   "group",    "perm",   "split", "starts",
      "ends",        "to",         "k",     "block_size",   "blocksize", "equation", "scales", "value", "batch_dims",
      "num_outputs", "num_groups", "start", "dilations"};
  const std::vector<Operand> operands = {
      typed({2, 3, 4}), TensorType{DType::Int64, {}}, ints({INT64_MIN, INT64_MAX}), ints({}),
      typed({}),        typed({"N", 0, "?"})};
  Rng rng(3);
  const auto any = [&](const auto& from) { return from[rng.below(from.size())]; };
  for (const OpRow& row : all_ops()) {
    for (int round = 0; round < 100; ++round) {
      std::vector<Operand> inputs(static_cast<size_t>(row.max_inputs < 0 ? 3 : row.max_inputs));
      for (Operand& operand : inputs) operand = any(operands);
      Attributes attributes;
      for (int i = 0; i < 3; ++i) attributes.emplace_back(any(names), any(values));
      const auto outputs = static_cast<size_t>(row.min_outputs);
      EXPECT_FALSE(infer(std::string(row.name), inputs, attributes, round % 2 == 0 ? 7 : 21, outputs).empty());
    }
  }
}

}  // namespace
}  // namespace halftone::infer_test
