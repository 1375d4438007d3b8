#include <gtest/gtest.h>

#include <algorithm>

#include "halftone/graph/op_table.h"
#include "halftone/quant/encoding_notes.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/sim/interpreter.h"
#include "halftone/tensor/packing.h"
#include "halftone/transform/fold_qdq.h"
#include "halftone/transform/insert_qdq.h"
#include "tests/support/quantized_net.h"

namespace halftone {
namespace {

using test::int8_grid;
using test::NetBuilder;
using test::per_tensor;
using test::uint8_grid;
using test::weight_grid;

// The network in names: what a reader of the file would compare.
std::vector<std::string> structure(const Graph& graph) {
  std::vector<std::string> lines;
  const auto name = [&](ValueId id) { return id == ValueId::None ? std::string("-") : graph.value(id).name; };
  for (ValueId id : graph.inputs()) lines.push_back(fmt::format("input {}", name(id)));
  for (ValueId id : graph.outputs()) lines.push_back(fmt::format("output {}", name(id)));
  for (const Node& node : graph.nodes()) {
    std::string line = node.domain + node.op_type + " " + node.name + ":";
    for (ValueId id : node.inputs) line += fmt::format(" {}", name(id));
    line += " ->";
    for (ValueId id : node.outputs) line += fmt::format(" {}", name(id));
    lines.push_back(line);
  }
  return lines;
}

int count_of(const Graph& graph, std::string_view op) {
  return static_cast<int>(
      std::count_if(graph.nodes().begin(), graph.nodes().end(), [&](const Node& node) { return node.op_type == op; }));
}

TensorMap random_inputs(Rng& rng, const Graph& graph) {
  TensorMap inputs;
  for (ValueId id : graph.inputs()) {
    const Shape shape = *graph.value(id).type.fixed_shape();
    inputs[graph.value(id).name] = Tensor::from(shape, test::random_floats(rng, element_count(shape), -3, 3));
  }
  return inputs;
}

TensorMap run(const QuantizedModel& model, const TensorMap& inputs) { return sim::Interpreter(model).run(inputs); }

// fold(insert(m)) has m's encodings, codes, biases, names and reasons, and computes the same numbers.
void expect_lossless(const QuantizedModel& model, uint64_t seed = 1) {
  const Graph file = insert_qdq(model);
  EXPECT_NO_THROW(verify(file));
  const QuantizedModel back = fold_qdq(file);
  EXPECT_EQ(structure(back.graph), structure(model.graph));
  EXPECT_EQ(back.encodings, model.encodings);
  EXPECT_EQ(back.float_reasons, model.float_reasons);
  EXPECT_EQ(back.graph.metadata, model.graph.metadata);
  for (const auto& [name, encoding] : model.encodings) {
    const ValueId before = model.graph.find(name), after = back.graph.find(name);
    if (!model.graph.value(before).constant) continue;
    ASSERT_TRUE(back.graph.value(after).constant.has_value()) << name;
    EXPECT_TRUE(quantize(*back.graph.value(after).constant, encoding.params)
                    .same_as(quantize(*model.graph.value(before).constant, encoding.params)))
        << name;
  }
  const IntegerPlan before = plan_integers(model), after = plan_integers(back);
  ASSERT_EQ(before.nodes.size(), after.nodes.size());
  for (size_t i = 0; i < before.nodes.size(); ++i) {
    ASSERT_EQ(before.nodes[i].has_value(), after.nodes[i].has_value()) << i;
    if (!before.nodes[i]) continue;
    EXPECT_EQ(before.nodes[i]->bias, after.nodes[i]->bias);
  }
  Rng rng(seed);
  const TensorMap inputs = random_inputs(rng, model.graph);
  const TensorMap expected = run(model, inputs), found = run(back, inputs);
  for (const auto& [name, tensor] : expected) EXPECT_TRUE(tensor.same_as(found.at(name))) << name;
  // A second trip changes nothing at all.
  const Graph again = insert_qdq(back);
  EXPECT_EQ(structure(again), structure(file));
}

TEST(Qdq, RandomNetworksSurvive) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SCOPED_TRACE(seed);
    Rng rng(seed);
    QuantizedModel model = test::random_network(rng);
    model.encodings.begin()->second.spec.observer = "percentile 99.9";
    model.float_reasons["somewhere"] = "because";
    model.graph.metadata["author"] = "me";
    expect_lossless(model, seed);
  }
}

