#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone {
namespace {

using namespace test;

TEST(ReshapeRule, SolvesForTheOpenDimension) {
  EXPECT_EQ(infer("Reshape", {typed({2, 3, 5}), ints({5, -1})}), "float[5, 6]");
  EXPECT_EQ(infer("Reshape", {typed({2, 3, 5}), ints({0, -1})}), "float[2, 15]");
  EXPECT_EQ(infer("Reshape", {typed({"N", 3, 5}), ints({0, -1})}), "float[N, 15]");
  EXPECT_EQ(infer("Reshape", {typed({"N", 3, 5}), ints({-1, 15})}), "float[N, 15]");
  EXPECT_EQ(infer("Reshape", {typed({"N", 3, 5}), ints({-1, 5})}), "float[?, 5]");
  EXPECT_EQ(infer("Reshape", {typed({0, 3}), ints({0, -1})}), "float[0, 3]") << "a copied zero does not hide the rest";
  EXPECT_EQ(infer("Reshape", {typed({0, 3}), ints({3, 0})}, {{"allowzero", number(1)}}, 14), "float[3, 0]");
  EXPECT_EQ(infer("Reshape", {typed({1, 1}), ints({})}), "float[]");
  EXPECT_EQ(infer("Reshape", {typed({4}), typed({3}, DType::Int64)}), "float[?, ?, ?]");
  EXPECT_EQ(infer("Reshape", {typed({4}), typed({"?"}, DType::Int64)}), "float[...]");
  EXPECT_EQ(infer("Reshape", {TensorType{DType::Int8, {}}, ints({2, -1})}), "int8[2, ?]");
}

TEST(ReshapeRule, RefusesOtherElementCounts) {
  EXPECT_CONTAINS(infer("Reshape", {typed({2, 3}), ints({4, 2})}), "float[2, 3] can't be reshaped to 8 elements");
  EXPECT_CONTAINS(infer("Reshape", {typed({2, 3}), ints({4, -1})}), "float[2, 3] can't fill a shape");
  EXPECT_CONTAINS(infer("Reshape", {typed({2, 3}), ints({-1, -1})}), "at most one dimension may be -1");
  EXPECT_CONTAINS(infer("Reshape", {typed({2, 3}), ints({-2, 3})}), "must be -1 or more, found -2");
  EXPECT_CONTAINS(infer("Reshape", {typed({2, 3}), ints({2, 3, 0})}), "dimension 2 is to be copied");
  EXPECT_CONTAINS(infer("Reshape", {typed({2, 3}), ints({INT64_MAX, INT64_MAX})}), "below 2^63");
  EXPECT_CONTAINS(infer("Reshape", {TensorType{DType::Float, {}}, ints({INT64_MAX, 2})}), "2^63 elements or more");
}

TEST(FlattenRule, MultipliesBothSidesOfTheAxis) {
  EXPECT_EQ(infer("Flatten", {typed({2, 3, 5})}), "float[2, 15]");
  EXPECT_EQ(infer("Flatten", {typed({2, 3, 5})}, {{"axis", number(0)}}), "float[1, 30]");
  EXPECT_EQ(infer("Flatten", {typed({2, 3, 5})}, {{"axis", number(3)}}), "float[30, 1]");
  EXPECT_EQ(infer("Flatten", {typed({2, 3, 5})}, {{"axis", number(-1)}}), "float[6, 5]");
  EXPECT_EQ(infer("Flatten", {typed({"N", 3, 5})}), "float[N, 15]");
  EXPECT_EQ(infer("Flatten", {typed({})}, {{"axis", number(0)}}), "float[1, 1]");
  EXPECT_CONTAINS(infer("Flatten", {typed({2, 3})}, {{"axis", number(3)}}), "axis must lie in [-2, 2], found 3");
}

TEST(SqueezeRule, TakesAxesFromAttributeOrInput) {
  EXPECT_EQ(infer("Squeeze", {typed({1, 3, 1})}, {{"axes", list({-1})}}, 11), "float[1, 3]");
  EXPECT_EQ(infer("Squeeze", {typed({1, 3, 1}), ints({0})}), "float[3, 1]");
  EXPECT_EQ(infer("Squeeze", {typed({1, 3, 1})}), "float[3]");
  EXPECT_EQ(infer("Squeeze", {typed({"N", 3, 1})}), "float[...]") << "N may be 1";
  EXPECT_EQ(infer("Squeeze", {typed({"N", 3, 1}), ints({2})}), "float[N, 3]");
  EXPECT_CONTAINS(infer("Squeeze", {typed({1, 3}), ints({1})}), "must have extent 1, found 3 on axis 1");
  EXPECT_CONTAINS(infer("Squeeze", {typed({1, 3}), ints({0, -2})}), "axes must differ, found 0 twice");
  EXPECT_CONTAINS(infer("Squeeze", {typed({1, 3}), ints({2})}), "[-2, 2)");
}

TEST(UnsqueezeRule, PlacesAxesInTheResult) {
  EXPECT_EQ(infer("Unsqueeze", {typed({3, 4})}, {{"axes", list({0, 3})}}, 11), "float[1, 3, 4, 1]");
  EXPECT_EQ(infer("Unsqueeze", {typed({3, 4}), ints({-1, 1})}), "float[3, 1, 4, 1]");
  EXPECT_EQ(infer("Unsqueeze", {typed({}), ints({0})}), "float[1]");
  EXPECT_CONTAINS(infer("Unsqueeze", {typed({3, 4})}), "requires axes");
  EXPECT_CONTAINS(infer("Unsqueeze", {typed({3}), ints({3})}), "[-2, 2)");
}

TEST(ConcatRule, AddsAlongTheAxisOnly) {
  EXPECT_EQ(infer("Concat", {typed({"N", 3}), typed({"N", 4})}, {{"axis", number(-1)}}), "float[N, 7]");
  EXPECT_EQ(infer("Concat", {typed({"N", 3}), typed({2, 3})}, {{"axis", number(0)}}), "float[?, 3]");
  EXPECT_EQ(infer("Concat", {typed({"?", 3}), typed({2, 4})}, {{"axis", number(1)}}), "float[2, 7]");
  EXPECT_EQ(infer("Concat", {typed({0, 3}), typed({2, 3})}, {{"axis", number(0)}}), "float[2, 3]");
  EXPECT_EQ(infer("Concat", {typed({1, 3}), TensorType{DType::Float, {}}}, {{"axis", number(1)}}), "float[1, ?]");
  EXPECT_CONTAINS(infer("Concat", {typed({1, 3}), typed({2, 4})}, {{"axis", number(1)}}), "extents of axis 0");
  EXPECT_CONTAINS(infer("Concat", {typed({1, 3}), typed({3})}, {{"axis", number(0)}}), "input 1 must have rank 2");
  EXPECT_CONTAINS(infer("Concat", {typed({3})}), "requires the attribute axis");
  EXPECT_CONTAINS(infer("Concat", {typed({3}), typed({3}, DType::Int8)}, {{"axis", number(0)}}), "same element type");
}

TEST(SplitRule, DividesEquallyOrAsTold) {
  EXPECT_EQ(infer("Split", {typed({"N", 6})}, {{"axis", number(1)}}, 13, 3), "float[N, 2]; float[N, 2]; float[N, 2]");
  EXPECT_EQ(infer("Split", {typed({7, 2})}, {{"split", list({5, 2})}}, 11, 2), "float[5, 2]; float[2, 2]");
  EXPECT_EQ(infer("Split", {typed({7, 2}), ints({0, 7})}, {}, 13, 2), "float[0, 2]; float[7, 2]");
  EXPECT_EQ(infer("Split", {typed({7})}, {{"num_outputs", number(3)}}, 18, 3), "float[3]; float[3]; float[1]");
  EXPECT_CONTAINS(infer("Split", {typed({7})}, {}, 13, 2), "can't be split into 2 parts");
  EXPECT_CONTAINS(infer("Split", {typed({7}), ints({3, 3})}, {}, 13, 2), "the sum of split and the axis");
  EXPECT_CONTAINS(infer("Split", {typed({7}), ints({3, 4})}, {}, 13, 3), "one entry per output");
  EXPECT_CONTAINS(infer("Split", {typed({7}), ints({INT64_MAX, 1})}, {}, 13, 2), "below 2^63");
}

TEST(SliceRule, ClampsLikeNumpy) {
  const auto slice = [](int64_t start, int64_t end, int64_t step) {
    return infer("Slice", {typed({10, 4}), ints({start}), ints({end}), ints({0}), ints({step})});
  };
  EXPECT_EQ(slice(2, 7, 2), "float[3, 4]");
  EXPECT_EQ(slice(-3, INT64_MAX, 1), "float[3, 4]");
  EXPECT_EQ(slice(0, -1, 1), "float[9, 4]");
  EXPECT_EQ(slice(INT64_MAX, INT64_MIN, -1), "float[10, 4]");
  EXPECT_EQ(slice(8, 1, -3), "float[3, 4]");
  EXPECT_EQ(slice(5, 5, 1), "float[0, 4]");
  EXPECT_EQ(slice(7, 2, 1), "float[0, 4]");
  EXPECT_EQ(slice(0, 10, INT64_MAX), "float[1, 4]");
  EXPECT_EQ(slice(9, INT64_MIN, INT64_MIN), "float[1, 4]");
  EXPECT_CONTAINS(slice(0, 1, 0), "a step must not be 0");
  EXPECT_EQ(infer("Slice", {typed({0}), ints({0}), ints({5})}), "float[0]");
  EXPECT_EQ(infer("Slice", {typed({5, 6})}, {{"starts", list({1, -2})}, {"ends", list({3, 100})}}, 9), "float[2, 2]");
  EXPECT_EQ(infer("Slice", {typed({"N", 6}), ints({0}), ints({INT64_MAX}), ints({0})}), "float[N, 6]");
  EXPECT_EQ(infer("Slice", {typed({"N", 6}), ints({0}), ints({-1}), ints({0})}), "float[?, 6]");
  EXPECT_CONTAINS(infer("Slice", {typed({5}), ints({0}), ints({1, 2})}),
                  "must have equal lengths, found 1, 2, 1 and 1");
  EXPECT_CONTAINS(infer("Slice", {typed({5})}, {}, 9), "requires starts and ends");
  EXPECT_CONTAINS(infer("Slice", {typed({5}), ints({0}), ints({1}), ints({-2})}), "[-1, 1)");
}

TEST(PadRule, AddsAndCrops) {
  EXPECT_EQ(infer("Pad", {typed({1, 3}), ints({0, 2, 0, 1})}), "float[1, 6]");
  EXPECT_EQ(infer("Pad", {typed({"N", 3})}, {{"pads", list({0, -1, 0, 0})}}, 10), "float[N, 2]");
  EXPECT_EQ(infer("Pad", {typed({1, 3, 5}), ints({1, 2}), kLeftOut, ints({-1})}, {}, 18), "float[1, 3, 8]");
  EXPECT_EQ(infer("Pad", {typed({"N", 3}), typed({4}, DType::Int64)}), "float[?, ?]");
  EXPECT_CONTAINS(infer("Pad", {typed({1, 3}), ints({0, 0})}), "two entries per axis");
  EXPECT_CONTAINS(infer("Pad", {typed({1, 3}), ints({0, -4, 0, 0})}), "negative pads take more");
  EXPECT_CONTAINS(infer("Pad", {typed({1, 3}), ints({0, INT64_MAX, 0, 1})}), "below 2^63");
}

TEST(ExpandAndTileRules, Multiply) {
  EXPECT_EQ(infer("Expand", {typed({3, 1}), ints({2, 1, 6})}), "float[2, 3, 6]");
  EXPECT_EQ(infer("Expand", {typed({3, 1}), ints({1})}), "float[3, 1]");
  EXPECT_EQ(infer("Expand", {typed({"N", 4}), typed({2}, DType::Int64)}), "float[?, 4]");
  EXPECT_CONTAINS(infer("Expand", {typed({3}), ints({4})}), "shapes must broadcast");
  EXPECT_EQ(infer("Tile", {typed({2, "N"}), ints({3, 1})}), "float[6, N]");
  EXPECT_EQ(infer("Tile", {typed({2, 3}), ints({0, 1})}), "float[0, 3]");
  EXPECT_CONTAINS(infer("Tile", {typed({2, 3}), ints({1})}), "one entry per axis");
  EXPECT_CONTAINS(infer("Tile", {typed({2}), ints({INT64_MAX})}), "below 2^63");
}

TEST(TransposeRules, PermuteAndRearrange) {
  EXPECT_EQ(infer("Transpose", {typed({"N", 3, 5})}), "float[5, 3, N]");
  EXPECT_EQ(infer("Transpose", {typed({"N", 3, 5})}, {{"perm", list({0, 2, 1})}}), "float[N, 5, 3]");
  EXPECT_CONTAINS(infer("Transpose", {typed({2, 3})}, {{"perm", list({0, 0})}}), "found 0 twice");
  EXPECT_CONTAINS(infer("Transpose", {typed({2, 3})}, {{"perm", list({0})}}), "perm must have 2 entries");
  EXPECT_EQ(infer("DepthToSpace", {typed({"N", 12, 2, 3})}, {{"blocksize", number(2)}}), "float[N, 3, 4, 6]");
  EXPECT_EQ(infer("SpaceToDepth", {typed({"N", 3, 4, 6})}, {{"blocksize", number(2)}}), "float[N, 12, 2, 3]");
  EXPECT_CONTAINS(infer("DepthToSpace", {typed({1, 6, 2, 2})}, {{"blocksize", number(2)}}), "multiple of 4, found 6");
  EXPECT_CONTAINS(infer("SpaceToDepth", {typed({1, 6, 3, 2})}, {{"blocksize", number(2)}}), "the height must be");
  EXPECT_CONTAINS(infer("DepthToSpace", {typed({1, 6, 2, 2})}), "requires the attribute blocksize");
}

}  // namespace
}  // namespace halftone
