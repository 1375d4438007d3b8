// Every kernel of kernels.def and wide_kernels.def that this processor runs against gemm_reference, bit for bit.
#include "halftone/kernels/gemm/gemm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <string>

#include "halftone/base/rng.h"
#include "halftone/kernels/gemm/gemm_test_case.h"
#include "halftone/kernels/gemm/held_gemm.h"

namespace halftone::kernels::gemm_test {
namespace {

// All kernels that this processor runs, each case's reference computed once for them all.
class GemmKernels : public testing::Test {
 protected:
  void check_modes(GemmCase test) {
    for (bool wide : {false, true}) {
      test.wide = wide;
      for (RequantizeMode mode : {RequantizeMode::Float, RequantizeMode::Dyadic}) {
        for (GemmResult result : {GemmResult::Codes, GemmResult::Real, GemmResult::WideCodes}) {
          if (result == GemmResult::WideCodes && !wide) continue;
          test.mode = mode;
          test.result = result;
          check(test);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
  // How many runs each kernel took on, by name_of.
  std::map<std::string, int> accepted_;

 private:
  void check(const GemmCase& test) {
    const GemmOperands operands(test);
    const GemmProblem problem = operands.problem();
    GemmOutput want(test);
    gemm_reference(problem, want.aim(operands.run()));
    for (const HeldGemm& held : all_held_gemms()) {
      const GemmKernel* kernel = held.wide == test.wide ? find_gemm(held.kernel) : nullptr;
      if (kernel == nullptr) continue;  // this processor lacks it
      int& accepted = accepted_[name_of(held)];
      if (*kernel->refuse(problem) != '\0') continue;
      ++accepted;
      check(*kernel, operands, test, want);
      if (HasFatalFailure()) return;
    }
  }
  // Runs the kernel on all of the case, once whole and once cut into pieces.
  static void check(const GemmKernel& kernel, const GemmOperands& operands, const GemmCase& test,
                    const GemmOutput& want) {
    GemmOutput whole(test), cut(test);
    const PackedGemm packed(kernel, operands.problem());
    packed.run(whole.aim(operands.run()));
    ASSERT_EQ(want.difference(whole), "") << kernel.name << ", " << test;
    packed.run_cut(cut.aim(operands.run()));
    ASSERT_EQ(want.difference(cut), "") << kernel.name << ", cut, " << test;
  }
};

TEST_F(GemmKernels, EveryNumberOfColumns) {
  for (int64_t columns = 1; columns <= 150; ++columns) check_modes({.columns = columns, .depth = 13, .rows = 7});
}

TEST_F(GemmKernels, EveryDepth) {
  for (int64_t depth = 1; depth <= 140; ++depth) check_modes({.columns = 37, .depth = depth, .rows = 5});
}

TEST_F(GemmKernels, EveryNumberOfRows) {
  for (int64_t rows = 0; rows <= 60; ++rows) {
    for (int64_t columns : {8, 16, 32, 48, 70}) check_modes({.columns = columns, .depth = 20, .rows = rows});
  }
}

TEST_F(GemmKernels, FewRows) {
  for (int64_t rows : {1, 2}) {
    for (int64_t columns = 1; columns <= 40; ++columns) check_modes({.columns = columns, .depth = 37, .rows = rows});
    for (int64_t depth = 1; depth <= 70; ++depth) check_modes({.columns = 19, .depth = depth, .taps = 3, .rows = rows});
    for (GemmData data : {GemmData::RowsOfExtremes, GemmData::WeightsOfExtremes}) {
      check_modes({.columns = 75, .depth = 90, .rows = rows, .data = data});
    }
  }
}

TEST_F(GemmKernels, OtherNumbersOfRowsThanTheHint) {
  for (int64_t hint : {0, 1, 2, 100}) {
    for (int64_t rows : {0, 1, 2, 3, 8, 21}) {
      check_modes({.columns = 20, .depth = 18, .taps = 2, .rows = rows, .hint = hint, .terms = true});
    }
  }
}

TEST_F(GemmKernels, Taps) {
  for (int64_t taps : {1, 2, 3, 9, 25, 121}) {
    for (int64_t depth : {1, 3, 4, 16, 33, 64}) {
      check_modes({.columns = 41, .depth = depth, .taps = taps, .rows = 15});
    }
  }
}

TEST_F(GemmKernels, DeepAndWide) {
  check_modes({.columns = 1000, .depth = 1280, .rows = 1});
  check_modes({.columns = 200, .depth = 2050, .rows = 14});
  check_modes({.columns = 16, .depth = 65700, .rows = 2, .data = GemmData::RowsOfExtremes});
}

TEST_F(GemmKernels, AdversarialRowsAndExtremeWeights) {
  for (GemmData data : {GemmData::RowsOfExtremes, GemmData::WeightsOfExtremes, GemmData::SmallWeights}) {
    for (int64_t depth : {2, 31, 64, 200}) {
      for (int64_t columns : {5, 16, 64, 130}) {
        check_modes({.columns = columns, .depth = depth, .taps = 2, .rows = 19, .data = data});
      }
    }
  }
}

// Two rows for each column, which take its sums as far up and as far down as they go.
TEST_F(GemmKernels, AdversarialRowsForEachColumn) {
  for (GemmData data : {GemmData::RowsOfExtremes, GemmData::BellShaped}) {
    for (int32_t x_high : {255, 200, 127}) {
      check_modes({.columns = 40, .depth = 203, .rows = 80, .x_high = x_high, .data = data});
      check_modes({.columns = 17, .depth = 24, .taps = 3, .rows = 34, .x_high = x_high, .data = data});
    }
  }
}

TEST_F(GemmKernels, ZeroPointsAndBounds) {
  for (int32_t x_zero_point : {0, 1, 127, 255}) {
    for (int32_t zero_point : {0, 3, 128, 255}) {
      for (const auto& [low, high] : {std::pair{0, 255}, {0, 254}, {1, 255}, {17, 201}, {128, 128}}) {
        check_modes({.columns = 50,
                     .depth = 21,
                     .rows = 9,
                     .x_zero_point = x_zero_point,
                     .zero_point = zero_point,
                     .low = low,
                     .high = high});
      }
    }
  }
}

TEST_F(GemmKernels, NarrowActivations) {
  for (int32_t x_high : {0, 1, 15, 64, 127, 128, 254}) {
    check_modes({.columns = 40, .depth = 30, .rows = 13, .x_high = x_high, .data = GemmData::RowsOfExtremes});
  }
}

TEST_F(GemmKernels, MultipliersOfEverySize) {
  for (int exponent = -126; exponent <= 127; ++exponent) {
    check_modes({.columns = 33, .depth = 11, .rows = 8, .multiplier_exponent = exponent});
  }
  check_modes({.columns = 33, .depth = 11, .rows = 8, .one_multiplier = true});
}

// Sums near the ends of int32, where float32 rounds them to 2^31.
TEST_F(GemmKernels, AccumulatorsNearTheLimits) {
  for (int exponent : {-31, -24, -10, 0, 1, 40}) {
    check_modes({.columns = 33, .depth = 8, .rows = 8, .multiplier_exponent = exponent, .data = GemmData::LargeBias});
  }
}

TEST_F(GemmKernels, TermsAndScalesOfRows) {
  for (int64_t columns : {3, 16, 40, 64, 100}) {
    for (int64_t rows : {1, 6, 23}) {
      check_modes({.columns = columns, .depth = 24, .rows = rows, .terms = true, .row_scales = true});
    }
  }
}

TEST_F(GemmKernels, RandomProblems) {
  Rng rng(11);
  for (int i = 0; i < 400; ++i) check_modes(GemmCase::random(rng));
  for (const auto& [kernel, accepted] : accepted_) EXPECT_GT(accepted, 0) << kernel << " refuses everything";
}

TEST(GemmSelection, TakesTheFirstThatCanAndSaysWhyOthersCannot) {
  const GemmCase test = {.columns = 8, .depth = 8, .rows = 2};
  const auto choice = choose_gemm(GemmOperands(test).problem());
  ASSERT_NE(choice.kernel, nullptr);
  for (const Refusal& refusal : choice.refusals) EXPECT_NE(refusal.reason, "") << refusal.kernel;
  EXPECT_EQ(find_gemm(choice.kernel->name), choice.kernel);
  EXPECT_EQ(find_gemm("no such kernel"), nullptr);
}

}  // namespace
}  // namespace halftone::kernels::gemm_test