TEST(Qdq, TheFileComputesTheModel) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    Rng rng(seed);
    const QuantizedModel model = test::random_network(rng);
    const Graph file = insert_qdq(model);
    EXPECT_GT(count_of(file, "QuantizeLinear"), 5);
    const TensorMap inputs = random_inputs(rng, model.graph);
    const Tensor expected = run(model, inputs).at("logits");
    const Tensor found = sim::Interpreter(file).run(inputs).at("logits");
    // A tie that falls differently moves a code by one, here and there.
    double error = 0, energy = 0;
    const std::vector<float> a = to_vector<float>(expected), b = to_vector<float>(found);
    for (size_t i = 0; i < a.size(); ++i) {
      error += (a[i] - b[i]) * (a[i] - b[i]);
      energy += a[i] * a[i];
    }
    EXPECT_LT(error, 1e-3 * energy) << seed;
  }
}

TEST(Qdq, WhatTheFileHolds) {
  Rng rng(2);
  const QuantizedModel model = test::random_network(rng);
  const Graph file = insert_qdq(model);
  EXPECT_EQ(file.opset(), 13);
  EXPECT_GE(file.ir_version, 7);
  const Value& codes = file.value(file.find("layer0.w_quantized"));
  EXPECT_EQ(codes.constant->dtype(), DType::Int8);
  EXPECT_EQ(file.value(file.find("layer0.b_quantized")).constant->dtype(), DType::Int32);
  EXPECT_FALSE(file.value(file.find("layer0.w")).constant.has_value()) << "the float weights are gone";
  for (const Node& node : file.nodes()) {
    if (node.op_type == "DequantizeLinear" && node.outputs[0] == file.find("layer0.w")) {
      EXPECT_EQ(node.int_or("axis", -1), 0);
      EXPECT_EQ(node.name, "layer0.w_DequantizeLinear");
    }
  }
  const GraphIndex index(file);
  for (ValueId id : file.live_values()) {
    EXPECT_FALSE(file.value(id).constant && index.consumers(id).empty()) << file.value(id).name << " is in the way";
  }
  // No pair between the sum and the Relu that it absorbs.
  EXPECT_EQ(file.find("layer0.sum_quantized") == ValueId::None, !model.encodings.contains("layer0.sum"));
}

TEST(Qdq, BranchesOutputsAndGridChanges) {
  NetBuilder net;
  const ValueId x = net.input("x", {1, 2, 3}, uint8_grid(0.05F, 60));
  const ValueId relu = net.node("Relu", {x}, "relu", uint8_grid(0.02F, 0));
  const ValueId other = net.node("Identity", {relu}, "relu_other_grid", int8_grid(0.03F, -128));
  const ValueId sum = net.node("Add", {relu, other}, "sum", uint8_grid(0.05F, 3));
  const ValueId again = net.node("Identity", {sum}, "sum_other_grid", uint8_grid(0.1F, 9));
  net.node("Softmax", {sum}, "soft", {{"axis", int64_t{-1}}});
  net.output(sum);
  net.output(again);
  net.output(net.model.graph.find("soft"));
  expect_lossless(net.model);
  const Graph file = insert_qdq(net.model);
  EXPECT_EQ(count_of(file, "Identity"), 0);
  EXPECT_EQ(count_of(file, "QuantizeLinear"), 5);
}

TEST(Qdq, FewerCodesThanTheTypeHas) {
  const QuantParams seven = per_tensor(DType::UInt8, 0.05F, 30, 0, 127);
  NetBuilder net;
  const ValueId x = net.input("x", {1, 6}, seven);
  const ValueId relu = net.node("Relu", {x}, "relu", per_tensor(DType::Int8, 0.04F, -64, -64, 63));
  const ValueId mid = net.node("LeakyRelu", {relu}, "mid", seven);
  net.output(mid);
  net.output(net.node("Sigmoid", {relu}, "y", per_tensor(DType::UInt8, 1.0F / 63, 0, 0, 63)));
  expect_lossless(net.model);
  // Without the notes the file still means the same.
  Graph file = insert_qdq(net.model);
  file.metadata.clear();
  const QuantizedModel plain = fold_qdq(file);
  EXPECT_EQ(plain.encodings.at("mid").params.q_max, 255);
  Rng rng(4);
  const TensorMap inputs = random_inputs(rng, net.model.graph);
  EXPECT_TRUE(run(plain, inputs).at("y").same_as(run(net.model, inputs).at("y")));
}

