#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone::indexing_test {
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

}  // namespace
}  // namespace halftone::indexing_test
