// Products on grids found at run time, as other quantizers write them.
#include <gtest/gtest.h>

#include "halftone/transform/dynamic_test_nets.h"

namespace halftone::fold_dynamic_test {
namespace {

using namespace test;

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
}  // namespace halftone::fold_dynamic_test