TEST(Qdq, FourBitsSixteenBitsAndBlocksNeedOpset21) {
  Rng rng(7);
  NetBuilder net;
  const ValueId x = net.input("x", {3, 5}, per_tensor(DType::Int16, 1e-3F, 100, -32768, 32767));
  QuantParams blocks{DType::Int4, -8, 7, {}, {}, 0, 2};
  for (int i = 0; i < 12; ++i) {
    blocks.scale.push_back(0.1F + 0.01F * static_cast<float>(i));
    blocks.zero_point.push_back(i % 3);
  }
  const ValueId w = net.constant("w", {5, 4}, test::random_floats(rng, 20, -0.8, 0.8), blocks);
  const ValueId y = net.node("MatMul", {x, w}, "y", uint8_grid(0.02F, 128));
  QuantParams four{DType::UInt4, 0, 15, {0.1F, 0.2F, 0.3F}, {8, 0, 15}, 1, 0};
  const ValueId v = net.constant("v", {4, 3}, test::random_floats(rng, 12, -0.8, 0.8), four);
  net.output(net.node("MatMul", {y, v}, "z"));
  EXPECT_EQ(insert_qdq(net.model).opset(), 21);
  EXPECT_GE(insert_qdq(net.model).ir_version, 10);
  // ONNX has Softmax's meaning since 13; the test's graph starts at 21 to compare nodes.
  net.model.graph.opset_imports[""] = 21;
  expect_lossless(net.model);
}

TEST(Qdq, ABiasThatTwoNodesReadIsSplit) {
  Rng rng(3);
  NetBuilder net;
  const ValueId x = net.input("x", {2, 4}, uint8_grid(0.05F, 128)), b = net.constant("b", {3}, {0.5F, -1, 2});
  const ValueId w =
      net.constant("w", {4, 3}, test::random_floats(rng, 12, -1, 1), weight_grid({0.01F, 0.02F, 0.03F}, 1));
  const ValueId v = net.constant("v", {4, 3}, test::random_floats(rng, 12, -1, 1), weight_grid({0.04F}, -1));
  net.output(net.node("Gemm", {x, w, b}, "y"));
  net.output(net.node("Gemm", {x, v, b}, "z"));
  const Graph file = insert_qdq(net.model);
  verify(file);
  const TensorMap inputs = random_inputs(rng, net.model.graph);
  const TensorMap expected = run(net.model, inputs), found = run(fold_qdq(file), inputs);
  EXPECT_TRUE(expected.at("y").same_as(found.at("y")));
  EXPECT_TRUE(expected.at("z").same_as(found.at("z")));
}

TEST(Qdq, LargeBiasesComeBackExactly) {
  // Codes beyond 2^24 are no float32 numbers times the scale; the fold's double product finds them again.
  NetBuilder net;
  const float s = 3e-6F;
  const ValueId x = net.input("x", {1, 1}, uint8_grid(s, 0));
  std::vector<float> bias;
  Rng rng(6);
  for (int i = 0; i < 64; ++i)
    bias.push_back(static_cast<float>(rng.uniform(-1, 1) * std::pow(2.0, -static_cast<double>(i % 20))));
  net.output(net.node("Gemm",
                      {x, net.constant("w", {1, 64}, std::vector<float>(64, 1e-4F), weight_grid({2e-4F}, -1)),
                       net.constant("b", {64}, bias)},
                      "y"));
  EXPECT_GT(std::abs(plan_integers(net.model).nodes[0]->bias[0]), 1 << 24);
  expect_lossless(net.model);
}

