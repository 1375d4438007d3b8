#include "halftone/kernels/sum/sum.h"

#include <algorithm>
#include <cmath>

namespace halftone::kernels {

#define HALFTONE_SUM_KERNEL(name, isa, refuse) SumFunction name;
#include "halftone/kernels/sum/kernels.def"
#undef HALFTONE_SUM_KERNEL

namespace {

const char* none(const SumProblem&) { return ""; }

const char* vectors(const SumProblem& problem) {
  if (problem.a_step != 1) return "the first operand has gaps or repeats along rows";
  if (problem.b_step != 1 && problem.b_step != 0) return "the second operand has gaps along rows";
  if (problem.b_is_constant) return "";
  if (problem.mode == RequantizeMode::Float) {
    const float most = 255 * (std::abs(problem.a_multiplier) + std::abs(problem.b_multiplier));
    return most < 0x1p30F ? "" : "the sum in steps may leave 32 bits";
  }
  // Multipliers are split in two signed halves.
  const int32_t most = std::max(problem.dyadic.multiplier_a, problem.dyadic.multiplier_b);
  return most < INT32_MAX - 0x8000 ? "" : "the multipliers are too large to be split";
}

}  // namespace

std::span<const SumKernel> sum_kernels() {
  static constexpr SumKernel kernels[] = {
#define HALFTONE_SUM_KERNEL(name, isa, refuse) {#name, Isa::isa, refuse, name},
#include "halftone/kernels/sum/kernels.def"
#undef HALFTONE_SUM_KERNEL
  };
  return kernels;
}

Choice<SumKernel> choose_sum(const SumProblem& problem) { return choose<SumKernel>(sum_kernels(), problem); }

}  // namespace halftone::kernels
