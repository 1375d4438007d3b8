// Sums of long and short rows. bench_row_mean
#include "halftone/kernels/memory_bench.h"
#include "halftone/kernels/row_mean/row_mean.h"

using namespace halftone::kernels;

int main() {
  for (const Rows& rows : {Rows{197, 192, 192, 1}, Rows{1, 1 << 18, 0, 1}}) {
    const std::vector<uint8_t> from = bench_codes(rows.count * rows.columns);
    std::vector<uint8_t> to(static_cast<size_t>(rows.count) + kSlack);
    bench_kernels(row_mean_kernels(), rows.columns, [&](const RowMeanKernel& kernel) {
      report(std::to_string(rows.count) + " x " + std::to_string(rows.columns), kernel.name, rows.count * rows.columns,
             rows.count, [&] { row_mean({}, make_factor(1e-3F), kernel, rows, from.data(), to.data()); });
    });
  }
}
