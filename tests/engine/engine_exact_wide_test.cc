// Nodes on codes of more than 8 bits, alone and beside narrower ones.
#include <gtest/gtest.h>

#include "tests/engine/node_case.h"

namespace halftone::test {
namespace {

QuantParams signed_words() { return per_tensor(DType::Int16, 1e-4F, 300, -32768, 32767); }
QuantParams unsigned_words() { return per_tensor(DType::UInt16, 2e-4F, 30000, 0, 65535); }

ValueId wide_image(Net& n, const Shape& shape = {2, 5, 7, 6}) { return n.in("x", shape, signed_words()); }

std::vector<Case> cases() {
  return {
      {"Conv", "convolution",
       [](Net& n) {
         return n.node("Conv", {wide_image(n), n.weights({9, 5, 3, 3}), n.bias(9)}, "y", unsigned_words(),
                       {{"strides", Ints{2, 1}}, {"pads", Ints{1, 0, 2, 1}}});
       }},
      {"ConvOfUnsignedCodes", "convolution",
       [](Net& n) {
         const ValueId x = n.in("x", {2, 8, 5, 6}, unsigned_words());
         return n.node("Conv", {x, n.weights({33, 8, 1, 1})}, "y", signed_words());
       }},
      {"ConvOfAPicture", "convolution",
       [](Net& n) {
         return n.node("Conv", {wide_image(n, {1, 3, 13, 11}), n.weights({20, 3, 3, 3}), n.bias(20)}, "y",
                       unsigned_words(), {{"strides", Ints{2, 2}}, {"pads", Ints{1, 1, 1, 1}}});
       }},
      {"ConvToBytes", "convolution",
       [](Net& n) {
         return n.y("Conv", {wide_image(n), n.weights({4, 5, 3, 3}), n.bias(4)});
       }},
      {"ConvFromBytesWithAbsorbedRelu", "convolution",
       [](Net& n) {
         const ValueId sum = n.node("Conv", {n.image(), n.weights({4, 5, 2, 2})}, "sum");
         return n.node("Relu", {sum}, "y", unsigned_words());
       }},
      {"ConvOfTenBits", "convolution",
       [](Net& n) {
         const ValueId x = n.in("x", {1, 6, 5, 5}, per_tensor(DType::Int16, 0.01F, 20, -512, 511));
         return n.node("Conv", {x, n.weights({3, 6, 2, 2})}, "y", per_tensor(DType::UInt16, 0.01F, 700, 0, 1023));
       }},
      {"ConvReal", "convolution",
       [](Net& n) {
         return n.node("Conv", {wide_image(n), n.weights({6, 5, 3, 3}), n.bias(6)}, "y");
       }},
      {"ConvWeightsOfTwoSets", "convolution",
       [](Net& n) {
         return n.node("Conv", {wide_image(n), n.weights({4, 5, 2, 2}, lopsided_weights())}, "y", unsigned_words());
       }},
      {"ConvInGroups", "convolution",
       [](Net& n) {
         return n.node("Conv", {wide_image(n, {1, 18, 6, 5}), n.weights({12, 3, 3, 3}), n.bias(12)}, "y",
                       unsigned_words(), {{"group", int64_t{6}}, {"pads", Ints{1, 1, 1, 1}}});
       }},
      {"ConvOneDimension", "convolution",
       [](Net& n) {
         return n.node("Conv", {wide_image(n, {3, 4, 11}), n.weights({6, 4, 3})}, "y", unsigned_words(),
                       {{"pads", Ints{1, 1}}});
       }},
      {"Depthwise", "convolution",
       [](Net& n) {
         return n.node("Conv", {wide_image(n, {2, 24, 9, 7}), n.weights({24, 1, 3, 3}), n.bias(24)}, "y",
                       unsigned_words(), {{"group", int64_t{24}}, {"pads", Ints{1, 1, 1, 1}}, {"strides", Ints{2, 2}}});
       }},
      {"DepthwiseOfPrimeChannels", "convolution",
       [](Net& n) {
         return n.node("Conv", {wide_image(n, {1, 17, 5, 5}), n.weights({34, 1, 2, 3})}, "y", signed_words(),
                       {{"group", int64_t{17}}, {"dilations", Ints{2, 1}}});
       }},
      {"ConvTranspose", "transposed_convolution",
       [](Net& n) {
         return n.node("ConvTranspose", {wide_image(n), n.weights({5, 6, 4, 3}, 1)}, "y", unsigned_words(),
                       {{"strides", Ints{2, 3}}, {"pads", Ints{1, 0, 2, 1}}, {"output_padding", Ints{1, 2}}});
       }},
      {"Gemm", "matrix_product",
       [](Net& n) {
         return n.node("Gemm", {wide_image(n, {5, 19}), n.weights({19, 12}, 1), n.bias(12)}, "y", unsigned_words());
       }},
      {"MatMulOfARowToBytes", "matrix_product",
       [](Net& n) {
         return n.y("MatMul", {wide_image(n, {1, 40}), n.weights({40, 70}, 1)});
       }},
      {"MatMulFromBytes", "matrix_product",
       [](Net& n) {
         return n.node("MatMul", {n.image({2, 3, 9}), n.weights({9, 17}, 1)}, "y", signed_words());
       }},
      {"Add", "wide_sum",
       [](Net& n) {
         const ValueId b = n.in("b", {2, 5, 7, 6}, unsigned_words());
         return n.node("Add", {wide_image(n), b}, "y", unsigned_words());
       }},
      {"AddOfBytesToBytes", "wide_sum",
       [](Net& n) {
         const ValueId b = n.in("b", {2, 5, 7, 6}, uint8_grid(0.02F, 90));
         return n.y("Add", {wide_image(n), b});
       }},
      {"AddOfBytes", "wide_sum",
       [](Net& n) {
         const ValueId b = n.in("b", {2, 5, 7, 6}, int8_grid(0.02F, 9));
         return n.node("Add", {n.image(), b}, "y", signed_words());
       }},
      {"AddWithAbsorbedRelu", "wide_sum",
       [](Net& n) {
         const ValueId b = n.in("b", {3, 11}, int8_grid(0.02F, 9));
         return n.node("Relu", {n.node("Add", {b, wide_image(n, {3, 11})}, "sum")}, "y", unsigned_words());
       }},
      {"AddOfARepeatedOperand", "reference",
       [](Net& n) {
         const ValueId b = n.in("b", {5, 1, 1}, unsigned_words());
         return n.node("Add", {wide_image(n), b}, "y", unsigned_words());
       }},
  };
}

class ExactWide : public testing::TestWithParam<Case> {};

TEST_P(ExactWide, GiveTheInterpretersCodes) { expect_exact_node(GetParam()); }

INSTANTIATE_TEST_SUITE_P(Wide, ExactWide, testing::ValuesIn(cases()), name_of_case);

}  // namespace
}  // namespace halftone::test
