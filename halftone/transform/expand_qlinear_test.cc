// Operators on codes, folded into encodings. What they have to give is computed in float on dequantized operands and
// rounded to the grid of the result; with scales that are powers of two nothing else rounds, so codes must be equal.
#include "halftone/transform/expand_qlinear.h"

#include "halftone/quant/integer_plan.h"
#include "halftone/transform/qdq_test_nets.h"

namespace halftone::expand_qlinear_test {
namespace {

using namespace test;

using Attributes = std::vector<std::pair<std::string, AttributeValue>>;

Tensor random_codes(Rng& rng, DType dtype, const Shape& shape) {
  const IntegerRange range = range_of(dtype);
  std::vector<int32_t> codes;
  for (int64_t i = 0; i < element_count(shape); ++i) {
    codes.push_back(static_cast<int32_t>(range.low + static_cast<int64_t>(rng.below(256))));
  }
  return pack_integers(dtype, shape, codes);
}

// A network with one operator on codes, and the float network that says what it means.
struct Twin {
  explicit Twin(uint64_t seed) : rng(seed) {}

  Rng rng;
  QdqBuilder file;
  NetBuilder meaning;
  TensorMap inputs;
  std::vector<ValueId> operands;  // of the operator on codes
  std::vector<ValueId> real;      // of the float operator

  // Reads an input of the network through a QuantizeLinear.
  void activation(const Shape& shape, float scale, int32_t zero_point, DType dtype) {
    const std::string name = fmt::format("x{}", inputs.size());
    const QuantParams grid = dtype == DType::UInt8 ? uint8_grid(scale, zero_point) : int8_grid(scale, zero_point);
    const ValueId codes = file.quantize_node(file.input(name, shape), scale, zero_point, name + "_quantized", dtype);
    const std::vector<ValueId> stated = file.model.graph.nodes().back().inputs;
    operands.insert(operands.end(), {codes, stated[1], stated[2]});
    real.push_back(meaning.input(name, shape));
    // On the grid, so that what reads it rounds nothing.
    inputs[name] = dequantize(random_codes(rng, dtype, shape), grid);
  }
  void weights(const Shape& shape, const QuantParams& grid) {
    const Tensor codes = random_codes(rng, grid.dtype, shape);
    const auto count = static_cast<int64_t>(grid.scale.size());
    const Shape dims = grid.per_tensor() ? Shape{} : Shape{count};
    Graph& graph = file.model.graph;
    operands.push_back(graph.add_constant("w_quantized", codes));
    operands.push_back(graph.add_constant("w_scale", Tensor::from(dims, grid.scale)));
    operands.push_back(graph.add_constant("w_zero_point", pack_integers(grid.dtype, dims, grid.zero_point)));
    real.push_back(meaning.model.graph.add_constant("w", dequantize(codes, grid)));
  }
  // int32 codes at the steps of the sum.
  ValueId bias(const std::vector<int32_t>& codes, float s_x, const std::vector<float>& s_w) {
    const auto count = static_cast<int64_t>(codes.size());
    std::vector<float> values;
    for (size_t c = 0; c < codes.size(); ++c) {
      values.push_back(static_cast<float>(codes[c]) * s_x * s_w[s_w.size() == 1 ? 0 : c]);
    }
    real.push_back(meaning.constant("b", {count}, values));
    return file.model.graph.add_constant("b_quantized", Tensor::from({count}, codes));
  }