// Hand-built Q/DQ graphs, as other quantizers write them.
struct QdqBuilder : NetBuilder {
  int constants = 0;
  ValueId scalar(float value) { return constant(fmt::format("scale{}", constants++), {}, {value}); }
  ValueId zero(DType dtype, int32_t value) {
    return model.graph.add_constant(fmt::format("zero{}", constants++),
                                    pack_integers(dtype, {}, std::vector<int32_t>{value}));
  }
  ValueId quantize_node(ValueId x, float scale, int32_t zero_point, const std::string& name,
                        DType dtype = DType::UInt8) {
    return node("QuantizeLinear", {x, scalar(scale), zero(dtype, zero_point)}, name);
  }
  ValueId dequantize_node(ValueId q, float scale, int32_t zero_point, const std::string& name,
                          DType dtype = DType::UInt8) {
    return node("DequantizeLinear", {q, scalar(scale), zero(dtype, zero_point)}, name);
  }
  ValueId pair(ValueId x, float scale, int32_t zero_point, const std::string& name, DType dtype = DType::UInt8) {
    return dequantize_node(quantize_node(x, scale, zero_point, name + "_q", dtype), scale, zero_point, name + "_dq",
                           dtype);
  }
  // Folded, with the same function as before.
  QuantizedModel folded(double tolerance = 0) {
    const QuantizedModel result = fold_qdq(model.graph);
    EXPECT_NO_THROW(verify(result.graph));
    Rng rng(12);
    const TensorMap inputs = random_inputs(rng, model.graph);
    const TensorMap before = sim::Interpreter(model.graph).run(inputs), after = run(result, inputs);
    for (const auto& [name, tensor] : before) {
      const std::vector<float> a = to_vector<float>(tensor), b = to_vector<float>(after.at(name));
      for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], tolerance) << name;
    }
    return result;
  }
};

TEST(FoldQdq, ConvolutionWithWeightsBiasAndRelu) {
  Rng rng(5);
  QdqBuilder net;
  const ValueId x = net.pair(net.input("x", {1, 2, 4, 4}), 0.02F, 128, "x");
  const std::vector<int32_t> codes = {1, -2, 3, -4, 5, 127, -128, 8, 9, -10, 11, 12};
  const ValueId w = net.node("DequantizeLinear",
                             {net.model.graph.add_constant("w_q", pack_integers(DType::Int8, {3, 2, 1, 2}, codes)),
                              net.constant("w_scale", {3}, {0.01F, 0.02F, 0.03F}),
                              net.model.graph.add_constant("w_zp", Tensor(DType::Int8, {3}))},
                             "w_dq", {{"axis", int64_t{0}}});
  const ValueId b =
      net.node("DequantizeLinear",
               {net.model.graph.add_constant("b_q", Tensor::from<int32_t>({3}, std::vector<int32_t>{100, -20, 7})),
                net.constant("b_scale", {3}, {0.02F * 0.01F, 0.02F * 0.02F, 0.02F * 0.03F})},
               "b_dq", {{"axis", int64_t{0}}});
  const ValueId conv = net.node("Conv", {x, w, b}, "conv");
  const ValueId y = net.pair(net.node("Relu", {conv}, "relu"), 0.05F, 0, "relu");
  net.output(net.node("Flatten", {y}, "y"));
  const QuantizedModel folded = net.folded(0.0501);
  EXPECT_EQ(structure(folded.graph),
            (std::vector<std::string>{"input x", "output y", "Conv conv_node: x w_dq b_dq -> conv",
                                      "Relu relu_node: conv -> relu", "Flatten y_node: relu -> y"}));
  EXPECT_EQ(unpack_integers(
                quantize(*folded.graph.value(folded.graph.find("w_dq")).constant, folded.encodings.at("w_dq").params)),
            codes);
  const IntegerPlan plan = plan_integers(folded);
  ASSERT_TRUE(plan.nodes[0].has_value());
  EXPECT_EQ(plan.nodes[0]->bias, (std::vector<int32_t>{100, -20, 7}));
  EXPECT_EQ(plan.nodes[0]->activation, 1);
  EXPECT_EQ(folded.encodings.at("w_dq").spec.granularity, Granularity::PerChannel);
  EXPECT_TRUE(folded.encodings.at("w_dq").spec.symmetric);
  EXPECT_TRUE(folded.float_reasons.empty());
}

TEST(FoldQdq, SharedAndDuplicatedPairs) {
  QdqBuilder shared;
  const ValueId x = shared.input("x", {6});
  const ValueId q = shared.quantize_node(x, 0.1F, 100, "q");
  const ValueId a = shared.dequantize_node(q, 0.1F, 100, "a"), b = shared.dequantize_node(q, 0.1F, 100, "b");
  shared.output(shared.node("Sub", {shared.node("Exp", {a}, "exp"), b}, "y"));
  QuantizedModel folded = shared.folded();
  EXPECT_EQ(count_of(folded.graph, "QuantizeLinear") + count_of(folded.graph, "DequantizeLinear"), 0);
  EXPECT_EQ(folded.encodings.size(), 1U);
  EXPECT_TRUE(folded.encodings.contains("x"));

  QdqBuilder twice;
  const ValueId t = twice.node("Tanh", {twice.input("x", {6})}, "t");
  const ValueId c = twice.pair(t, 0.01F, 128, "c"), d = twice.pair(t, 0.01F, 128, "d");
  twice.output(twice.node("Sub", {twice.node("Exp", {c}, "exp"), d}, "y"));
  folded = twice.folded();
  EXPECT_EQ(folded.graph.nodes().size(), 3U);
  EXPECT_TRUE(folded.encodings.contains("t"));
}

