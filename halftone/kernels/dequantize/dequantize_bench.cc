// Codes to floats without a change of layout. bench_dequantize
#include "halftone/kernels/dequantize/dequantize.h"
#include "halftone/kernels/memory_bench.h"

using namespace halftone::kernels;

int main() {
  const DequantizeProblem problem = {0.017F, 114};
  for (const Rows& rows : {Rows{1, 56 * 56 * 24, 0, 0}, Rows{28 * 28, 16, 32, 16}, Rows{56 * 56, 8, 24, 8}}) {
    const std::vector<uint8_t> from = bench_codes(rows.count * std::max(rows.columns, rows.from_stride));
    std::vector<float> to(static_cast<size_t>(rows.count * std::max(rows.columns, rows.to_stride)));
    bench_kernels(dequantize_kernels(), problem, [&](const DequantizeKernel& kernel) {
      const int64_t count = rows.count * rows.columns;
      report(std::to_string(rows.count) + " x " + std::to_string(rows.columns), kernel.name, count, 4 * count,
             [&] { kernel.run(problem, rows, from.data(), to.data()); });
    });
  }
}
