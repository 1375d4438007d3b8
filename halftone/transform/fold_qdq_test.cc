// Files of other quantizers.
#include "halftone/transform/fold_qdq.h"

#include <cmath>

#include "halftone/quant/encoding_notes.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/transform/qdq_test_nets.h"

namespace halftone::fold_qdq_test {
namespace {

using namespace test;

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

TEST(FoldQdq, RoundingToTheSameGridAgainIsNothing) {
  QdqBuilder net;
  const ValueId t = net.node("Tanh", {net.input("x", {6})}, "t");
  const ValueId once = net.pair(t, 0.01F, 128, "once"), twice = net.pair(once, 0.01F, 128, "twice");
  const ValueId thrice = net.pair(twice, 0.01F, 128, "thrice"), other = net.pair(twice, 0.02F, 128, "other");
  net.output(net.node("Sub", {net.node("Exp", {thrice}, "exp"), net.node("Mul", {other, once}, "mul")}, "y"));
  net.output(net.pair(once, 0.01F, 128, "named"));
  const QuantizedModel folded = net.folded();
  EXPECT_EQ(structure(folded.graph),
            (std::vector<std::string>{"input x", "output y", "output named_dq", "Tanh t_node: x -> t",
                                      "Identity other_dq_node: t -> other_dq", "Exp exp_node: t -> exp",
                                      "Mul mul_node: other_dq t -> mul", "Sub y_node: exp mul -> y",
                                      "Identity named_dq_node: t -> named_dq"}));
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
  EXPECT_NE(error_of(1, DType::UInt8, 0, false).find("must be uint8 like its codes"), std::string::npos);

  QdqBuilder net;
  net.output(net.pair(net.input("x", {6}), 0.1F, 3, "y"));
  net.model.graph.metadata[std::string(kEncodingNotesKey)] = "{\"version\": 1, \"specs\": 7}";
  EXPECT_THROW(fold_qdq(net.model.graph), Error);
}

}  // namespace
}  // namespace halftone::fold_qdq_test
