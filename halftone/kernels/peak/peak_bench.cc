// What this processor can do at most, one thread: `bench_peak`
#include <fmt/format.h>

#include "halftone/kernels/peak/peak.h"

int main() {
  using namespace halftone;
  fmt::print("{}, {}\n", cpu_model(), name_of(isa_level()));
  for (const kernels::PeakLoop& loop : kernels::peak_loops()) {
    if (has_isa(loop.isa)) fmt::print("{:16} {:8.1f} GOP/s\n", loop.name, kernels::measure(loop));
  }
  for (const int64_t kib : {16, 256, 4096, 65536}) {
    fmt::print("read {:5} KiB   {:8.1f} GB/s\n", kib, kernels::measure_read_bandwidth(kib * 1024));
  }
}
