// Residual connections of networks, in both modes. bench_sum
#include "halftone/kernels/memory_bench.h"
#include "halftone/kernels/sum/sum.h"

using namespace halftone::kernels;

int main() {
  for (const halftone::RequantizeMode mode : {halftone::RequantizeMode::Float, halftone::RequantizeMode::Dyadic}) {
    SumProblem problem;
    problem.mode = mode;
    problem.a_zero_point = 120;
    problem.b_zero_point = 131;
    problem.a_multiplier = 0.7F;
    problem.b_multiplier = 0.9F;
    problem.dyadic = *halftone::make_dyadic_sum(problem.a_multiplier, 135, problem.b_multiplier, 131);
    problem.to = {125, 0, 255};
    for (const int64_t count : {14 * 14 * 96, 56 * 56 * 24, 56 * 56 * 256}) {
      const std::vector<uint8_t> a = bench_codes(count), b = bench_codes(count);
      std::vector<uint8_t> to(a.size());
      const std::string what =
          (mode == halftone::RequantizeMode::Float ? "float " : "dyadic ") + std::to_string(count) + " codes";
      bench_kernels(sum_kernels(), problem, [&](const SumKernel& kernel) {
        report(what, kernel.name, 2 * count, count, [&] {
          kernel.run(problem, {1, count, 0, 0, 0}, a.data(), b.data(), to.data());
        });
      });
    }
  }
}
