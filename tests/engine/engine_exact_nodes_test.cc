// Single nodes of every kind on codes: the rule that is meant for them takes them, and gives the interpreter's codes.
#include <gtest/gtest.h>

#include <fmt/ranges.h>
#include <functional>

#include "tests/engine/exact_values.h"
#include "tests/support/quantized_net.h"

namespace halftone {
namespace {

using test::int8_grid;
using test::NetBuilder;
using test::per_tensor;
using test::random_floats;
using test::uint8_grid;
using test::weight_grid;
using Ints = std::vector<int64_t>;
using Attributes = std::vector<std::pair<std::string, AttributeValue>>;

// A node under test, on operands of random codes.
struct Net : NetBuilder {
  Rng rng{5};
  std::map<std::string, Shape> shapes;       // of inputs on grids
  std::map<std::string, Shape> real_shapes;  // of others

  ValueId image(const Shape& shape = {2, 5, 7, 6}) { return in("x", shape, uint8_grid(0.03F, 100)); }
  ValueId in(const std::string& name, const Shape& shape, const QuantParams& params) {
    shapes[name] = shape;
    return input(name, shape, params);
  }
  ValueId weights(const Shape& shape, const QuantParams& params) {
    return constant("w", shape, random_floats(rng, element_count(shape), -1.2, 1.2), params);
  }
  // Weights of int8, by output channel.
  ValueId weights(const Shape& shape, int64_t axis = 0) {
    std::vector<float> scales;
    for (int64_t i = 0; i < shape[static_cast<size_t>(axis)]; ++i) {
      scales.push_back(static_cast<float>(rng.uniform(0.003, 0.01)));
    }
    return weights(shape, weight_grid(scales, axis));
  }
  ValueId bias(int64_t count) { return constant("b", {count}, random_floats(rng, count, -1, 1)); }
  ValueId constant_of(const Shape& shape) {
    return constant("c", shape, random_floats(rng, element_count(shape), -2, 2));
  }
  ValueId scalar(const std::string& name, float value) { return constant(name, {}, {value}); }
  // Its result on a grid of its own.
  ValueId y(const std::string& op, std::vector<ValueId> operands, const Attributes& attributes = {}) {
    return node(op, std::move(operands), "y", int8_grid(0.04F, -7), attributes);
  }
  // Its result on the grid of `image`.
  ValueId same(const std::string& op, std::vector<ValueId> operands, const Attributes& attributes = {}) {
    return node(op, std::move(operands), "y", uint8_grid(0.03F, 100), attributes);
  }