TEST(FoldQdq, ValuesThatOthersReadUnrounded) {
  QdqBuilder net;
  const ValueId t = net.node("Tanh", {net.input("x", {6})}, "t");
  const ValueId coarse = net.pair(t, 0.25F, 4, "coarse"), fine = net.pair(t, 0.01F, 128, "fine");
  net.output(net.node("Sub", {coarse, fine}, "y"));
  net.output(t);
  const QuantizedModel folded = net.folded();
  EXPECT_FALSE(folded.encodings.contains("t")) << "the output is not rounded";
  EXPECT_EQ(count_of(folded.graph, "Identity"), 2);
  EXPECT_EQ(folded.encodings.at("coarse_dq").params.scale, std::vector{0.25F});
}

TEST(FoldQdq, OneReaderBesideThePairIsEnough) {
  QdqBuilder net;
  const ValueId t = net.node("Tanh", {net.input("x", {6})}, "t");
  net.output(net.node("Sub", {net.pair(t, 0.25F, 4, "coarse"), t}, "y"));
  const QuantizedModel folded = net.folded();
  EXPECT_FALSE(folded.encodings.contains("t"));
  EXPECT_TRUE(folded.encodings.contains("coarse_dq"));
}

TEST(FoldQdq, ChainsAndOutputs) {
  QdqBuilder net;
  const ValueId first = net.pair(net.node("Tanh", {net.input("x", {6})}, "t"), 0.01F, 128, "first");
  const ValueId second = net.pair(first, 0.1F, 128, "second");
  net.output(second);
  const QuantizedModel folded = net.folded();
  EXPECT_EQ(structure(folded.graph), (std::vector<std::string>{"input x", "output second_dq", "Tanh t_node: x -> t",
                                                               "Identity second_dq_node: t -> second_dq"}));
  EXPECT_EQ(folded.encodings.at("t").params.scale, std::vector{0.01F});

  QdqBuilder output;
  output.output(output.pair(output.node("Tanh", {output.input("x", {6})}, "t"), 0.01F, 128, "y"));
  EXPECT_EQ(structure(output.folded().graph),
            (std::vector<std::string>{"input x", "output y_dq", "Tanh t_node: x -> y_dq"}));

  QdqBuilder straight;
  straight.output(straight.pair(straight.input("x", {6}), 0.01F, 128, "y"));
  const QuantizedModel direct = straight.folded();
  EXPECT_EQ(count_of(direct.graph, "Identity"), 1);
  EXPECT_TRUE(direct.encodings.contains("y_dq"));
}

TEST(FoldQdq, FloatWeightsBetweenAPair) {
  QdqBuilder net;
  const ValueId w = net.pair(net.constant("w", {2, 2}, {0.5F, -0.1F, 0.26F, 2}), 0.1F, 3, "w", DType::Int8);
  net.output(net.node("MatMul", {net.pair(net.input("x", {3, 2}), 0.05F, 0, "x"), w}, "y"));
  const QuantizedModel folded = net.folded(1e-5);
  EXPECT_TRUE(folded.encodings.contains("w"));
  EXPECT_TRUE(plan_integers(folded).nodes[0].has_value());
}

TEST(FoldQdq, OperatorsOfAnotherDomainAndSixteenBits) {
  QdqBuilder net;
  const ValueId x = net.pair(net.input("x", {6}), 0.001F, 1000, "x", DType::UInt16);
  for (Node& node : net.model.graph.nodes()) node.domain = "com.microsoft";
  net.model.graph.opset_imports["com.microsoft"] = 1;
  net.output(net.node("Relu", {x}, "y"));
  const QuantizedModel folded = fold_qdq(net.model.graph);
  EXPECT_EQ(folded.graph.nodes().size(), 1U);
  EXPECT_EQ(folded.encodings.at("x").params.q_max, 65535);
}

