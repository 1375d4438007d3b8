#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone {
namespace {

using namespace test;

TEST(GatherRules, PlaceIndexShapes) {
  const TensorType indices = typed({2, "K"}, DType::Int64);
  EXPECT_EQ(infer("Gather", {typed({"N", 3, 5}), indices}, {{"axis", number(1)}}), "float[N, 2, K, 5]");
  EXPECT_EQ(infer("Gather", {typed({4, 5}), Tensor::scalar<int64_t>(1)}), "float[5]");
  EXPECT_EQ(infer("GatherElements", {typed({4, 5}), indices}), "float[2, K]");
  EXPECT_EQ(infer("GatherND", {typed({2, 3, 4}), typed({7, 2}, DType::Int64)}), "float[7, 4]");
  EXPECT_EQ(infer("GatherND", {typed({2, 3, 4}), typed({2, 1}, DType::Int64)}, {{"batch_dims", number(1)}}),
            "float[2, 4]");
  EXPECT_CONTAINS(infer("Gather", {typed({4}), indices}, {{"axis", number(1)}}), "[-1, 1)");
  EXPECT_CONTAINS(infer("Gather", {typed({}), indices}), "rank of at least 1");
  EXPECT_CONTAINS(infer("GatherElements", {typed({4}), indices}), "input 1 must have rank 1");
  EXPECT_CONTAINS(infer("GatherND", {typed({2, 3}), typed({7, 3}, DType::Int64)}), "1 to 2 entries, found 3");
  EXPECT_CONTAINS(infer("GatherND", {typed({2, 3}), typed({7, 1}, DType::Int64)}, {{"batch_dims", number(2)}}),
                  "batch_dims must lie in [0, 2)");
}

TEST(ScatterRules, CheckUpdates) {
  const TensorType indices = typed({2, 1}, DType::Int64);
  EXPECT_EQ(infer("ScatterND", {typed({4, 5}), indices, typed({2, 5})}), "float[4, 5]");
  EXPECT_EQ(infer("ScatterElements", {typed({4, 5}), indices, typed({2, 1})}), "float[4, 5]");
  EXPECT_CONTAINS(infer("ScatterND", {typed({4, 5}), indices, typed({2, 4})}), "updates and indexed slices");
  EXPECT_CONTAINS(infer("ScatterElements", {typed({4, 5}), indices, typed({2, 2})}), "indices and updates");
  EXPECT_CONTAINS(infer("ScatterElements", {typed({4, 5}), indices, typed({2, 1}, DType::Int8)}), "same element type");
}

TEST(SelectionRules, CountWhatTheyCan) {
  EXPECT_EQ(infer("TopK", {typed({"N", 9}), ints({4})}, {}, 11, 2), "float[N, 4]; int64[N, 4]");
  EXPECT_EQ(infer("TopK", {typed({"N", 9})}, {{"k", number(3)}, {"axis", number(0)}}, 9, 2),
            "float[3, 9]; int64[3, 9]");
  EXPECT_EQ(infer("TopK", {typed({"N", 9}), typed({1}, DType::Int64)}, {}, 11, 2), "float[N, ?]; int64[N, ?]");
  EXPECT_CONTAINS(infer("TopK", {typed({9}), ints({10})}, {}, 11, 2), "k must be at most the extent 9, found 10");
  EXPECT_CONTAINS(infer("TopK", {typed({9}), ints({-1})}, {}, 11, 2), "k must not be negative");
  EXPECT_EQ(infer("OneHot", {typed({"N"}, DType::Int64), ints({7}), floats({0, 1})}), "float[N, 7]");
  EXPECT_EQ(infer("OneHot", {typed({2, 3}, DType::Int64), Tensor::scalar(7.0f), ints({0, 1})}, {{"axis", number(1)}}),
            "int64[2, 7, 3]");
  EXPECT_EQ(infer("NonZero", {typed({2, 3, 4})}), "int64[3, ?]");
  EXPECT_EQ(infer("Compress", {typed({2, 3}), typed({3}, DType::Bool)}, {{"axis", number(-1)}}), "float[2, ?]");
  EXPECT_EQ(infer("Compress", {typed({2, 3}), typed({3}, DType::Bool)}), "float[?]");
}

TEST(GeneratorRules, MakeShapesFromContent) {
  EXPECT_EQ(infer("ConstantOfShape", {ints({2, 0, 3})}), "float[2, 0, 3]");
  EXPECT_EQ(infer("ConstantOfShape", {ints({})}, {{"value", ints({5})}}), "int64[]");
  EXPECT_EQ(infer("ConstantOfShape", {typed({2}, DType::Int64)}), "float[?, ?]");
  EXPECT_CONTAINS(infer("ConstantOfShape", {ints({-1})}), "must not be negative, found -1");
  EXPECT_CONTAINS(infer("ConstantOfShape", {ints({INT64_MAX, 2})}), "2^63 elements or more");
  const auto number64 = [](int64_t n) { return Tensor::scalar(n); };
  EXPECT_EQ(infer("Range", {number64(1), number64(8), number64(3)}), "int64[3]");
  EXPECT_EQ(infer("Range", {number64(8), number64(1), number64(-3)}), "int64[3]");
  EXPECT_EQ(infer("Range", {number64(8), number64(1), number64(3)}), "int64[0]");
  EXPECT_EQ(infer("Range", {Tensor::scalar(0.0f), Tensor::scalar(1.0f), Tensor::scalar(0.3f)}), "float[4]");
  EXPECT_EQ(infer("Range", {typed({}), typed({}), typed({})}), "float[?]");
  EXPECT_CONTAINS(infer("Range", {number64(1), number64(8), number64(0)}), "delta must not be 0");
  EXPECT_CONTAINS(infer("Range", {number64(INT64_MIN), number64(INT64_MAX), number64(1)}), "below 2^63");
  EXPECT_CONTAINS(infer("Range", {Tensor::scalar(0.0f), Tensor::scalar(1.0f), Tensor::scalar(0.0f)}), "is no range");
  EXPECT_EQ(infer("EyeLike", {typed({2, "M"})}, {{"dtype", number(11)}}), "double[2, M]");
  EXPECT_EQ(infer("Shape", {typed({2, "M", 5})}, {{"start", number(-2)}}, 15), "int64[2]");
  EXPECT_EQ(infer("Size", {typed({2, "M"})}), "int64[]");
  EXPECT_EQ(infer("Constant", {}, {{"value_floats", std::vector<float>{1, 2}}}), "float[2]");
  EXPECT_EQ(infer("Constant", {}, {{"value_int", number(1)}}), "int64[]");
}

TEST(ResizeRules, MultiplyOrTakeSizes) {
  const TensorType x = typed({"N", 3, 10, 7});
  const Tensor scales = floats({1, 1, 0.7f, 2});
  EXPECT_EQ(infer("Resize", {x, kLeftOut, scales}), "float[N, 3, 7, 14]");
  EXPECT_EQ(infer("Resize", {x, scales}, {}, 10), "float[N, 3, 7, 14]");
  EXPECT_EQ(infer("Resize", {x, kLeftOut, floats({}), ints({2, 3, 5, 5})}), "float[2, 3, 5, 5]");
  EXPECT_EQ(infer("Resize", {x, kLeftOut, kLeftOut, ints({20, 20})}, {{"axes", list({2, 3})}}, 18),
            "float[N, 3, 20, 20]");
  // The smaller of 20/10 and 20/7 for all, or the larger: 7 * 2 and 10 * 20/7 rounded.
  EXPECT_EQ(infer("Resize", {x, kLeftOut, kLeftOut, ints({20, 20})},
                  {{"axes", list({2, 3})}, {"keep_aspect_ratio_policy", word("not_larger")}}, 18),
            "float[N, 3, 20, 14]");
  EXPECT_EQ(infer("Resize", {x, kLeftOut, kLeftOut, ints({20, 20})},
                  {{"axes", list({2, 3})}, {"keep_aspect_ratio_policy", word("not_smaller")}}, 18),
            "float[N, 3, 29, 20]");
  EXPECT_EQ(infer("Upsample", {x}, {{"scales", std::vector<float>{1, 1, 2, 3}}}, 7), "float[N, 3, 20, 21]");
  EXPECT_EQ(infer("Upsample", {x, floats({1, 1, 2, 3})}, {}, 9), "float[N, 3, 20, 21]");
  EXPECT_EQ(infer("Resize", {x, kLeftOut, typed({4})}), "float[?, ?, ?, ?]");
  EXPECT_CONTAINS(infer("Resize", {x}), "requires scales or sizes");
  EXPECT_CONTAINS(infer("Resize", {x, kLeftOut, floats({1, 2})}), "one entry per axis");
  EXPECT_CONTAINS(infer("Resize", {x, kLeftOut, floats({1, 1, 0, 1})}), "a scale must be positive");
  EXPECT_CONTAINS(infer("Resize", {x, kLeftOut, floats({1, 1, 3e38f, 1})}), "below 2^62");
}

TEST(NormalizationRules, CheckChannels) {
  const TensorType x = typed({"N", 6, 5});
  const TensorType c = typed({6});
  EXPECT_EQ(infer("BatchNormalization", {x, c, c, c, c}), "float[N, 6, 5]");
  EXPECT_EQ(infer("BatchNormalization", {x, c, c, c, c}, {{"training_mode", number(1)}}, 15, 3),
            "float[N, 6, 5]; float[6]; float[6]");
  EXPECT_EQ(infer("BatchNormalization", {x, c, c, c, c}, {}, 9, 5),
            "float[N, 6, 5]; float[6]; float[6]; float[6]; float[6]");
  EXPECT_CONTAINS(infer("BatchNormalization", {x, c, typed({5}), c, c}), "input 2 and the channels");
  EXPECT_EQ(infer("LayerNormalization", {x, c}, {{"axis", number(1)}}, 17, 3),
            "float[N, 6, 5]; float[N, 1, 1]; float[N, 1, 1]");
  EXPECT_EQ(infer("Softmax", {typed({4})}, {}, 7), "float[4]");
  EXPECT_CONTAINS(infer("Softmax", {typed({4})}, {{"axis", number(1)}}), "[-1, 1)");
  EXPECT_CONTAINS(infer("GroupNormalization", {x, c, c}, {{"num_groups", number(4)}}, 21),
                  "must divide the 6 channels");
}

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
}  // namespace halftone
