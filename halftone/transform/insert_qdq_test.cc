// Trips to a file and back.
#include "halftone/transform/insert_qdq.h"

#include <cmath>

#include "halftone/quant/integer_plan.h"
#include "halftone/transform/qdq_test_nets.h"

namespace halftone::insert_qdq_test {
namespace {

using namespace test;

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
    QuantizedModel model = random_network(rng);
    model.encodings.begin()->second.spec.observer = "percentile 99.9";
    model.float_reasons["somewhere"] = "because";
    model.graph.metadata["author"] = "me";
    expect_lossless(model, seed);
  }
}

TEST(Qdq, TheFileComputesTheModel) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    Rng rng(seed);
    const QuantizedModel model = random_network(rng);
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
  const QuantizedModel model = random_network(rng);
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

TEST(Qdq, AChangeToTheSameGridStaysANode) {
  NetBuilder net;
  const ValueId x = net.input("x", {1, 2, 3}, uint8_grid(0.05F, 60));
  const ValueId same = net.node("Identity", {x}, "same", uint8_grid(0.05F, 60));
  const ValueId relu = net.node("Relu", {same}, "relu", uint8_grid(0.05F, 0));
  net.output(net.node("Identity", {relu}, "y", uint8_grid(0.05F, 0)));
  expect_lossless(net.model);
  EXPECT_EQ(count_of(insert_qdq(net.model), "Identity"), 2);
}

