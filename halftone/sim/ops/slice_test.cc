// Slice, Pad, Split and Reshape at the edges that ONNX's test data leaves out.
#include <gtest/gtest.h>

#include <limits>

#include "halftone/sim/test_node.h"

namespace halftone::sim::slice_test {
namespace {

constexpr int64_t kLowest = std::numeric_limits<int64_t>::min(), kHighest = std::numeric_limits<int64_t>::max();

Tensor iota(const Shape& shape) {
  std::vector<int64_t> values(static_cast<size_t>(element_count(shape)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(i);
  return Tensor::from(shape, values);
}

TEST(Slice, ClampsFarPositions) {
  const auto slice = [](int64_t start, int64_t end, int64_t step) {
    return values_of("Slice", 13, {iota({4}), vector_of({start}), vector_of({end}), vector_of({0}), vector_of({step})});
  };
  using Values = std::vector<double>;
  EXPECT_EQ(slice(kLowest, kHighest, 1), (Values{0, 1, 2, 3}));
  EXPECT_EQ(slice(kHighest, kLowest, -1), (Values{3, 2, 1, 0}));
  EXPECT_EQ(slice(1, kHighest, kHighest), (Values{1}));
  EXPECT_EQ(slice(-1, kLowest, kLowest), (Values{3}));
  EXPECT_EQ(slice(3, 1, 1), Values{});
  EXPECT_EQ(slice(-2, -1, 1), Values{2});
  EXPECT_THROW(slice(0, 4, 0), Error);
  const Tensor none(DType::Float, {2, 0});
  EXPECT_EQ(run_node("Slice", 13, {none, vector_of({-1}), vector_of({-5}), vector_of({1}), vector_of({-1})})[0].shape(),
            (Shape{2, 0}));
}

TEST(Slice, BeforeOpset10ReadsAttributes) {
  EXPECT_EQ(values_of("Slice", 9, {iota({2, 3})}, {{"starts", ints({1})}, {"ends", ints({9})}, {"axes", ints({1})}}),
            (std::vector<double>{1, 2, 4, 5}));
}

// Expected values as numpy.pad gives them.
TEST(Pad, RepeatsAsOftenAsItMust) {
  const auto pad = [](const char* mode) {
    return values_of("Pad", 19, {iota({3}), vector_of({4, 5})}, {{"mode", std::string(mode)}});
  };
  using Values = std::vector<double>;
  EXPECT_EQ(pad("reflect"), (Values{0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2, 1}));
  EXPECT_EQ(pad("wrap"), (Values{2, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1}));
  EXPECT_EQ(pad("edge"), (Values{0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2, 2}));
  EXPECT_EQ(pad("constant"), (Values{0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0}));
  EXPECT_THROW(pad("mirror"), Error);
}

TEST(Pad, CropsAndNamesAxes) {
  const Tensor one = Tensor::scalar(int64_t{7});
  EXPECT_EQ(values_of("Pad", 18, {iota({2, 3}), vector_of({-1, 1}), one, vector_of({-1})}),
            (std::vector<double>{1, 2, 7, 4, 5, 7}));
  EXPECT_EQ(values_of("Pad", 10, {convert(iota({2}), DType::Float)}, {{"pads", ints({1, 0})}, {"value", 0.5f}}),
            (std::vector<double>{0.5, 0, 1}));
  EXPECT_THROW(run_node("Pad", 18, {iota({2, 3}), vector_of({0, -4}), one, vector_of({1})}), Error);
  EXPECT_THROW(run_node("Pad", 18, {iota({2}), vector_of({kLowest, kHighest})}), Error);
  EXPECT_THROW(run_node("Pad", 18, {Tensor(DType::Float, {0}), vector_of({1, 1})}, {{"mode", std::string("edge")}}),
               Error);
}

TEST(Split, LastPartMayBeShorterFromOpset18) {
  const auto lengths = [](int64_t opset, const std::vector<Tensor>& operands, Attributes attributes, size_t outputs) {
    std::vector<int64_t> result;
    for (const Tensor& part : run_node("Split", opset, operands, attributes, outputs)) result.push_back(part.size());
    return result;
  };
  EXPECT_EQ(lengths(18, {iota({7})}, {{"num_outputs", int64_t{3}}}, 3), (std::vector<int64_t>{3, 3, 1}));
  EXPECT_EQ(lengths(13, {iota({6})}, {}, 3), (std::vector<int64_t>{2, 2, 2}));
  EXPECT_EQ(lengths(11, {iota({6})}, {{"split", ints({0, 6})}}, 2), (std::vector<int64_t>{0, 6}));
  EXPECT_THROW(lengths(13, {iota({7})}, {}, 3), Error);
  EXPECT_THROW(lengths(13, {iota({7}), vector_of({kHighest, 7})}, {}, 2), Error);
  EXPECT_THROW(lengths(13, {iota({7}), vector_of({-1, 8})}, {}, 2), Error);
}

TEST(Reshape, ReadsZeroAndMinusOne) {
  const auto shape = [](const Tensor& x, std::vector<int64_t> target, int64_t allowzero = 0) {
    return run_node("Reshape", 14, {x, vector_of(std::move(target))}, {{"allowzero", allowzero}})[0].shape();
  };
  EXPECT_EQ(shape(iota({2, 3, 4}), {0, -1}), (Shape{2, 12}));
  EXPECT_EQ(shape(Tensor(DType::Float, {0, 3}), {3, 0}, 1), (Shape{3, 0}));
  EXPECT_EQ(shape(Tensor(DType::Float, {0, 3}), {0, -1}), (Shape{0, 3}));
  EXPECT_EQ(shape(Tensor(DType::Float, {0, 0}), {7, 0, 1}), (Shape{7, 0, 1}));
  EXPECT_EQ(shape(iota({1}), {}), Shape{});
  EXPECT_THROW(shape(iota({6}), {-1, -1}), Error);
  EXPECT_THROW(shape(iota({6}), {4, -1}), Error);
  EXPECT_THROW(shape(iota({6}), {6, 0}), Error);
  EXPECT_THROW(shape(Tensor(DType::Float, {0, 3}), {0, -1}, 1), Error);
  EXPECT_THROW(shape(iota({6}), {-6, -1}), Error);
}

}  // namespace
}  // namespace halftone::sim::slice_test
