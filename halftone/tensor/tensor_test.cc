#include "halftone/tensor/tensor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "halftone/tensor/float16.h"
#include "halftone/tensor/packing.h"

namespace halftone::tensor_test {
namespace {

TEST(Shape, CountsStridesAndBroadcasts) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({3, 0, 5}), 0);
  EXPECT_EQ(contiguous_strides({2, 3, 5}), (std::vector<int64_t>{15, 5, 1}));
  EXPECT_EQ(broadcast({7, 1, 3}, {5, 1}), (Shape{7, 5, 3}));
  EXPECT_EQ(broadcast({}, {0, 2}), (Shape{0, 2}));
  EXPECT_EQ(broadcast({1}, {0}), (Shape{0}));
  EXPECT_EQ(normalize_axis(-3, 3), 0);
  EXPECT_THROW(normalize_axis(3, 3), Error);
  EXPECT_THROW(broadcast({2}, {3}), Error);
  EXPECT_THROW(element_count({-1}), Error);
  EXPECT_THROW(element_count({int64_t{1} << 32, int64_t{1} << 32}), Error);
  EXPECT_EQ(to_string(Shape{1, 3}), "[1, 3]");
}

TEST(Tensor, StartsAsZerosAligned) {
  const Tensor tensor(DType::Float, {3, 5});
  EXPECT_EQ(tensor.size(), 15);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.bytes().data()) % 64, 0u);
  for (float x : tensor.data<float>()) EXPECT_EQ(x, 0.0f);
  EXPECT_THROW(Tensor(DType::Float, {int64_t{1} << 62}), Error);
  EXPECT_FALSE(Tensor().defined());
}

TEST(Tensor, CopiesShareUntilOneIsWritten) {
  Tensor a = Tensor::from<int32_t>({3}, std::vector<int32_t>{1, 2, 3});
  Tensor b = a;
  EXPECT_EQ(a.bytes().data(), b.bytes().data());
  b.mutable_data<int32_t>()[1] = 20;
  EXPECT_EQ(a.data<int32_t>()[1], 2);
  EXPECT_EQ(b.data<int32_t>()[1], 20);
  const std::byte* before = a.bytes().data();
  a.mutable_data<int32_t>()[0] = 10;
  EXPECT_EQ(a.bytes().data(), before) << "a sole owner writes in place";
  const Tensor c = b.reshaped({1, 3, 1});
  EXPECT_EQ(c.bytes().data(), b.bytes().data());
  EXPECT_THROW(b.reshaped({2}), Error);
}

TEST(Tensor, ViewsShareForeignBytesAndNeverWriteThem) {
  const auto bytes = std::make_shared<std::vector<float>>(std::vector<float>{1, 2, 3, 4});
  const std::span<const std::byte> span = std::as_bytes(std::span(*bytes));
  Tensor view = Tensor::view(DType::Float, {4}, span, bytes);
  EXPECT_EQ(view.bytes().data(), span.data());
  view.mutable_data<float>()[0] = 9;
  EXPECT_EQ((*bytes)[0], 1.0f);
  EXPECT_EQ(view.data<float>()[0], 9.0f);
  EXPECT_EQ(bytes.use_count(), 1) << "the view's own copy needs the foreign bytes no longer";
  EXPECT_THROW(Tensor::view(DType::Float, {3}, span, bytes), Error);
}

TEST(Tensor, MisalignedViewsAreReadable) {
  const float elements[] = {1.5f, -2.5f, 3.5f};
  for (size_t shift = 0; shift < 8; ++shift) {
    auto bytes = std::make_shared<std::vector<std::byte>>(sizeof(elements) + shift);
    std::memcpy(bytes->data() + shift, elements, sizeof(elements));
    const Tensor view = Tensor::view(DType::Float, {3}, std::span(*bytes).subspan(shift), bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(view.data<float>().data()) % alignof(float), 0u);
    EXPECT_EQ(to_vector<float>(view), (std::vector<float>{1.5f, -2.5f, 3.5f}));
  }
}

TEST(Tensor, RefusesTheWrongElementType) {
  const Tensor tensor(DType::Int8, {4});
  EXPECT_THROW(tensor.data<float>(), InternalError);
  EXPECT_THROW(tensor.data<uint8_t>(), InternalError);
  EXPECT_NO_THROW(Tensor(DType::Float16, {1}).data<uint16_t>());
  EXPECT_NO_THROW(Tensor(DType::Int4, {3}).data<uint8_t>());
  EXPECT_THROW(tensor.strings(), InternalError);
  EXPECT_THROW(Tensor::from<float>({2}, std::vector<float>{1}), Error);
}

TEST(Tensor, ComparesBitForBit) {
  const auto of = [](float x) { return Tensor::scalar(x); };
  EXPECT_TRUE(of(NAN).same_as(of(NAN)));
  EXPECT_FALSE(of(0.0f).same_as(of(-0.0f)));
  EXPECT_FALSE(of(1).same_as(of(1).reshaped({1})));
  EXPECT_TRUE(Tensor::from_strings({1}, {"a"}).same_as(Tensor::from_strings({1}, {"a"})));
  EXPECT_FALSE(Tensor::from_strings({1}, {"a"}).same_as(Tensor::from_strings({1}, {"b"})));
}

