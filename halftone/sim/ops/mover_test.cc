// Operators that move elements treat every element type as they treat int64.
#include <gtest/gtest.h>

#include <limits>

#include "halftone/sim/test_node.h"

namespace halftone::sim::mover_test {
namespace {

constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();

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

}  // namespace
}  // namespace halftone::sim::mover_test
