#include <cmath>

#include "halftone/sim/ops/test_one_op.h"
#include "halftone/tensor/packing.h"

namespace halftone::sim::quantize_linear_test {
namespace {

TEST(QuantizeLinear, RoundsHalfToEvenAndSaturates) {
  const Tensor x = tensor({8}, {-1, 1, 3, 5, -3, 1000, -1000, NAN});
  const OneOp op{"QuantizeLinear", {x, Tensor::scalar(2.0f), tensor<uint8_t>({}, {128})}};
  const Tensor y = op.run();
  EXPECT_EQ(y.dtype(), DType::UInt8);
  expect_equal(y, {8}, {128, 128, 130, 130, 126, 255, 0, 128});
  expect_equal(OneOp{"QuantizeLinear", {tensor({2}, {-1, 255.5f}), Tensor::scalar(1.0f)}}.run(), {2}, {0, 255});
}

TEST(QuantizeLinear, EveryIntegerType) {
  const Tensor x = tensor({2}, {-1e6f, 1e6f});
  for (const DType dtype : {DType::UInt8, DType::Int8, DType::UInt16, DType::Int16, DType::UInt4, DType::Int4}) {
    const IntegerRange range = range_of(dtype);
    const OneOp typed{"QuantizeLinear", {x, Tensor::scalar(1.0f)}, {{"output_dtype", static_cast<int64_t>(dtype)}}};
    const Tensor y = typed.run();
    EXPECT_EQ(y.dtype(), dtype);
    expect_equal(y, {2}, {static_cast<double>(range.low), static_cast<double>(range.high)});
    const Tensor back = OneOp{"DequantizeLinear", {y, Tensor::scalar(0.5f)}}.run();
    expect_equal(back, {2}, {static_cast<double>(range.low) / 2, static_cast<double>(range.high) / 2});
  }
}

TEST(QuantizeLinear, PerAxisAndPerBlock) {
  const Tensor x = tensor({2, 3}, {2, 4, 6, 20, 40, 60});
  const Attributes rows = {{"axis", int64_t{0}}};
  const Tensor scales = tensor({2}, {2, 20}), zeros = tensor<uint8_t>({2}, {0, 10});
  const Tensor y = OneOp{"QuantizeLinear", {x, scales, zeros}, rows}.run();
  expect_equal(y, {2, 3}, {1, 2, 3, 11, 12, 13});
  expect_equal(OneOp{"DequantizeLinear", {y, scales, zeros}, rows}.run(), {2, 3}, {2, 4, 6, 20, 40, 60});

  // Blocks of two along the last axis: three columns make two blocks.
  const Attributes blocks = {{"axis", int64_t{1}}, {"block_size", int64_t{2}}};
  const Tensor block_scales = tensor({2, 2}, {2, 3, 20, 30});
  const Tensor z = OneOp{"QuantizeLinear", {x, block_scales}, blocks}.run();
  expect_equal(z, {2, 3}, {1, 2, 2, 1, 2, 2});
  expect_equal(OneOp{"DequantizeLinear", {z, block_scales}, blocks}.run(), {2, 3}, {2, 4, 6, 20, 40, 60});
}

TEST(QuantizeLinear, Float8) {
  const OneOp op{"QuantizeLinear",
                 {tensor({3}, {2, 3, 1e9f}), Tensor::scalar(2.0f)},
                 {{"output_dtype", static_cast<int64_t>(DType::Float8E4M3FN)}}};
  const Tensor y = op.run();
  expect_equal(y, {3}, {1, 1.5, 448});
  expect_equal(OneOp{"DequantizeLinear", {y, Tensor::scalar(2.0f)}}.run(), {3}, {2, 3, 896});
}

TEST(QuantizeLinear, RefusesContradictions) {
  const Tensor x = counting({2, 3}), one = Tensor::scalar(1.0f);
  EXPECT_REFUSED((OneOp{"QuantizeLinear", {x, tensor({2}, {1, 1})}}), "must have the shape [3], found [2]");
  EXPECT_REFUSED((OneOp{"QuantizeLinear", {x, one, tensor<uint8_t>({2}, {0, 0})}}), "must have one shape");
  EXPECT_REFUSED((OneOp{"QuantizeLinear", {x, one, counting({})}}), "found float");
  EXPECT_REFUSED((OneOp{"QuantizeLinear", {x, counting({3})}, {{"axis", int64_t{2}}}}), "axis");
  EXPECT_REFUSED((OneOp{"QuantizeLinear", {x, one}, {{"output_dtype", static_cast<int64_t>(DType::Bool)}}}),
                 "found bool");
  EXPECT_REFUSED((OneOp{"DequantizeLinear", {tensor<uint8_t>({1}, {1}), one, tensor<int8_t>({1}, {1})}}),
                 "zero points must be uint8, found int8");
  EXPECT_REFUSED((OneOp{"DequantizeLinear", {tensor<int64_t>({1}, {1}), one}}), "int64");
}

TEST(DequantizeLinear, BiasesAndHalves) {
  expect_equal(OneOp{"DequantizeLinear", {tensor<int32_t>({2}, {-70000, 3}), Tensor::scalar(0.5f)}}.run(), {2},
               {-35000, 1.5});
  const Tensor half =
      OneOp{"DequantizeLinear", {tensor<int8_t>({1}, {3}), convert(Tensor::scalar(0.5f), DType::Float16)}}.run();
  EXPECT_EQ(half.dtype(), DType::Float16);
  expect_equal(half, {1}, {1.5});
}

TEST(DynamicQuantizeLinear, RangeContainsZero) {
  const auto run = [](std::vector<float> x) {
    const auto count = static_cast<int64_t>(x.size());
    OneOp op{"DynamicQuantizeLinear", {tensor({count}, std::move(x))}};
    op.outputs = 3;
    return op.run_all();
  };
  const std::vector<Tensor> positive = run({51, 255});
  expect_equal(positive[0], {2}, {51, 255});
  expect_equal(positive[1], {}, {1});
  expect_equal(positive[2], {}, {0});
  const std::vector<Tensor> mixed = run({-51, 204});
  expect_equal(mixed[0], {2}, {0, 255});
  expect_equal(mixed[2], {}, {51});
  expect_equal(run({0, 0})[1], {}, {1});
  EXPECT_REFUSED((OneOp{"DynamicQuantizeLinear", {tensor({1}, {INFINITY})}}), "finite");
}

}  // namespace
}  // namespace halftone::sim::quantize_linear_test
