#include "halftone/tensor/packing.h"

#include <gtest/gtest.h>

#include <string>

#include "halftone/base/rng.h"

namespace halftone::packing_test {
namespace {

const DType kTypes[] = {DType::Bit,   DType::Int2,  DType::UInt2,  DType::Int4,  DType::UInt4, DType::Int8,
                        DType::UInt8, DType::Int16, DType::UInt16, DType::Int32, DType::Bool};

TEST(Packing, UnpackGivesBackWhatWasPacked) {
  Rng rng(7);
  for (const DType dtype : kTypes) {
    const IntegerRange range = range_of(dtype);
    for (int count : {0, 1, 2, 3, 5, 7, 8, 9, 15, 17, 31, 65}) {
      std::vector<int32_t> values(static_cast<size_t>(count));
      for (int32_t& value : values) {
        value = static_cast<int32_t>(
            range.low + static_cast<int64_t>(rng.below(static_cast<uint64_t>(range.high - range.low + 1))));
        if (dtype == DType::Bit && value == 0) value = 1;
      }
      if (count > 1) {
        values.front() = static_cast<int32_t>(range.low);
        values.back() = static_cast<int32_t>(range.high);
      }
      const Tensor packed = pack_integers(dtype, {count}, values);
      EXPECT_EQ(packed.bytes().size(), bytes_for(dtype, count));
      EXPECT_EQ(unpack_integers(packed), values) << name_of(dtype) << " x " << count;
    }
  }
}

TEST(Packing, LowBitsComeFirstAndSpareBitsAreZero) {
  const auto bytes = [](DType dtype, const std::vector<int32_t>& values) {
    const Tensor packed = pack_integers(dtype, {static_cast<int64_t>(values.size())}, values);
    std::vector<int> result;
    for (std::byte b : packed.bytes()) result.push_back(std::to_integer<int>(b));
    return result;
  };
  EXPECT_EQ(bytes(DType::Int4, {1, -1, -8}), (std::vector<int>{0xf1, 0x08}));
  EXPECT_EQ(bytes(DType::UInt4, {15, 2, 3}), (std::vector<int>{0x2f, 0x03}));
  EXPECT_EQ(bytes(DType::Int2, {0, 1, -2, -1, 1}), (std::vector<int>{0b11100100, 0b01}));
  EXPECT_EQ(bytes(DType::Bit, {1, -1, -1, 1, 1, 1, -1, -1, 1}), (std::vector<int>{0b00111001, 0b1}));
}

TEST(Packing, RefusesWhatDoesNotFit) {
  const auto code = [](DType dtype, int32_t value) {
    try {
      pack_integers(dtype, {1}, std::vector<int32_t>{value});
    } catch (const Error& e) {
      return std::string(name_of(e.code()));
    }
    return std::string("packed");
  };
  EXPECT_EQ(code(DType::Int4, 8), "NumericRange");
  EXPECT_EQ(code(DType::Int4, -9), "NumericRange");
  EXPECT_EQ(code(DType::UInt2, -1), "NumericRange");
  EXPECT_EQ(code(DType::Bit, 0), "NumericRange");
  EXPECT_EQ(code(DType::Bool, 2), "NumericRange");
  EXPECT_EQ(code(DType::Float, 1), "Unsupported");
  EXPECT_EQ(code(DType::UInt32, 1), "Unsupported");
  EXPECT_EQ(code(DType::Int4, 7), "packed");
  EXPECT_THROW(pack_integers(DType::Int4, {2}, std::vector<int32_t>{1}), Error);
  EXPECT_THROW(unpack_integers(Tensor(DType::Int64, {1})), Error);
}

TEST(Packing, RangesAreTwosComplement) {
  EXPECT_EQ(range_of(DType::Int4).low, -8);
  EXPECT_EQ(range_of(DType::Int4).high, 7);
  EXPECT_EQ(range_of(DType::UInt16).high, 65535);
  EXPECT_EQ(range_of(DType::Int32).low, -2147483648LL);
  EXPECT_EQ(range_of(DType::UInt32).high, 4294967295LL);
  EXPECT_THROW(range_of(DType::Int64), Error);
}

}  // namespace
}  // namespace halftone::packing_test
