// Planes to channels last and back. bench_transpose
#include "halftone/kernels/memory_bench.h"
#include "halftone/kernels/transpose/transpose.h"

using namespace halftone::kernels;

int main() {
  struct Shape {
    int64_t count, columns;
  };
  for (const Shape& s : {Shape{3, 1 << 14}, Shape{4, 1 << 14}, Shape{64, 128}, Shape{49, 1280}, Shape{64, 3136},
                         Shape{3136, 64}, Shape{1280, 49}, Shape{16384, 3}}) {
    const Rows rows = {s.count, s.columns, s.columns, s.count};
    const std::vector<uint8_t> from = bench_codes(s.count * s.columns);
    std::vector<uint8_t> to(from.size());
    bench_kernels(transpose_kernels(), rows, [&](const TransposeKernel& kernel) {
      report(std::to_string(s.count) + " x " + std::to_string(s.columns), kernel.name, s.count * s.columns,
             s.count * s.columns, [&] { kernel.run(rows, from.data(), to.data()); });
    });
  }
}
