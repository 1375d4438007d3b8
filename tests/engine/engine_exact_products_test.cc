// Convolutions and matrix products on codes, one node each.
#include <gtest/gtest.h>

#include "tests/engine/node_case.h"

namespace halftone::test {
namespace {

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

class ExactProducts : public testing::TestWithParam<Case> {};
TEST_P(ExactProducts, GiveTheInterpretersCodes) { expect_exact_node(GetParam()); }
INSTANTIATE_TEST_SUITE_P(Products, ExactProducts, testing::ValuesIn(products()), name_of_case);
INSTANTIATE_TEST_SUITE_P(DynamicProducts, ExactProducts, testing::ValuesIn(dynamic_products()), name_of_case);

}  // namespace
}  // namespace halftone::test