  TensorMap random_inputs() {
    TensorMap inputs;
    for (const auto& [name, shape] : shapes) {
      const QuantParams& params = model.encodings.at(name).params;
      std::vector<float> values(static_cast<size_t>(element_count(shape)));
      for (float& value : values) {
        auto q = params.q_min + static_cast<int64_t>(rng.below(static_cast<uint64_t>(params.q_max - params.q_min + 1)));
        if (rng.below(5) == 0) q = rng.below(2) == 0 ? params.q_min : params.q_max;
        value = dequantize(static_cast<int32_t>(q), params.scale[0], params.zero_point[0]);
      }
      inputs[name] = Tensor::from(shape, values);
    }
    for (const auto& [name, shape] : real_shapes) {
      inputs[name] = Tensor::from(shape, random_floats(rng, element_count(shape), -3, 2));
    }
    return inputs;
  }
};

// uint8 weights with a zero point near an end, so that centred they leave int8.
QuantParams lopsided_weights() { return per_tensor(DType::UInt8, 0.006F, 10, 0, 255); }

struct Case {
  std::string name;
  std::string rule;
  std::function<ValueId(Net&)> build;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> products() {
  return {
      {"Conv", "convolution",
       [](Net& n) {
         return n.y("Conv", {n.image(), n.weights({9, 5, 3, 3}), n.bias(9)},
                    {{"strides", Ints{2, 1}}, {"pads", Ints{1, 0, 2, 1}}});
       }},
      {"ConvPointwise", "convolution",
       [](Net& n) {
         return n.y("Conv", {n.image(), n.weights({33, 5, 1, 1})});
       }},
      {"ConvDilatedInGroups", "convolution",
       [](Net& n) {
         return n.y("Conv", {n.image({1, 6, 9, 8}), n.weights({4, 3, 3, 2}), n.bias(4)},
                    {{"group", int64_t{2}}, {"dilations", Ints{2, 3}}, {"pads", Ints{2, 2, 2, 2}}});
       }},
      {"ConvOneDimension", "convolution",
       [](Net& n) {
         return n.y("Conv", {n.image({3, 4, 11}), n.weights({6, 4, 3})}, {{"pads", Ints{1, 1}}});
       }},
      {"ConvSamePadding", "convolution",
       [](Net& n) {
         return n.y("Conv", {n.image(), n.weights({4, 5, 3, 4})},
                    {{"auto_pad", std::string("SAME_UPPER")}, {"strides", Ints{2, 2}}});
       }},
      {"ConvWithAbsorbedRelu", "convolution",
       [](Net& n) {
         return n.y("Relu", {n.node("Conv", {n.image(), n.weights({4, 5, 2, 2})}, "sum")});
       }},
      {"ConvLopsidedWeights", "convolution",
       [](Net& n) {
         return n.y("Conv", {n.image(), n.weights({7, 5, 3, 3}, lopsided_weights()), n.bias(7)});
       }},
      {"ConvWeightsOfThreeSets", "convolution",
       [](Net& n) {
         return n.y("Conv", {n.image(), n.weights({4, 5, 2, 2}, per_tensor(DType::UInt8, 0.006F, 0, 0, 255))});
       }},
      {"ConvReal", "convolution",
       [](Net& n) {
         return n.node("Conv", {n.image(), n.weights({6, 5, 3, 3}), n.bias(6)}, "y");
       }},
      {"ConvFourBits", "convolution",
       [](Net& n) {
         const ValueId x = n.in("x", {1, 4, 6, 6}, per_tensor(DType::Int4, 0.1F, 2, -8, 7));
         const ValueId w = n.weights({4, 4, 3, 3}, per_tensor(DType::Int4, 0.1F, 0, -7, 7));
         return n.node("Conv", {x, w}, "y", per_tensor(DType::UInt4, 0.3F, 5, 0, 15));
       }},
      {"ConvSixteenBits", "reference",
       [](Net& n) {
         const ValueId x = n.in("x", {1, 3, 5, 5}, per_tensor(DType::Int16, 1e-4F, 0, -32768, 32767));
         return n.node("Conv", {x, n.weights({2, 3, 3, 3})}, "y", per_tensor(DType::UInt16, 2e-4F, 30000, 0, 65535));
       }},
      {"ConvThreeDimensions", "reference",
       [](Net& n) {
         return n.y("Conv", {n.image({1, 2, 4, 5, 3}), n.weights({3, 2, 2, 2, 2})});
       }},
      {"Depthwise", "depthwise",
       [](Net& n) {
         return n.y("Conv", {n.image({2, 37, 9, 7}), n.weights({37, 1, 3, 3}), n.bias(37)},
                    {{"group", int64_t{37}}, {"pads", Ints{1, 1, 1, 1}}, {"strides", Ints{2, 2}}});
       }},
      {"DepthwiseTwoFiltersReal", "depthwise",
       [](Net& n) {
         return n.node("Conv", {n.image(), n.weights({10, 1, 2, 3})}, "y",
                       {{"group", int64_t{5}}, {"dilations", Ints{2, 1}}});
       }},
      {"DepthwiseLopsidedWeights", "convolution",
       [](Net& n) {
         return n.y("Conv", {n.image(), n.weights({5, 1, 3, 3}, lopsided_weights())}, {{"group", int64_t{5}}});
       }},
      {"ConvTranspose", "transposed_convolution",
       [](Net& n) {
         return n.y("ConvTranspose", {n.image(), n.weights({5, 4, 2, 2}, 1), n.bias(4)}, {{"strides", Ints{2, 2}}});
       }},
      {"ConvTransposeOverlapping", "transposed_convolution",
       [](Net& n) {
         return n.y("ConvTranspose", {n.image(), n.weights({5, 6, 4, 3}, 1)},
                    {{"strides", Ints{2, 3}}, {"pads", Ints{1, 0, 2, 1}}, {"output_padding", Ints{1, 2}}});
       }},
      {"ConvTransposeWithHoles", "transposed_convolution",
       [](Net& n) {
         return n.y("ConvTranspose", {n.image(), n.weights({5, 3, 1, 2}, 1), n.bias(3)}, {{"strides", Ints{3, 3}}});
       }},
      {"ConvTransposeDilatedInGroups", "transposed_convolution",
       [](Net& n) {
         return n.y(
             "ConvTranspose", {n.image({2, 6, 5, 4}), n.weights({6, 2, 3, 3}, 1), n.bias(4)},
             {{"group", int64_t{2}}, {"dilations", Ints{2, 3}}, {"strides", Ints{4, 2}}, {"pads", Ints{2, 1, 0, 3}}});
       }},
      {"ConvTransposeCropped", "transposed_convolution",
       [](Net& n) {
         return n.y("ConvTranspose", {n.image(), n.weights({5, 3, 3, 3}, lopsided_weights())},
                    {{"strides", Ints{1, 2}}, {"pads", Ints{3, 4, 3, 4}}});
       }},
      {"ConvTransposeOneDimensionReal", "transposed_convolution",
       [](Net& n) {
         return n.node("ConvTranspose", {n.image({3, 4, 9}), n.weights({4, 7, 5}, 1)}, "y", {{"strides", Ints{2}}});
       }},
      {"Gemm", "matrix_product",
       [](Net& n) {
         return n.y("Gemm", {n.image({5, 19}), n.weights({19, 12}, 1), n.bias(12)});
       }},
      {"GemmTransposedReal", "matrix_product",
       [](Net& n) {
         return n.node("Gemm", {n.image({3, 70}), n.weights({21, 70}), n.bias(21)}, "y", {{"transB", int64_t{1}}});
       }},
      {"GemmTransposedActivations", "reference",
       [](Net& n) {
         return n.y("Gemm", {n.image({7, 3}), n.weights({7, 4}, 1)}, {{"transA", int64_t{1}}});
       }},
      {"MatMulVector", "matrix_product",
       [](Net& n) {
         return n.y("MatMul", {n.image({9}), n.weights({9, 5}, 1)});
       }},
      {"MatMulSequence", "matrix_product",
       [](Net& n) {
         return n.y("MatMul", {n.image({2, 6, 9}), n.weights({9, 5}, lopsided_weights())});
       }},
      {"MatMulOfActivations", "matmul",
       [](Net& n) {
         return n.y("MatMul", {n.image({2, 3, 4, 5}), n.in("z", {3, 5, 6}, int8_grid(0.02F, -128))});
       }},
      {"MatMulOfActivationsReal", "matmul",
       [](Net& n) {
         return n.node("MatMul", {n.image({17, 40}), n.in("z", {3, 1, 40, 33}, int8_grid(0.02F, 9))}, "y");
       }},
      {"MatMulOfVectors", "reference",
       [](Net& n) {
         return n.y("MatMul", {n.image({4, 5}), n.in("z", {5}, int8_grid(0.02F, 9))});
       }},
  };
}

std::vector<Case> element_wise() {
  const auto other = [](Net& n, const Shape& shape) { return n.in("z", shape, int8_grid(0.05F, 3)); };
  return {
      {"Add", "pair",
       [=](Net& n) {
         return n.y("Add", {n.image(), other(n, {2, 5, 7, 6})});
       }},
      {"AddToItself", "pair",
       [](Net& n) {
         const ValueId x = n.image();
         return n.y("Add", {x, x});
       }},
      {"AddByChannel", "pair",
       [=](Net& n) {
         return n.y("Add", {n.image(), other(n, {5, 1, 1})});
       }},
      {"AddByImageAndChannel", "pair",
       [=](Net& n) {
         return n.y("Add", {other(n, {2, 5, 1, 1}), n.image()});
       }},
      {"AddByPosition", "pair",
       [=](Net& n) {
         return n.y("Add", {n.image(), other(n, {7, 6})});
       }},
      {"AddOuter", "reference",
       [=](Net& n) {
         return n.y("Add", {n.image({4, 1}), other(n, {1, 3})});
       }},
      {"AddConstantByChannel", "pair",
       [](Net& n) {
         return n.y("Add", {n.constant_of({5, 1, 1}), n.image()});
       }},
      {"AddConstantOfAllElements", "pair",
       [](Net& n) {
         return n.y("Add", {n.image(), n.constant_of({2, 5, 7, 6})});
       }},
      {"AddConstantOnAGrid", "pair",
       [](Net& n) {
         const ValueId c = n.constant("c", {2, 5, 7, 6}, random_floats(n.rng, 420, -2, 2), int8_grid(0.02F));
         return n.y("Add", {n.image(), c});
       }},
      {"AddMatrices", "pair",
       [=](Net& n) {
         return n.y("Add", {n.image({3, 8, 20}), other(n, {8, 20})});
       }},
      {"AddWithAbsorbedClip", "pair",
       [=](Net& n) {
         const ValueId sum = n.node("Add", {n.image(), other(n, {2, 5, 7, 6})}, "sum");
         return n.y("Clip", {sum, n.scalar("lo", -0.5F), n.scalar("hi", 1.7F)});
       }},
      {"Mul", "pair",
       [=](Net& n) {
         return n.y("Mul", {n.image(), other(n, {2, 5, 7, 6})});
       }},
      {"MulByImageAndChannel", "pair",
       [=](Net& n) {
         return n.y("Mul", {n.image(), other(n, {2, 5, 1, 1})});
       }},
      {"MulScalar", "pair",
       [](Net& n) {
         return n.y("Mul", {n.image(), n.scalar("c", -1.3F)});
       }},
      {"MulConstantByChannel", "pair",
       [](Net& n) {
         return n.y("Mul", {n.image(), n.constant_of({5, 1, 1})});
       }},
      {"MulScalars", "pair",
       [=](Net& n) {
         return n.y("Mul", {n.image({}), other(n, {})});
       }},
      {"Relu", "activation", [](Net& n) { return n.y("Relu", {n.image()}); }},
      {"Clip", "activation",
       [](Net& n) {
         return n.y("Clip", {n.image(), n.scalar("lo", -0.4F), n.scalar("hi", 1.1F)});
       }},
      {"LeakyRelu", "activation",
       [](Net& n) {
         return n.y("LeakyRelu", {n.image({11})}, {{"alpha", -0.3F}});
       }},
      {"Sigmoid", "table", [](Net& n) { return n.y("Sigmoid", {n.image()}); }},
      {"Tanh", "table",
       [](Net& n) {
         return n.y("Tanh", {n.image({3, 5})});
       }},
      {"HardSwish", "table", [](Net& n) { return n.y("HardSwish", {n.image()}); }},
  };
}

std::vector<Case> moves() {
  const auto pool = [](Ints kernel, Ints strides, Ints pads) {
    return Attributes{{"kernel_shape", std::move(kernel)}, {"strides", std::move(strides)}, {"pads", std::move(pads)}};
  };
  return {
      {"MaxPool", "max_pool",
       [=](Net& n) {
         return n.y("MaxPool", {n.image()}, pool({3, 2}, {2, 2}, {1, 0, 1, 1}));
       }},
      {"MaxPoolOneDimension", "max_pool",
       [=](Net& n) {
         return n.same("MaxPool", {n.image({2, 3, 9})}, pool({3}, {2}, {1, 0}));
       }},
      {"MaxPoolEmptyWindows", "reference",
       [=](Net& n) {
         Attributes attributes = pool({2, 2}, {1, 1}, {1, 1, 1, 1});
         attributes.emplace_back("dilations", Ints{8, 7});
         return n.y("MaxPool", {n.image()}, attributes);
       }},
      {"GlobalMaxPool", "max_pool", [](Net& n) { return n.y("GlobalMaxPool", {n.image()}); }},
      {"AveragePool", "mean_pool",
       [=](Net& n) {
         return n.y("AveragePool", {n.image()}, pool({3, 3}, {2, 1}, {1, 1, 1, 1}));
       }},
      {"AveragePoolWithPadding", "mean_pool",
       [=](Net& n) {
         Attributes attributes = pool({2, 3}, {2, 2}, {0, 1, 1, 1});
         attributes.emplace_back("count_include_pad", int64_t{1});
         attributes.emplace_back("ceil_mode", int64_t{1});
         return n.y("AveragePool", {n.image()}, attributes);
       }},
      {"GlobalAveragePool", "mean",
       [](Net& n) {
         return n.y("GlobalAveragePool", {n.image({2, 70, 7, 7})});
       }},
      {"MeanOverImages", "mean",
       [](Net& n) {
         return n.y("ReduceMean", {n.image()}, {{"axes", Ints{2, 3}}, {"keepdims", int64_t{0}}});
       }},
      {"MeanOverRows", "mean",
       [](Net& n) {
         return n.y("ReduceMean", {n.image({4, 33})}, {{"axes", Ints{-1}}});
       }},
      {"MeanOverSequence", "mean",
       [](Net& n) {
         return n.y("ReduceMean", {n.image({2, 9, 33})}, {{"axes", Ints{1}}, {"keepdims", int64_t{0}}});
       }},
      {"MeanOverEverything", "mean",
       [](Net& n) {
         return n.y("ReduceMean", {n.image({3, 4, 5})}, {{"keepdims", int64_t{0}}});
       }},
      {"MeanOverChannelsAndRows", "mean",
       [](Net& n) {
         return n.y("ReduceMean", {n.image()}, {{"axes", Ints{1, 2}}});
       }},
      {"MeanOverScatteredAxes", "reference",
       [](Net& n) {
         return n.y("ReduceMean", {n.image()}, {{"axes", Ints{1, 3}}});
       }},
      {"Identity", "view", [](Net& n) { return n.y("Identity", {n.image()}); }},
      {"Reshape", "view",
       [](Net& n) {
         return n.y("Reshape", {n.image(), n.integers("s", {2, 7, -1})});
       }},
      {"FlattenSameGrid", "view", [](Net& n) { return n.same("Flatten", {n.image()}); }},
      {"Unsqueeze", "view",
       [](Net& n) {
         return n.y("Unsqueeze", {n.image({3, 4}), n.integers("a", {0, 2})});
       }},
      {"TransposeToChannelsLast", "view",
       [](Net& n) {
         return n.same("Transpose", {n.image()}, {{"perm", Ints{0, 2, 3, 1}}});
       }},
      {"TransposeOfMatrix", "move",
       [](Net& n) {
         return n.y("Transpose", {n.image({5, 9})});
       }},
      {"TransposeHeads", "move",
       [](Net& n) {
         return n.same("Transpose", {n.image({2, 5, 3, 8})}, {{"perm", Ints{0, 2, 1, 3}}});
       }},
      {"Slice", "move",
       [](Net& n) {
         return n.y("Slice", {n.image(), n.integers("from", {-1, 1}), n.integers("to", {-100, 6}),
                              n.integers("axes", {1, 3}), n.integers("steps", {-2, 2})});
       }},
      {"Pad", "move",
       [](Net& n) {
         return n.y("Pad", {n.image(), n.integers("pads", {0, 1, 2, 0, 0, 2, 0, 3}), n.scalar("c", 0.77F)});
       }},
      {"PadWithZero", "move",
       [](Net& n) {
         return n.same("Pad", {n.image({4, 5}), n.integers("pads", {1, 0, 0, 2})});
       }},
      {"PadReflecting", "reference",
       [](Net& n) {
         return n.y("Pad", {n.image(), n.integers("pads", {0, 0, 1, 2, 0, 0, 1, 0})},
                    {{"mode", std::string("reflect")}});
       }},
      {"Concat", "move",
       [](Net& n) {
         const ValueId x = n.image(), z = n.in("z", {2, 3, 7, 6}, int8_grid(0.04F, -7));
         return n.y("Concat", {x, z, x}, {{"axis", int64_t{1}}});
       }},
      {"ConcatRows", "move",
       [](Net& n) {
         const ValueId x = n.image(), z = n.in("z", {2, 5, 2, 6}, uint8_grid(0.03F, 100));
         return n.same("Concat", {x, z}, {{"axis", int64_t{2}}});
       }},
      {"Resize", "pick",
       [](Net& n) {
         const ValueId none = n.constant("roi", {0}, {}), scales = n.constant("s", {4}, {1, 1, 2, 1.5F});
         return n.y("Resize", {n.image(), none, scales}, {{"mode", std::string("nearest")}});
       }},
      {"Gather", "pick",
       [](Net& n) {
         return n.y("Gather", {n.image(), n.integers("i", {4, 0, -1, 2})}, {{"axis", int64_t{1}}});
       }},
      {"Expand", "pick",
       [](Net& n) {
         return n.y("Expand", {n.image({3, 1}), n.integers("s", {2, 3, 4})});
       }},
      {"Tile", "pick",
       [](Net& n) {
         return n.same("Tile", {n.image({2, 3}), n.integers("s", {2, 3})});
       }},
      {"DepthToSpace", "pick",
       [](Net& n) {
         return n.y("DepthToSpace", {n.image({1, 8, 3, 2})}, {{"blocksize", int64_t{2}}});
       }},
      {"SpaceToDepth", "pick",
       [](Net& n) {
         return n.same("SpaceToDepth", {n.image({2, 3, 4, 6})}, {{"blocksize", int64_t{2}}});
       }},
  };
}

// Products whose operands get their grids in every run; these are real, as is the result.
std::vector<Case> dynamic_products() {
  const auto real = [](Net& n, const std::string& name, const Shape& shape) {
    n.real_shapes[name] = shape;
    return n.input(name, shape);
  };
  const auto on = [](Net& n, DynamicRange range, ValueId y) {
    n.model.dynamic[n.model.graph.value(y).name] = range;
    return y;
  };
  using enum DynamicRange;
  return {
      {"PerTensor", "dynamic_product",
       [=](Net& n) {
         return on(n, PerTensor, n.node("MatMul", {real(n, "x", {2, 9, 37}), n.weights({37, 20}, 1)}, "y"));
       }},
      {"PerRow", "dynamic_product",
       [=](Net& n) {
         return on(n, PerRow, n.node("MatMul", {real(n, "x", {3, 50, 70}), n.weights({70, 33}, 1)}, "y"));
       }},
      {"GemmWithBias", "dynamic_product",
       [=](Net& n) {
         return on(n, PerRow,
                   n.node("Gemm", {real(n, "x", {5, 19}), n.weights({12, 19}, lopsided_weights()), n.bias(12)}, "y",
                          {{"transB", int64_t{1}}}));
       }},
      {"Vector", "dynamic_product",
       [=](Net& n) {
         return on(n, PerTensor, n.node("MatMul", {real(n, "x", {19}), n.weights({19, 5}, 1)}, "y"));
       }},
      {"TwoActivations", "matmul",
       [=](Net& n) {
         return on(n, PerTensor, n.node("MatMul", {real(n, "x", {2, 3, 9, 8}), real(n, "z", {3, 8, 21})}, "y"));
       }},
      {"TwoActivationsPerRow", "matmul",
       [=](Net& n) {
         return on(n, PerRow, n.node("MatMul", {real(n, "x", {4, 33, 16}), real(n, "z", {4, 16, 33})}, "y"));
       }},
      {"Conv", "dynamic_convolution",
       [=](Net& n) {
         return on(n, PerTensor,
                   n.node("Conv", {real(n, "x", {2, 3, 6, 5}), n.weights({4, 3, 3, 3}), n.bias(4)}, "y",
                          {{"pads", Ints{1, 2, 0, 1}}, {"strides", Ints{1, 2}}}));
       }},
      {"ConvDepthwise", "dynamic_convolution",
       [=](Net& n) {
         return on(n, PerTensor,
                   n.node("Conv", {real(n, "x", {1, 6, 19, 17}), n.weights({6, 1, 3, 3})}, "y",
                          {{"pads", Ints{1, 1, 1, 1}}, {"group", int64_t{6}}}));
       }},
      {"ConvOneDimension", "dynamic_convolution",
       [=](Net& n) {
         return on(
             n, PerTensor,
             n.node("Conv", {real(n, "x", {2, 3, 9}), n.weights({5, 3, 3}), n.bias(5)}, "y", {{"pads", Ints{2, 0}}}));
       }},
  };
}

class ExactNodes : public testing::TestWithParam<Case> {};

TEST_P(ExactNodes, GiveTheInterpretersCodes) {
  for (const RequantizeMode mode : {RequantizeMode::Float, RequantizeMode::Dyadic}) {
    Net net;
    net.output(GetParam().build(net));
    const TensorMap inputs = net.random_inputs();
    const std::set<std::string> exact = test::exact_values(net.model, mode);
    ASSERT_TRUE(exact.contains("y"));
    const test::Reference reference = test::run_reference(net.model, mode, inputs);
    for (const int threads : {1, 3}) test::expect_exact(net.model, reference, exact, inputs, mode, threads);

    SessionOptions options;
    options.requantize = mode;
    const std::vector<NodeNote> notes = Session(net.model, options).explain();
    ASSERT_EQ(notes.size(), 1U);
    EXPECT_EQ(notes[0].rule, GetParam().rule) << fmt::format("{}", fmt::join(notes[0].refusals, "\n"));
  }
}

std::string name_of_case(const testing::TestParamInfo<Case>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Products, ExactNodes, testing::ValuesIn(products()), name_of_case);
INSTANTIATE_TEST_SUITE_P(DynamicProducts, ExactNodes, testing::ValuesIn(dynamic_products()), name_of_case);
INSTANTIATE_TEST_SUITE_P(ElementWise, ExactNodes, testing::ValuesIn(element_wise()), name_of_case);
INSTANTIATE_TEST_SUITE_P(Moves, ExactNodes, testing::ValuesIn(moves()), name_of_case);

}  // namespace
}  // namespace halftone
