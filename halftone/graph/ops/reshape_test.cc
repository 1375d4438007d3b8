#include <gtest/gtest.h>

#include "tests/support/test_graph.h"

namespace halftone::reshape_test {
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
  EXPECT_EQ(infer("Reshape", {typed({0, 0}), ints({7, 0, 1})}), "float[7, 0, 1]");
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

}  // namespace
}  // namespace halftone::reshape_test
