#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone::window_test {
namespace {

using namespace test;

TEST(ConvRule, CountsWindowPositions) {
  const TensorType x = typed({2, 6, 13, 17});
  const TensorType w = typed({8, 3, 3, 5});
  EXPECT_EQ(infer("Conv", {x, w}, {{"group", number(2)}}), "float[2, 8, 11, 13]");
  EXPECT_EQ(infer("Conv", {x, w}, {{"group", number(2)}, {"strides", list({2, 3})}, {"pads", list({1, 0, 2, 1})}}),
            "float[2, 8, 7, 5]");
  EXPECT_EQ(infer("Conv", {x, w}, {{"group", number(2)}, {"dilations", list({3, 4})}}), "float[2, 8, 7, 1]");
  for (const char* same : {"SAME_UPPER", "SAME_LOWER"}) {
    EXPECT_EQ(infer("Conv", {x, w}, {{"group", number(2)}, {"auto_pad", word(same)}, {"strides", list({2, 3})}}),
              "float[2, 8, 7, 6]");
  }
  EXPECT_EQ(infer("Conv", {x, w}, {{"group", number(2)}, {"auto_pad", word("VALID")}, {"strides", list({2, 3})}}),
            "float[2, 8, 6, 5]");
  EXPECT_EQ(infer("Conv", {typed({1, 4, 9}), typed({2, 4, 4})}), "float[1, 2, 6]");
  EXPECT_EQ(infer("Conv", {typed({0, 4, 9}), typed({2, 4, 4})}), "float[0, 2, 6]") << "an empty batch stays empty";
}

TEST(ConvRule, KeepsSymbolsWhereTheWindowKeepsExtents) {
  const TensorType x = typed({"N", 3, "H", "?"});
  const TensorType w = typed({8, 3, 3, 3});
  EXPECT_EQ(infer("Conv", {x, w}, {{"pads", list({1, 1, 1, 1})}}), "float[N, 8, H, ?]");
  EXPECT_EQ(infer("Conv", {x, w}), "float[N, 8, ?, ?]");
  EXPECT_EQ(infer("Conv", {x, w}, {{"auto_pad", word("SAME_UPPER")}}), "float[N, 8, H, ?]");
  EXPECT_EQ(infer("Conv", {typed({"N", 3, 8, 8}), TensorType{DType::Float, {}}}), "float[N, ?, ?, ?]");
  EXPECT_EQ(infer("Conv", {TensorType{DType::Float, {}}, w}), "float[...]");
}

TEST(ConvRule, RefusesContradictions) {
  const TensorType x = typed({1, 6, 5, 5});
  const auto conv = [&](const TensorType& w, const Attributes& attributes) {
    return infer("Conv", {x, w}, attributes);
  };
  EXPECT_CONTAINS(conv(typed({8, 3, 3, 3}), {}), "channels and the weights' times group must be equal, found 6 and 3");
  EXPECT_CONTAINS(conv(typed({7, 3, 3, 3}), {{"group", number(2)}}), "group 2 must divide the 7 output channels");
  EXPECT_CONTAINS(conv(typed({8, 6, 3, 3}), {{"group", number(0)}}), "group must be at least 1");
  EXPECT_CONTAINS(conv(typed({8, 6, 3}), {}), "same rank");
  EXPECT_CONTAINS(conv(typed({8, 6, 7, 3}), {}), "a window of 7 (dilation included) does not fit spatial axis 0");
  EXPECT_CONTAINS(conv(typed({8, 6, 3, 3}), {{"strides", list({0, 1})}}), "strides must be at least 1, found 0");
  EXPECT_CONTAINS(conv(typed({8, 6, 3, 3}), {{"strides", list({1})}}), "strides must have 2 entries, found 1");
  EXPECT_CONTAINS(conv(typed({8, 6, 3, 3}), {{"pads", list({0, 0, -1, 0})}}), "pads must be at least 0");
  EXPECT_CONTAINS(conv(typed({8, 6, 3, 3}), {{"kernel_shape", list({3, 2})}}),
                  "kernel_shape must be that of the weights");
  EXPECT_CONTAINS(conv(typed({8, 6, 3, 3}), {{"auto_pad", word("SAME")}}), "found 'SAME'");
  EXPECT_CONTAINS(conv(typed({8, 6, 3, 3}), {{"pads", list({INT64_MAX, 0, 1, 0})}}), "below 2^63");
  EXPECT_CONTAINS(conv(typed({8, 6, 3, 3}), {{"dilations", list({INT64_MAX, 1})}}), "below 2^63");
  EXPECT_CONTAINS(conv(typed({8, 6, 0, 3}), {}), "a kernel must be at least 1");
  EXPECT_CONTAINS(conv(typed({8, 6, 3, 3}, DType::Double), {}), "same element type, found float and double");
  EXPECT_CONTAINS(infer("Conv", {x, typed({8, 6, 3, 3}), typed({4})}), "bias and output channels");
  EXPECT_CONTAINS(infer("Conv", {typed({4, 4}), typed({4, 4})}), "a rank of at least 3");
}

TEST(ConvTransposeRule, InvertsConvolution) {
  const TensorType x = typed({1, 6, 4, 5});
  const TensorType w = typed({6, 2, 3, 3});
  EXPECT_EQ(infer("ConvTranspose", {x, w}), "float[1, 2, 6, 7]");
  EXPECT_EQ(infer("ConvTranspose", {x, w}, {{"group", number(3)}, {"strides", list({2, 3})}}), "float[1, 6, 9, 15]");
  EXPECT_EQ(infer("ConvTranspose", {x, w},
                  {{"strides", list({2, 2})}, {"pads", list({1, 1, 1, 1})}, {"output_padding", list({1, 0})}}),
            "float[1, 2, 8, 9]");
  EXPECT_EQ(infer("ConvTranspose", {x, w}, {{"auto_pad", word("SAME_UPPER")}, {"strides", list({2, 3})}}),
            "float[1, 2, 8, 15]");
  EXPECT_EQ(infer("ConvTranspose", {x, w}, {{"output_shape", list({10, 8})}, {"strides", list({3, 2})}}),
            "float[1, 2, 10, 8]");
  EXPECT_CONTAINS(infer("ConvTranspose", {x, w}, {{"pads", list({4, 0, 4, 0})}}), "padding leaves spatial axis 0");
  EXPECT_CONTAINS(infer("ConvTranspose", {typed({1, 5, 4, 4}), w}), "input's channels and the weights'");
}

TEST(IntegerConvRules, TakeTheirTypesFromTheRightInputs) {
  const TensorType x = typed({1, 2, 5, 5}, DType::UInt8);
  const TensorType w = typed({3, 2, 2, 2}, DType::Int8);
  const Tensor scale = Tensor::scalar(0.5f);
  const Tensor zero = Tensor::scalar<int8_t>(0);
  EXPECT_EQ(infer("ConvInteger", {x, w}), "int32[1, 3, 4, 4]");
  EXPECT_EQ(infer("QLinearConv", {x, scale, Tensor::scalar<uint8_t>(3), w, scale, zero, scale, zero}),
            "int8[1, 3, 4, 4]");
}

TEST(PoolRule, RoundsUpOnlyForWindowsThatStartInTheInput) {
  const Attributes ceil = {{"kernel_shape", list({3, 2})}, {"strides", list({2, 2})}, {"ceil_mode", number(1)}};
  EXPECT_EQ(infer("MaxPool", {typed({1, 3, 6, 5})}, ceil), "float[1, 3, 3, 3]");
  EXPECT_EQ(infer("MaxPool", {typed({1, 3, 6, 5})}, {{"kernel_shape", list({3, 2})}, {"strides", list({2, 2})}}),
            "float[1, 3, 2, 2]");
  // Extent 2, padded to 4, kernel 1, stride 3: a second window would start at 3, in the end padding.
  EXPECT_EQ(
      infer("AveragePool", {typed({1, 1, 2})},
            {{"kernel_shape", list({2})}, {"strides", list({3})}, {"pads", list({1, 1})}, {"ceil_mode", number(1)}}),
      "float[1, 1, 1]");
  EXPECT_EQ(infer("MaxPool", {typed({"N", 3, 7, 7})}, {{"kernel_shape", list({2, 2})}}, 13, 2),
            "float[N, 3, 6, 6]; int64[N, 3, 6, 6]");
  EXPECT_CONTAINS(infer("MaxPool", {typed({1, 3, 7})}), "requires the attribute kernel_shape");
  EXPECT_CONTAINS(infer("LpPool", {typed({1, 3, 7})}, {{"kernel_shape", list({2, 2})}}), "must have 1 entries");
  EXPECT_CONTAINS(infer("MaxPool", {typed({1, 3, 7})}, {{"kernel_shape", list({8})}}), "does not fit");
}

TEST(GlobalPoolRule, LeavesOneElementPerChannel) {
  EXPECT_EQ(infer("GlobalAveragePool", {typed({"N", 7, "H", 3, 2})}), "float[N, 7, 1, 1, 1]");
  EXPECT_CONTAINS(infer("GlobalMaxPool", {typed({3})}), "rank of at least 2");
}

}  // namespace
}  // namespace halftone::window_test