  // Runs both; all nodes of the folded file but `floats` are computed in integers.
  QuantizedModel expect_same(const std::string& op, const Attributes& attributes, const std::string& float_op,
                             const Attributes& float_attributes, const QuantParams& result, int floats = 0) {
    const bool is_standard = op == "QLinearConv" || op == "QLinearMatMul";
    const ValueId codes = file.node(op, operands, "y_quantized", attributes);
    if (!is_standard) file.model.graph.nodes().back().domain = "com.microsoft";
    file.model.graph.opset_imports["com.microsoft"] = 1;
    file.output(file.dequantize_node(codes, result.scale[0], result.zero_point[0], "y", result.dtype));
    meaning.output(meaning.node(float_op, real, "y", float_attributes));
    const Tensor expected = sim::Interpreter(meaning.model.graph).run(inputs).at("y");
    const QuantizedModel folded = fold_qdq(file.model.graph);
    EXPECT_NO_THROW(verify(folded.graph));
    EXPECT_TRUE(folded.float_reasons.empty()) << folded.float_reasons.begin()->second;
    EXPECT_EQ(folded.graph.nodes().size(), 1U);
    EXPECT_EQ(folded.graph.nodes()[0].op_type, float_op);
    EXPECT_EQ(plan_integers(folded).refusals.size(), static_cast<size_t>(floats));
    const Tensor found = run(folded, inputs).at("y");
    EXPECT_EQ(unpack_integers(quantize(found, result)), unpack_integers(quantize(expected, result))) << op;
    EXPECT_TRUE(found.same_as(fake_quantize(expected, result))) << op;
    if (is_standard) {
      EXPECT_TRUE(sim::Interpreter(file.model.graph).run(inputs).at("y").same_as(found));
    }
    return folded;
  }
  void take_result(const QuantParams& result) {
    operands.push_back(file.scalar(result.scale[0]));
    operands.push_back(file.zero(result.dtype, result.zero_point[0]));
  }
};

const std::vector<float> kChannelScales = {0.25F, 0.5F, 0.125F};

TEST(ExpandQlinear, Convolution) {
  const Attributes geometry = {{"strides", std::vector<int64_t>{2, 1}}, {"pads", std::vector<int64_t>{1, 0, 1, 1}}};
  for (const DType dtype : {DType::UInt8, DType::Int8}) {
    // Weights of other quantizers may have any zero points.
    for (const QuantParams& weights : {QuantParams{DType::Int8, -128, 127, {0.25F}, {-7}, -1, 0},
                                       QuantParams{DType::UInt8, 0, 255, kChannelScales, {128, 5, 255}, 0, 0}}) {
      Twin twin(1);
      twin.activation({2, 2, 5, 6}, 0.5F, dtype == DType::UInt8 ? 100 : -3, dtype);
      twin.weights({3, 2, 3, 2}, weights);
      const QuantParams result = dtype == DType::UInt8 ? uint8_grid(64, 31) : int8_grid(128, 5);
      twin.take_result(result);
      const std::vector<int32_t> bias = {1000, -20, 70000};
      twin.operands.push_back(twin.bias(bias, 0.5F, weights.scale));
      const QuantizedModel folded = twin.expect_same("QLinearConv", geometry, "Conv", geometry, result);
      EXPECT_EQ(plan_integers(folded).nodes[0]->bias, bias);
      EXPECT_EQ(folded.encodings.at("w").params, weights);
      EXPECT_EQ(folded.graph.find("y_quantized"), ValueId::None);
    }
  }
}

TEST(ExpandQlinear, MatrixProducts) {
  const QuantParams result = int8_grid(16, 9);
  Twin constant(3);
  constant.activation({2, 4, 5}, 0.5F, 3, DType::UInt8);
  constant.weights({5, 3}, {DType::Int8, -128, 127, kChannelScales, {0, 9, -128}, 1, 0});
  constant.take_result(result);
  constant.expect_same("QLinearMatMul", {}, "MatMul", {}, result);

  Twin activations(4);
  activations.activation({2, 4, 5}, 0.5F, 3, DType::UInt8);
  activations.activation({2, 5, 3}, 0.25F, 200, DType::UInt8);
  const QuantParams wide = uint8_grid(32, 128);
  activations.take_result(wide);
  activations.expect_same("QLinearMatMul", {}, "MatMul", {}, wide);

  for (const bool transposed : {false, true}) {
    Twin gemm(5);
    gemm.activation({4, 5}, 0.5F, 3, DType::UInt8);
    gemm.weights(transposed ? Shape{3, 5} : Shape{5, 3},
                 {DType::Int8, -128, 127, kChannelScales, {0, 1, 2}, transposed ? 0 : 1, 0});
    gemm.operands.push_back(gemm.bias({500, -3, 0}, 0.5F, kChannelScales));
    gemm.take_result(result);
    const Attributes attributes = {{"transB", int64_t{transposed}}};
    gemm.expect_same("QGemm", attributes, "Gemm", attributes, result);
  }
}

TEST(ExpandQlinear, AGemmWhoseResultIsReal) {
  Twin twin(6);
  twin.activation({4, 5}, 0.5F, 3, DType::UInt8);
  twin.weights({5, 3}, {DType::Int8, -128, 127, {0.25F}, {0}, -1, 0});
  twin.operands.push_back(twin.bias({500, -3, 0}, 0.5F, {0.25F}));
  NetBuilder& file = twin.file;
  file.output(file.node("QGemm", twin.operands, "y"));
  file.model.graph.nodes().back().domain = "com.microsoft";
  twin.meaning.output(twin.meaning.node("Gemm", twin.real, "y"));
  const Tensor expected = sim::Interpreter(twin.meaning.model.graph).run(twin.inputs).at("y");
  EXPECT_TRUE(run(fold_qdq(file.model.graph), twin.inputs).at("y").same_as(expected));
}

TEST(ExpandQlinear, ElementByElement) {
  for (const std::string op : {"Add", "Mul"}) {
    const QuantParams result = uint8_grid(op == "Add" ? 1 : 16, 100);
    Twin twin(7);
    twin.activation({2, 3, 4}, 0.5F, 3, DType::UInt8);
    twin.activation({3, 4}, 0.25F, 250, DType::UInt8);
    twin.take_result(result);
    twin.expect_same("QLinear" + op, {}, op, {}, result);
  }
  Twin leaky(8);
  leaky.activation({2, 3, 4}, 0.5F, 3, DType::Int8);
  leaky.take_result(int8_grid(1, -9));
  leaky.expect_same("QLinearLeakyRelu", {{"alpha", 0.25F}}, "LeakyRelu", {{"alpha", 0.25F}}, int8_grid(1, -9));
  const QuantParams fraction = uint8_grid(1.0F / 256, 0);
  Twin sigmoid(9);
  sigmoid.activation({2, 3, 4}, 1.0F / 32, 100, DType::UInt8);
  sigmoid.take_result(fraction);
  sigmoid.expect_same("QLinearSigmoid", {}, "Sigmoid", {}, fraction);
  Twin softmax(10);
  softmax.activation({2, 3, 4}, 1.0F / 32, 100, DType::UInt8);
  softmax.take_result(fraction);
  softmax.expect_same("QLinearSoftmax", {{"axis", int64_t{1}}, {"opset", int64_t{13}}}, "Softmax",
                      {{"axis", int64_t{1}}}, fraction, 1);
}

TEST(ExpandQlinear, PoolsAndConcat) {
  const QuantParams result = uint8_grid(0.25F, 30);
  Twin global(11);
  global.activation({2, 3, 4, 4}, 0.5F, 3, DType::UInt8);
  global.take_result(result);
  global.expect_same("QLinearGlobalAveragePool", {{"channels_last", int64_t{0}}}, "GlobalAveragePool", {}, result);
  Twin windows(12);
  const Attributes geometry = {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{2, 1}}};
  windows.activation({2, 3, 4, 4}, 0.5F, 3, DType::UInt8);
  windows.take_result(result);
  windows.expect_same("QLinearAveragePool", geometry, "AveragePool", geometry, result);
  Twin concat(13);
  concat.take_result(result);
  concat.activation({2, 3, 4}, 0.5F, 3, DType::UInt8);
  concat.activation({2, 2, 4}, 0.125F, 77, DType::UInt8);
  concat.expect_same("QLinearConcat", {{"axis", int64_t{1}}}, "Concat", {{"axis", int64_t{1}}}, result);
}

// What stands between two operators on codes and only moves them.
TEST(ExpandQlinear, MoversOfCodes) {
  Rng rng(14);
  QdqBuilder net;
  ValueId x = net.quantize_node(net.input("x", {1, 2, 4, 4}), 0.5F, 30, "x_quantized");
  x = net.node("MaxPool", {x}, "pooled_quantized",
               {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"pads", std::vector<int64_t>{1, 1, 0, 0}}});
  // Fills in code 7, and then code 0, which is no zero.
  x = net.node("Pad", {x, net.integers("by", {0, 0, 1, 0, 0, 0, 0, 1}), net.zero(DType::UInt8, 7)}, "padded_quantized");
  x = net.node("Pad", {x, net.integers("by_too", {0, 0, 1, 0, 0, 0, 0, 0})}, "padded_again");
  x = net.node("Transpose", {x}, "t_quantized", {{"perm", std::vector<int64_t>{0, 2, 3, 1}}});
  x = net.node("Reshape", {x, net.integers("to", {2, -1})}, "r_quantized");
  net.output(net.dequantize_node(x, 0.5F, 30, "y"));
  const QuantizedModel folded = net.folded();
  EXPECT_TRUE(folded.float_reasons.empty());
  EXPECT_EQ(count_of(folded.graph, "QuantizeLinear") + count_of(folded.graph, "DequantizeLinear"), 0);
  EXPECT_TRUE(folded.encodings.contains("pooled"));
  EXPECT_TRUE(folded.encodings.contains("padded_again_real"));
  const IntegerPlan plan = plan_integers(folded);
  EXPECT_TRUE(plan.refusals.empty());
}