TEST(Convert, IntegersWrapAndFloatsSaturate) {
  const Tensor wide = Tensor::from<int64_t>({5}, std::vector<int64_t>{0, 255, 256, -1, (int64_t{1} << 40) + 130});
  EXPECT_EQ(to_vector<int32_t>(convert(wide, DType::UInt8)), (std::vector<int32_t>{0, 255, 0, 255, 130}));
  EXPECT_EQ(to_vector<int32_t>(convert(wide, DType::Int8)), (std::vector<int32_t>{0, -1, 0, -1, -126}));
  EXPECT_EQ(to_vector<int32_t>(convert(wide, DType::Int4)), (std::vector<int32_t>{0, -1, 0, -1, 2}));
  EXPECT_EQ(to_vector<int32_t>(convert(wide, DType::UInt4)), (std::vector<int32_t>{0, 15, 0, 15, 2}));
  const Tensor real = Tensor::from<float>({7}, std::vector<float>{2.9f, -2.9f, 300, -300, NAN, 1e30f, -1e30f});
  EXPECT_EQ(to_vector<int32_t>(convert(real, DType::Int8)), (std::vector<int32_t>{2, -2, 127, -128, 0, 127, -128}));
  EXPECT_EQ(to_vector<int32_t>(convert(real, DType::UInt4)), (std::vector<int32_t>{2, 0, 15, 0, 0, 15, 0}));
  EXPECT_EQ(to_vector<int64_t>(real), (std::vector<int64_t>{2, -2, 300, -300, 0, INT64_MAX, INT64_MIN}));
  EXPECT_EQ(to_vector<int32_t>(real)[5], INT32_MAX);
}

TEST(Convert, ReadsEveryNumericType) {
  const std::vector<float> small = {0, 1, 0, 1, 1};
  const Tensor source = Tensor::from<float>({5}, small);
  for (int number = 1; number <= 26; ++number) {
    const auto dtype = static_cast<DType>(number);
    if (dtype == DType::String || dtype == DType::Complex64 || dtype == DType::Complex128) {
      EXPECT_THROW(convert(source, dtype), Error);
      continue;
    }
    if (dtype == DType::Int2 || dtype == DType::Float8E8M0) continue;  // 2-bit: below; E8M0 has no zero
    const Tensor converted = convert(source, dtype);
    EXPECT_EQ(converted.dtype(), dtype);
    EXPECT_EQ(to_vector<float>(converted), small) << name_of(dtype);
    EXPECT_EQ(to_vector<int64_t>(converted), (std::vector<int64_t>{0, 1, 0, 1, 1})) << name_of(dtype);
    EXPECT_TRUE(convert(converted, DType::Float).same_as(source)) << name_of(dtype);
  }
  EXPECT_EQ(to_vector<int32_t>(convert(Tensor::scalar(-2.0f), DType::Int2)), (std::vector<int32_t>{-2}));
  EXPECT_EQ(to_vector<int32_t>(convert(source, DType::Bit)), (std::vector<int32_t>{1, 1, 1, 1, 1}));
  EXPECT_EQ(to_vector<int32_t>(convert(Tensor::scalar(-0.5f), DType::Bit)), (std::vector<int32_t>{-1}));
  EXPECT_THROW(to_vector<float>(Tensor::from_strings({1}, {"1"})), Error);
}

TEST(Convert, AnyNonzeroNumberIsTrue) {
  const Tensor tiny = Tensor::from<double>({4}, std::vector<double>{0, 1e-300, -0.0, NAN});
  EXPECT_EQ(to_vector<int32_t>(convert(tiny, DType::Bool)), (std::vector<int32_t>{0, 1, 0, 1}));
  // A file's boolean may hold any byte.
  const auto bytes = std::make_shared<std::vector<std::byte>>(3, std::byte{0x80});
  EXPECT_EQ(to_vector<float>(Tensor::view(DType::Bool, {3}, *bytes, bytes)), (std::vector<float>{1, 1, 1}));
}

TEST(Convert, DoubleToHalfRoundsOnce) {
  // Just above the middle of 1 and the next half: through a float it would become the middle, and then 1.
  const double above_middle = 1 + std::ldexp(1.0, -11) + std::ldexp(1.0, -40);
  const Tensor half = convert(Tensor::scalar(above_middle), DType::Float16);
  EXPECT_EQ(half.data<uint16_t>()[0], 0x3c01);
  EXPECT_EQ(convert(Tensor::scalar(-above_middle), DType::Float16).data<uint16_t>()[0], 0xbc01);
  EXPECT_EQ(convert(Tensor::scalar(1e300), DType::Float16).data<uint16_t>()[0], 0x7c00);
  EXPECT_EQ(convert(Tensor::scalar(5e-324), DType::Float16).data<uint16_t>()[0], 0);
  EXPECT_TRUE(std::isnan(half_to_float(convert(Tensor::scalar<double>(NAN), DType::Float16).data<uint16_t>()[0])));
}

}  // namespace
}  // namespace halftone::tensor_test
