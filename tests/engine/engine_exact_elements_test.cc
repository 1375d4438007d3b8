// What moves, compares or maps single elements on codes, one node each.
#include <gtest/gtest.h>

#include "tests/engine/node_case.h"

namespace halftone::test {
namespace {

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

class ExactElements : public testing::TestWithParam<Case> {};
TEST_P(ExactElements, GiveTheInterpretersCodes) { expect_exact_node(GetParam()); }
INSTANTIATE_TEST_SUITE_P(ElementWise, ExactElements, testing::ValuesIn(element_wise()), name_of_case);
INSTANTIATE_TEST_SUITE_P(Moves, ExactElements, testing::ValuesIn(moves()), name_of_case);

}  // namespace
}  // namespace halftone::test
