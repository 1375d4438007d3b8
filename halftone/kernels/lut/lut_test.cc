#include "halftone/kernels/lut/lut.h"

#include <algorithm>
#include <numeric>

#include "halftone/kernels/test_codes.h"

namespace halftone::kernels::lut_test {
namespace {

using test::for_each_kernel;
using test::random_codes;
using test::untouched;

// A table of every kind that some kernel is made for.
std::vector<Table> tables() {
  Rng rng(1);
  std::vector<Table> tables = {make_table([](int32_t x) { return x; }), make_table([](int32_t x) { return 255 - x; }),
                               make_table([](int32_t x) { return std::clamp(x, 17, 200); }),
                               make_table([](int32_t x) { return std::max(x, 128); }),
                               make_table([](int32_t) { return 9; })};
  tables.push_back(make_table([&](int32_t) { return static_cast<int32_t>(rng.below(256)); }));
  return tables;
}

TEST(Lut, EveryKernelOnRowsWithGaps) {
  Rng rng(2);
  for (const Table& table : tables()) {
    for (const int64_t columns : test::odd_columns()) {
      const Rows rows = {3, columns, columns + 5, columns + 9};
      const std::vector<uint8_t> from = random_codes(rng, 3 * rows.from_stride);
      std::vector<uint8_t> expected = untouched(3 * rows.to_stride);
      for (int64_t r = 0; r < 3; ++r) {
        for (int64_t c = 0; c < columns; ++c) {
          expected[static_cast<size_t>(r * rows.to_stride + c)] =
              table[from[static_cast<size_t>(r * rows.from_stride + c)]];
        }
      }
      for_each_kernel(lut_kernels(), table, [&](const LutKernel& kernel) {
        std::vector<uint8_t> found = untouched(3 * rows.to_stride);
        kernel.run(table.data(), rows, from.data(), found.data());
        ASSERT_EQ(found, expected) << columns;
      });
    }
  }
}

TEST(Lut, EveryKernelOnAllCodesInPlace) {
  for (const Table& table : tables()) {
    for_each_kernel(lut_kernels(), table, [&](const LutKernel& kernel) {
      for (const int64_t columns : {256, 128, 16}) {
        std::vector<uint8_t> codes(256 + kSlack);
        std::iota(codes.begin(), codes.begin() + 256, uint8_t{0});
        kernel.run(table.data(), {256 / columns, columns, columns, columns}, codes.data(), codes.data());
        ASSERT_TRUE(std::equal(table.begin(), table.end(), codes.begin()));
      }
    });
  }
}

TEST(Lut, SelectionSaysWhyNot) {
  for (const Table& table : tables()) ASSERT_NE(choose_lut(table).kernel, nullptr);
  const Choice<LutKernel> any = choose_lut(tables()[1]);
  const auto refused = [&](std::string_view kernel, std::string_view reason) {
    return std::any_of(any.refusals.begin(), any.refusals.end(),
                       [&](const Refusal& r) { return r.kernel == kernel && r.reason == reason; });
  };
  EXPECT_TRUE(refused("lut_copy", "the table changes codes"));
  EXPECT_TRUE(refused("lut_clamp_avx2", has_isa(Isa::Avx2) ? "the table does more than clamp"
                                                           : "this processor lacks (or HALFTONE_ISA excludes) avx2"));
  EXPECT_EQ(find_kernel(lut_kernels(), "lut_portable"), &lut_kernels().back());
  EXPECT_EQ(find_kernel(lut_kernels(), "none"), nullptr);
}

TEST(LutTables, AreTheDefinition) {
  for (const StoredGrid& to : test::grids()) {
    for (const int32_t zero_point : {0, 255, 128, 37}) {
      for (const float multiplier : {1.0F, 0.5F, 1.7e-3F, 300.0F, 2.5F}) {
        for (const float negative : {multiplier, 0.01F * multiplier, 0.0F, -multiplier}) {
          const Table in_float = activation_table(RequantizeMode::Float, zero_point, multiplier, negative, to);
          const Table dyadic = activation_table(RequantizeMode::Dyadic, zero_point, multiplier, negative, to);
          for (int32_t code = 0; code < 256; ++code) {
            const float m = code < zero_point ? negative : multiplier;
            const auto i = static_cast<size_t>(code);
            ASSERT_EQ(in_float[i], halftone::requantize(code - zero_point, m, to.zero_point, to.low, to.high));
            ASSERT_EQ(dyadic[i], requantize_dyadic(code - zero_point, make_dyadic(m), to.zero_point, to.low, to.high));
          }
        }
      }
    }
  }
  EXPECT_EQ(requantize_table(RequantizeMode::Float, 20, 1, {20, 0, 255}), tables()[0]);
  EXPECT_EQ(requantize_table(RequantizeMode::Dyadic, 20, 1, {20, 0, 255}), tables()[0]);
}

TEST(StoredGrids, MoveSignedCodesBy128) {
  EXPECT_EQ(stored_grid({DType::Int8, 0.1F, -3, -127, 127}), (StoredGrid{125, 1, 255}));
  EXPECT_EQ(stored_grid({DType::UInt8, 0.1F, 7, 0, 255}), (StoredGrid{7, 0, 255}));
}

}  // namespace
}  // namespace halftone::kernels::lut_test