TEST(FoldQdq, WhatStaysIsReported) {
  QdqBuilder codes;
  const ValueId q = codes.quantize_node(codes.input("x", {6}), 0.1F, 100, "q");
  codes.output(codes.dequantize_node(q, 0.1F, 100, "y"));
  codes.output(q);
  codes.model.graph.value(q).type.dtype = DType::UInt8;
  QuantizedModel folded = codes.folded();
  EXPECT_EQ(folded.graph.nodes().size(), 2U);
  EXPECT_NE(folded.float_reasons.at("q_node").find("output"), std::string::npos);

  QdqBuilder grids;
  grids.output(grids.dequantize_node(grids.quantize_node(grids.input("x", {6}), 0.1F, 100, "q"), 0.2F, 100, "y"));
  folded = grids.folded();
  EXPECT_EQ(folded.float_reasons.at("q_node"), "its DequantizeLinear is on another grid");

  QdqBuilder computed;
  const ValueId scale = computed.node("Exp", {computed.input("s", {})}, "scale");
  const ValueId x = computed.input("x", {6}), zero = computed.zero(DType::UInt8, 3);
  computed.output(
      computed.node("DequantizeLinear", {computed.node("QuantizeLinear", {x, scale, zero}, "q"), scale, zero}, "y"));
  folded = computed.folded();
  EXPECT_EQ(folded.float_reasons.at("q_node"), "its scale is computed by the network");
}

TEST(FoldQdq, ABiasOnAScaleOfItsOwnKeepsItsValue) {
  QdqBuilder net;
  const ValueId b =
      net.node("DequantizeLinear",
               {net.model.graph.add_constant("b_q", Tensor::from<int32_t>({1}, std::vector<int32_t>{12345})),
                net.scalar(0.001F)},
               "b");
  const ValueId w = net.pair(net.constant("w", {2, 1}, {0.5F, 1}), 0.01F, 0, "w", DType::Int8);
  net.output(net.node("Gemm", {net.pair(net.input("x", {1, 2}), 0.05F, 0, "x"), w, b}, "y"));
  const QuantizedModel folded = fold_qdq(net.model.graph);
  EXPECT_EQ(to_vector<float>(*folded.graph.value(folded.graph.find("b")).constant), std::vector{0.001F * 12345.0F});
}

TEST(FoldQdq, AGraphWithoutQuantizationIsUntouched) {
  NetBuilder net;
  net.node("Relu", {net.input("x", {2})}, "dead");
  net.output(net.node("Tanh", {net.model.graph.find("x")}, "y"));
  EXPECT_EQ(structure(fold_qdq(net.model.graph).graph), structure(net.model.graph));
}

TEST(FoldQdq, DamagedParametersAreErrors) {
  const auto error_of = [](float scale, DType dtype, int32_t zero_point, bool matching) -> std::string {
    QdqBuilder net;
    const ValueId x = net.input("x", {6});
    const ValueId q = net.node("QuantizeLinear", {x, net.scalar(scale), net.zero(dtype, zero_point)}, "q");
    net.output(net.node("DequantizeLinear", {q, net.scalar(scale), net.zero(matching ? dtype : DType::Int8, 0)}, "y"));
    try {
      fold_qdq(net.model.graph);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::InvalidModel);
      return error.what();
    }
    return "";
  };
  EXPECT_NE(error_of(-1, DType::UInt8, 0, true).find("q_node"), std::string::npos);
  EXPECT_NE(error_of(0, DType::UInt8, 0, true).find("positive"), std::string::npos);
  EXPECT_NE(error_of(NAN, DType::UInt8, 0, true), "");
  EXPECT_NE(error_of(INFINITY, DType::UInt8, 0, true), "");
  EXPECT_NE(error_of(1, DType::UInt8, 0, false).find("zero point must be uint8"), std::string::npos);

  QdqBuilder net;
  net.output(net.pair(net.input("x", {6}), 0.1F, 3, "y"));
  net.model.graph.metadata[std::string(kEncodingNotesKey)] = "{\"version\": 1, \"specs\": 7}";
  EXPECT_THROW(fold_qdq(net.model.graph), Error);
}

TEST(InsertQdq, RefusesWhatAFileCannotSay) {
  NetBuilder net;
  const ValueId x = net.input("x", {2}, uint8_grid(0.1F, 0));
  net.output(x);
  EXPECT_THROW(insert_qdq(net.model), Error);
}

}  // namespace
}  // namespace halftone
