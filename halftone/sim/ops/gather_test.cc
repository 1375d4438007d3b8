// Gather, Scatter and the generators at the edges that ONNX's test data leaves out, and what damaged models ask for.
#include <gtest/gtest.h>

#include <limits>

#include "halftone/sim/test_node.h"

namespace halftone::sim::gather_test {
namespace {

constexpr int64_t kLowest = std::numeric_limits<int64_t>::min(), kHighest = std::numeric_limits<int64_t>::max();

Tensor iota(const Shape& shape) {
  std::vector<int64_t> values(static_cast<size_t>(element_count(shape)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(i);
  return Tensor::from(shape, values);
}

TEST(Gather, RefusesIndicesOutside) {
  EXPECT_THROW(run_node("Gather", 13, {iota({3}), vector_of({3})}), Error);
  EXPECT_THROW(run_node("Gather", 13, {iota({3}), vector_of({-4})}), Error);
  EXPECT_THROW(run_node("GatherElements", 13, {iota({3}), vector_of({0, 3})}), Error);
  EXPECT_THROW(run_node("GatherND", 13, {iota({3}), Tensor::from({1, 2}, std::vector<int64_t>{0, 0})}), Error);
  EXPECT_THROW(run_node("ScatterND", 18, {iota({3}), Tensor::from({1, 1}, std::vector<int64_t>{3}), vector_of({9})}),
               Error);
}

TEST(GatherND, KeepsBatches) {
  // numpy: [x[b, i[b]] for b in range(2)].
  const Tensor indices = Tensor::from({2, 1}, std::vector<int64_t>{1, -3});
  EXPECT_EQ(values_of("GatherND", 13, {iota({2, 3, 2}), indices}, {{"batch_dims", int64_t{1}}}),
            (std::vector<double>{2, 3, 6, 7}));
}

TEST(Scatter, ReducesInOrder) {
  const auto scatter = [](const char* reduction) {
    return values_of("ScatterElements", 18, {vector_of({5, 5, 5}), vector_of({1, 1, -1}), vector_of({2, 9, 3})},
                     {{"reduction", std::string(reduction)}});
  };
  using Values = std::vector<double>;
  EXPECT_EQ(scatter("none"), (Values{5, 9, 3}));
  EXPECT_EQ(scatter("add"), (Values{5, 16, 8}));
  EXPECT_EQ(scatter("mul"), (Values{5, 90, 15}));
  EXPECT_EQ(scatter("max"), (Values{5, 9, 5}));
  EXPECT_EQ(scatter("min"), (Values{5, 2, 3}));
  EXPECT_THROW(scatter("xor"), Error);
}

TEST(Generators, MakeWhatTheirDefinitionsSay) {
  const auto range = [](float start, float limit, float delta) {
    return values_of("Range", 11, {Tensor::scalar(start), Tensor::scalar(limit), Tensor::scalar(delta)});
  };
  EXPECT_EQ(range(1, 2, 0.4f), (std::vector<double>{1, 1.4f, 1.8f}));
  EXPECT_EQ(range(3, 0, -2), (std::vector<double>{3, 1}));
  EXPECT_EQ(range(0, 5, -1), std::vector<double>{});
  EXPECT_THROW(range(0, 1, 0), Error);
  EXPECT_EQ(values_of("EyeLike", 9, {Tensor(DType::Int32, {2, 3})}, {{"k", kLowest}}), std::vector<double>(6, 0));
  EXPECT_EQ(values_of("EyeLike", 9, {Tensor(DType::Int32, {3, 2})}, {{"k", int64_t{-1}}}),
            (std::vector<double>{0, 0, 1, 0, 0, 1}));
  EXPECT_EQ(values_of("Trilu", 14, {iota({2, 3}), Tensor::scalar(kHighest)}), std::vector<double>(6, 0));
  EXPECT_EQ(values_of("Trilu", 14, {iota({2, 3}), Tensor::scalar(int64_t{-1})}, {{"upper", int64_t{0}}}),
            (std::vector<double>{0, 0, 0, 3, 0, 0}));
  EXPECT_EQ(values_of("OneHot", 11, {vector_of({-1, 5, 1}), Tensor::scalar(int64_t{2}), floats({0, 1})}),
            (std::vector<double>{0, 1, 0, 0, 0, 1}));
  EXPECT_EQ(run_node("NonZero", 13, {floats({0, 2, 0, -1})})[0].shape(), (Shape{1, 2}));
}

// Shapes that a damaged or malicious model asks for are refused before memory is taken.
TEST(Hostile, HugeResultsAreRefused) {
  const int64_t huge = int64_t{1} << 40;
  EXPECT_THROW(run_node("Expand", 13, {floats({1}), vector_of({huge})}), Error);
  EXPECT_THROW(run_node("Expand", 13, {floats({1}), vector_of({kHighest, kHighest})}), Error);
  EXPECT_THROW(run_node("Tile", 13, {floats({1}), vector_of({huge})}), Error);
  EXPECT_THROW(run_node("Tile", 13, {floats({1}), vector_of({-1})}), Error);
  EXPECT_THROW(run_node("ConstantOfShape", 9, {vector_of({huge})}), Error);
  EXPECT_THROW(run_node("Pad", 18, {floats({1}), vector_of({huge, 0})}), Error);
  EXPECT_THROW(run_node("OneHot", 11, {vector_of({0}), Tensor::scalar(huge), floats({0, 1})}), Error);
  const auto scalar = [](int64_t value) { return Tensor::scalar(value); };
  EXPECT_THROW(run_node("Range", 11, {scalar(kLowest), scalar(kHighest), scalar(1)}), Error);
  EXPECT_THROW(run_node("Add", 13, {Tensor(DType::Int8, {1 << 20, 1}), Tensor(DType::Int8, {1, 1 << 20})}), Error);
  // No elements, but an endless dimension.
  const Tensor endless = run_node("ConstantOfShape", 9, {vector_of({0, huge})})[0];
  EXPECT_THROW(run_node("Gather", 13, {endless, vector_of({0})}, {{"axis", int64_t{0}}}), Error);
  EXPECT_THROW(run_node("ReduceSum", 13, {endless, vector_of({0})}), Error);
}

}  // namespace
}  // namespace halftone::sim::gather_test
