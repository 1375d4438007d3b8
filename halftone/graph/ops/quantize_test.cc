#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone::quantize_test {
namespace {

using namespace test;

TEST(QuantizeRules, CheckParameters) {
  const TensorType x = typed({"N", 6, 5});
  const TensorType scales = typed({6});
  EXPECT_EQ(infer("QuantizeLinear", {x, Tensor::scalar(0.5f)}), "uint8[N, 6, 5]");
  EXPECT_EQ(infer("QuantizeLinear", {x, scales, typed({6}, DType::Int4)}, {}, 21), "int4[N, 6, 5]");
  EXPECT_EQ(infer("QuantizeLinear", {x, scales}, {{"output_dtype", number(5)}}, 21), "int16[N, 6, 5]");
  EXPECT_EQ(infer("DequantizeLinear", {typed({6, 5}, DType::Int8), typed({5}, DType::Float16)}), "float16[6, 5]");
  EXPECT_EQ(infer("DequantizeLinear", {typed({6, 5}, DType::UInt4), typed({6, 3})},
                  {{"block_size", number(2)}, {"axis", number(1)}}, 21),
            "float[6, 5]");
  EXPECT_EQ(infer("DynamicQuantizeLinear", {x}, {}, 13, 3), "uint8[N, 6, 5]; float[]; uint8[]");
  EXPECT_CONTAINS(infer("QuantizeLinear", {x, typed({5})}), "the scales and the extent of axis 1 must be equal");
  EXPECT_CONTAINS(infer("QuantizeLinear", {x, scales, typed({5}, DType::Int8)}), "scale and zero point must have");
  EXPECT_CONTAINS(infer("QuantizeLinear", {x, typed({6, 5})}), "rank of 0 to 1");
  EXPECT_CONTAINS(
      infer("DequantizeLinear", {typed({6, 5}, DType::Int8), typed({6, 2})}, {{"block_size", number(2)}}, 21),
      "the blocks of axis 1 and the scales must be equal, found 2 and 3");
  EXPECT_CONTAINS(
      infer("DequantizeLinear", {typed({6}, DType::Int8), Tensor::scalar(1.0f), Tensor::scalar<uint8_t>(0)}),
      "inputs 0 and 2 must have the same element type");
}

}  // namespace
}  // namespace halftone::quantize_test
