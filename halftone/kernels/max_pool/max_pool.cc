#include "halftone/kernels/max_pool/max_pool.h"

#include <cstring>

namespace halftone::kernels {

#define HALFTONE_MAX_POOL_KERNEL(name, isa, refuse) MaxPoolFunction name;
#include "halftone/kernels/max_pool/kernels.def"
#undef HALFTONE_MAX_POOL_KERNEL

namespace {

const char* none(const Window&) { return ""; }

}  // namespace

std::span<const MaxPoolKernel> max_pool_kernels() {
  static constexpr MaxPoolKernel kernels[] = {
#define HALFTONE_MAX_POOL_KERNEL(name, isa, refuse) {#name, Isa::isa, refuse, name},
#include "halftone/kernels/max_pool/kernels.def"
#undef HALFTONE_MAX_POOL_KERNEL
  };
  return kernels;
}

Choice<MaxPoolKernel> choose_max_pool(const Window& window) {
  return choose<MaxPoolKernel>(max_pool_kernels(), window);
}

void max_pool(const Window& window, const MaxPoolKernel& kernel, uint8_t empty, const uint8_t* from, uint8_t* to,
              int64_t begin, int64_t end) {
  WindowWalk walk(window, begin, end);
  for (WindowRun part; walk.next(part);) {
    if (part.row.box.taps() > 0) {
      kernel.run(part.row, from + part.from, to + part.to);
      continue;
    }
    for (int64_t j = 0; j < part.row.pixels; ++j) {
      std::memset(to + part.to + j * part.row.to_step, empty, static_cast<size_t>(part.row.channels));
    }
  }
}

}  // namespace halftone::kernels
