// Tables over activations of networks. bench_lut
#include "halftone/kernels/lut/lut.h"
#include "halftone/kernels/memory_bench.h"

using namespace halftone::kernels;

int main() {
  const Table copy = make_table([](int32_t x) { return x; });
  const Table clamp = make_table([](int32_t x) { return std::clamp(x, 20, 200); });
  const Table any = make_table([](int32_t x) { return 255 - x; });
  for (const Rows& rows : {Rows{56 * 56, 64, 64, 64}, Rows{112 * 112, 64, 64, 64}, Rows{28 * 28, 40, 40, 120}}) {
    const std::vector<uint8_t> from = bench_codes(rows.count * rows.from_stride);
    std::vector<uint8_t> to(static_cast<size_t>(rows.count * rows.to_stride) + kSlack);
    for (const Table& table : {copy, clamp, any}) {
      const std::string what = (table == copy    ? "copy "
                                : table == clamp ? "clamp "
                                                 : "any ") +
                               std::to_string(rows.count) + " x " + std::to_string(rows.columns);
      bench_kernels(lut_kernels(), table, [&](const LutKernel& kernel) {
        const int64_t bytes = rows.count * rows.columns;
        report(what, kernel.name, bytes, bytes, [&] { kernel.run(table.data(), rows, from.data(), to.data()); });
      });
    }
  }
}