// The operands of a sum that are short (5 * 2^-7) and nobody else's stand twice.
TEST(Qdq, OperandsOfSumsOnShortScalesAreRoundedTwice) {
  const QuantParams grid = uint8_grid(0.0390625F, 60);
  NetBuilder net;
  const ValueId x = net.input("x", {1, 2, 3}, grid);
  const ValueId a = net.node("LeakyRelu", {x}, "a", grid), b = net.node("Neg", {x}, "b", grid);
  const ValueId sum = net.node("Add", {a, b}, "sum", grid);
  const ValueId narrow = net.node("Tanh", {sum}, "narrow", per_tensor(DType::UInt8, 0.125F, 8, 0, 15));
  const ValueId second = net.node("Add", {narrow, sum}, "second", grid);
  const ValueId third = net.node("Add", {net.constant("c", {3}, {1, 2, 3}), second}, "third", grid);
  const ValueId last = net.node("Add", {net.node("Sigmoid", {third}, "long", uint8_grid(0.004F, 0)), third}, "last");
  net.output(last);
  expect_lossless(net.model);
  const Graph file = insert_qdq(net.model);
  std::vector<std::string> twice;
  for (const Node& node : file.nodes()) {
    const std::string& name = file.value(node.outputs[0]).name;
    if (node.is("DequantizeLinear") && name.ends_with("_repeated")) twice.push_back(name);
  }
  // Not: what others read as well (sum, third), or has a long scale.
  EXPECT_EQ(twice, (std::vector<std::string>{"a_repeated", "b_repeated", "narrow_repeated", "second_repeated"}));
  EXPECT_EQ(count_of(file, "QuantizeLinear"), 8 + 4);
  Rng rng(3);
  const TensorMap inputs = random_inputs(rng, net.model.graph);
  EXPECT_TRUE(sim::Interpreter(file).run(inputs).at("last").same_as(run(net.model, inputs).at("last")));
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

QuantParams by_channel(DType dtype, int64_t q_min, int64_t q_max, std::vector<int32_t> zero_points) {
  QuantParams params{dtype, q_min, q_max, {}, std::move(zero_points), 1, 0};
  for (size_t i = 0; i < params.zero_point.size(); ++i) params.scale.push_back(0.03F * static_cast<float>(i + 1));
  return params;
}

// In every place in which an activation stands: an input, between nodes, an output, a change of grid.
void expect_activations_survive(const QuantParams& params) {
  NetBuilder net;
  const ValueId x = net.input("x", {2, 3, 4}, params);
  const ValueId mid = net.node("LeakyRelu", {x}, "mid", params);
  const ValueId other = net.node("Identity", {mid}, "other", uint8_grid(0.05F, 60));
  net.output(net.node("Add", {mid, other}, "sum", params));
  net.output(net.node("Identity", {other}, "narrow_again", params));
  net.model.graph.opset_imports[""] = 21;
  infer_shapes(net.model.graph);
  expect_lossless(net.model);
  // The nodes alone bound the codes.
  const Graph file = insert_qdq(net.model);
  Rng rng(6);
  TensorMap inputs = random_inputs(rng, net.model.graph);
  for (size_t i = 0; i < 6; ++i) inputs["x"].mutable_data<float>()[i * 4] = i % 2 == 0 ? 1e30F : -1e30F;
  const TensorMap expected = run(net.model, inputs), found = sim::Interpreter(file).run(inputs);
  for (const auto& [name, tensor] : expected) EXPECT_TRUE(tensor.same_as(found.at(name))) << name;
}

TEST(Qdq, ActivationsOfEveryWidth) {
  for (int bits = 1; bits <= 16; ++bits) {
    for (const bool is_signed : {false, true}) {
      SCOPED_TRACE(fmt::format("{} {}", bits, is_signed));
      const int64_t low = is_signed ? -(int64_t{1} << (bits - 1)) : 0, high = low + (int64_t{1} << bits) - 1;
      const auto zero = static_cast<int32_t>((low + high) / 2);
      const DType dtype = storage_type(bits, is_signed);
      expect_activations_survive(per_tensor(dtype, 2.0F / static_cast<float>(1 << bits), zero, low, high));
      expect_activations_survive(by_channel(dtype, low, high, {zero, static_cast<int32_t>(low), zero + 1}));
    }
  }
  expect_activations_survive(per_tensor(DType::Int16, 0.1F, 5, -3, 12));
}

TEST(Qdq, ActivationsWhoseChannelsDifferInWidth) {
  QuantParams params = by_channel(DType::Int8, -127, 127, {0, 0, 0});
  params.channel_bits = {3, 0, 8};
  expect_activations_survive(params);
  params = by_channel(DType::UInt8, 0, 255, {3, 0, 200});
  params.channel_bits = {2, 0, 8};
  expect_activations_survive(params);
  params.dtype = DType::UInt16;
  expect_activations_survive(params);
}

// ONNX Runtime merges operators with the pairs around them, for which all grids have to be by tensor: Max and Min keep
// it from where they are not.
TEST(Qdq, ResultsOfNodesThatReadGridsByChannelAreBounded) {
  const QuantParams wide = uint8_grid(0.05F, 60);
  NetBuilder net;
  const ValueId x = net.input("x", {1, 3, 4, 4}, wide);
  const ValueId a = net.node("Tanh", {x}, "a", by_channel(DType::UInt8, 0, 255, {3, 128, 200}));
  const ValueId b = net.node("Sigmoid", {x}, "b", wide);
  const ValueId sum = net.node("Add", {a, b}, "sum", wide);
  const ValueId relu = net.node("Relu", {net.node("Neg", {a}, "neg")}, "relu", wide);
  Rng rng(4);
  const ValueId w =
      net.constant("w", {3, 3, 1, 1}, random_floats(rng, 9, -1, 1), weight_grid({0.01F, 0.02F, 0.03F}, 0));
  const ValueId conv = net.node("Conv", {sum, w}, "conv", wide);
  net.output(
      net.node("Concat", {net.node("Add", {conv, b}, "plain", wide), relu, a}, "y", wide, {{"axis", int64_t{1}}}));
  infer_shapes(net.model.graph);
  expect_lossless(net.model);
  std::vector<std::string> bounded;
  const Graph file = insert_qdq(net.model);
  for (const Node& node : file.nodes()) {
    if (node.is("Min")) bounded.push_back(node.name);
    EXPECT_FALSE(node.is("Clip"));
  }
  EXPECT_EQ(bounded, (std::vector<std::string>{"a_Min", "sum_Min", "relu_Min", "y_Min"}));
}

TEST(Qdq, CodesBeyondTheirNotesAreBelieved) {
  NetBuilder net;
  const ValueId x = net.input("x", {1, 2}, uint8_grid(0.02F, 100));
  const ValueId w = net.constant("w", {2, 2}, {0.5F, -1.27F, 1.27F, 0}, weight_grid({0.01F}, -1));
  net.output(net.node("MatMul", {x, w}, "y"));
  Graph file = insert_qdq(net.model);
  EXPECT_EQ(fold_qdq(file).encodings.at("w").params.q_min, -127);
  // Somebody has changed a weight to a code that the notes exclude.
  file.value(file.find("w_quantized")).constant = Tensor::from<int8_t>({2, 2}, std::vector<int8_t>{50, -128, 127, 0});
  const QuantizedModel folded = fold_qdq(file);
  EXPECT_EQ(folded.encodings.at("w").params.q_min, -128);
  EXPECT_EQ(folded.graph.value(folded.graph.find("w")).constant->data<float>()[1], -1.28F);
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
  const ValueId w = net.constant("w", {5, 4}, random_floats(rng, 20, -0.8, 0.8), blocks);
  const ValueId y = net.node("MatMul", {x, w}, "y", uint8_grid(0.02F, 128));
  QuantParams four{DType::UInt4, 0, 15, {0.1F, 0.2F, 0.3F}, {8, 0, 15}, 1, 0};
  const ValueId v = net.constant("v", {4, 3}, random_floats(rng, 12, -0.8, 0.8), four);
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
  const ValueId w = net.constant("w", {4, 3}, random_floats(rng, 12, -1, 1), weight_grid({0.01F, 0.02F, 0.03F}, 1));
  const ValueId v = net.constant("v", {4, 3}, random_floats(rng, 12, -1, 1), weight_grid({0.04F}, -1));
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

TEST(InsertQdq, RefusesWhatAFileCannotSay) {
  NetBuilder net;
  const ValueId x = net.input("x", {2}, uint8_grid(0.1F, 0));
  net.output(x);
  EXPECT_THROW(insert_qdq(net.model), Error);
}

}  // namespace
}  // namespace halftone::insert_qdq_test
