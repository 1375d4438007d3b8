// Operators that move elements: every element type is moved like int64, and edges that ONNX's test data leaves out.
#include <gtest/gtest.h>

#include <limits>

#include "halftone/sim/test_node.h"
#include "halftone/tensor/packing.h"

namespace halftone::sim {
namespace {

constexpr int64_t kLowest = std::numeric_limits<int64_t>::min(), kHighest = std::numeric_limits<int64_t>::max();

Tensor iota(const Shape& shape) {
  std::vector<int64_t> values(static_cast<size_t>(element_count(shape)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(i);
  return Tensor::from(shape, values);
}

struct Move {
  const char* op;
  std::vector<Tensor> operands;  // after the data
  Attributes attributes;
  size_t outputs = 1;
};

// Each at opset 18, on data of shape [3, 5].
const std::vector<Move>& moves() {
  static const std::vector<Move> all = {
      {"Transpose", {}, {}},
      {"Slice", {vector_of({-1}), vector_of({kLowest}), vector_of({1}), vector_of({-2})}, {}},
      {"Pad", {vector_of({0, 7, 2, 9})}, {{"mode", std::string("reflect")}}},
      {"Pad", {vector_of({0, -2, 2, 1})}, {{"mode", std::string("edge")}}},
      {"Tile", {vector_of({2, 3})}, {}},
      {"Expand", {vector_of({2, 1, 5})}, {}},
      {"Gather", {Tensor::from({2, 1}, std::vector<int64_t>{-1, 0})}, {{"axis", int64_t{1}}}},
      {"GatherElements", {Tensor::from({1, 5}, std::vector<int64_t>{2, 1, 0, -1, -3})}, {}},
      {"GatherND", {Tensor::from({2, 2}, std::vector<int64_t>{2, 4, -3, -1})}, {}},
      {"Compress", {convert(vector_of({1, 0, 1, 1}), DType::Bool)}, {{"axis", int64_t{1}}}},
      {"Split", {vector_of({1, 3, 1})}, {{"axis", int64_t{1}}}, 3},
      {"Reshape", {vector_of({5, -1})}, {}},
      {"Flatten", {}, {{"axis", int64_t{2}}}},
      {"ReverseSequence", {vector_of({2, 5, 0})}, {{"batch_axis", int64_t{0}}, {"time_axis", int64_t{1}}}},
      {"Identity", {}, {}},
  };
  return all;
}

class EveryType : public testing::TestWithParam<DType> {};

TEST_P(EveryType, MovesLikeInt64) {
  const DType dtype = GetParam();
  const Shape shape = {3, 5};
  // Codes that differ between neighbours and fit into the type.
  const int64_t distinct = std::min(int64_t{1} << std::min(bits_of(dtype), 7), int64_t{100});
  const auto code = [&](int64_t i) { return static_cast<uint8_t>(i * 7 % distinct); };
  Tensor data(dtype, shape);
  const int64_t bits = bits_of(dtype);
  const std::span<std::byte> bytes = data.mutable_bytes();
  for (int64_t i = 0; i < data.size(); ++i) {
    const int64_t at = i * bits;
    bytes[static_cast<size_t>(at / 8)] |= static_cast<std::byte>(code(i) << at % 8);
  }
  for (const Move& move : moves()) {
    SCOPED_TRACE(move.op);
    std::vector<Tensor> operands = move.operands;
    operands.insert(operands.begin(), iota(shape));
    const std::vector<Tensor> expected = run_node(move.op, 18, operands, move.attributes, move.outputs);
    operands[0] = data;
    const std::vector<Tensor> moved = run_node(move.op, 18, operands, move.attributes, move.outputs);
    ASSERT_EQ(moved.size(), expected.size());
    for (size_t output = 0; output < moved.size(); ++output) {
      ASSERT_EQ(moved[output].shape(), expected[output].shape());
      ASSERT_EQ(moved[output].dtype(), dtype);
      const std::vector<int64_t> origin = to_vector<int64_t>(expected[output]);
      for (size_t i = 0; i < origin.size(); ++i) {
        const size_t at = i * static_cast<size_t>(bits);
        const auto byte = static_cast<unsigned>(moved[output].bytes()[at / 8]) >> at % 8;
        const unsigned mask = bits < 8 ? (1u << bits) - 1 : 0xff;
        EXPECT_EQ(byte & mask, code(origin[i])) << "element " << i;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Types, EveryType,
                         testing::Values(DType::Bit, DType::UInt2, DType::Int4, DType::Float4E2M1, DType::Bool,
                                         DType::Int8, DType::Float16, DType::BFloat16, DType::Float, DType::UInt64,
                                         DType::Complex128),
                         [](const auto& tested) { return std::string(name_of(tested.param)); });

TEST(Movers, MoveStrings) {
  const Tensor words = Tensor::from_strings({2, 2}, {"a", "b", "c", "d"});
  EXPECT_EQ(run_node("Transpose", 13, {words})[0].strings(), (std::vector<std::string>{"a", "c", "b", "d"}));
  EXPECT_EQ(run_node("Concat", 13, {words, words}, {{"axis", int64_t{1}}})[0].strings(),
            (std::vector<std::string>{"a", "b", "a", "b", "c", "d", "c", "d"}));
  const Tensor where = Tensor::from({1, 1}, std::vector<int64_t>{1});
  EXPECT_EQ(run_node("ScatterND", 16, {words, where, Tensor::from_strings({1, 2}, {"x", "y"})})[0].strings(),
            (std::vector<std::string>{"a", "b", "x", "y"}));
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
}  // namespace halftone::sim