TEST(ExpandQlinear, WhatStaysIsReported) {
  const auto reason = [](const auto& change) {
    QdqBuilder net;
    const ValueId x = net.quantize_node(net.input("x", {1, 2, 4, 4}), 0.5F, 30, "q");
    std::vector<ValueId> operands = net.model.graph.nodes().back().inputs;
    operands[0] = x;
    operands.push_back(net.scalar(0.25F));
    operands.push_back(net.zero(DType::UInt8, 0));
    Node node;
    node.op_type = "QLinearGlobalAveragePool";
    node.domain = "com.microsoft";
    node.name = "pool";
    node.inputs = operands;
    node.outputs = {net.model.graph.add_value("pooled")};
    change(net, node);
    net.model.graph.nodes().push_back(node);
    net.output(net.dequantize_node(node.outputs[0], 0.25F, 0, "y"));
    const QuantizedModel folded = fold_qdq(net.model.graph);
    const auto found = folded.float_reasons.find("pool");
    return found == folded.float_reasons.end() ? "" : found->second;
  };
  EXPECT_EQ(reason([](QdqBuilder&, Node&) {}), "");
  EXPECT_EQ(reason([](QdqBuilder&, Node& node) { node.set_attribute("channels_last", int64_t{1}); }),
            "its channels are on the last axis");
  EXPECT_EQ(reason([](QdqBuilder& net, Node& node) { node.inputs[3] = net.node("Exp", {net.input("s", {})}, "e"); }),
            "its scale is computed by the network");
  EXPECT_EQ(reason([](QdqBuilder& net, Node& node) {
              node.inputs[1] = net.constant("two", {2}, {1, 2});
              node.inputs[2] = ValueId::None;
            }),
            "its operand 0 has several scales");
}

}  // namespace
}  // namespace halftone::expand_qlinear_test
