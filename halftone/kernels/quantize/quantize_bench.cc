// Floats to codes without a change of layout. bench_quantize
#include "halftone/kernels/memory_bench.h"
#include "halftone/kernels/quantize/quantize.h"

using namespace halftone::kernels;

int main() {
  const QuantizeProblem problem = {0.017F, {114, 0, 255}};
  for (const Rows& rows : {Rows{1, 3 * 224 * 224, 0, 0}, Rows{28 * 28, 16, 16, 32}, Rows{56 * 56, 8, 8, 24}}) {
    halftone::Rng rng(1);
    std::vector<float> from(static_cast<size_t>(rows.count * std::max(rows.columns, rows.from_stride)));
    for (float& x : from) x = static_cast<float>(rng.uniform(-2, 2));
    std::vector<uint8_t> to(static_cast<size_t>(rows.count * std::max(rows.columns, rows.to_stride)) + kSlack);
    bench_kernels(quantize_kernels(), problem, [&](const QuantizeKernel& kernel) {
      const int64_t count = rows.count * rows.columns;
      report(std::to_string(rows.count) + " x " + std::to_string(rows.columns), kernel.name, 4 * count, count,
             [&] { kernel.run(problem, rows, from.data(), to.data()); });
    });
  }
}
