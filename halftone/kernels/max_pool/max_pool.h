// Maxima of codes over windows (MaxPool, GlobalMaxPool). On another grid, the caller looks the result up in a table
// afterwards (kernels/lut): requantizing is monotone.
//
//   to[j * to_step + c] = max over the box of from[j * from_step + offset + c]        j < pixels, c < channels
//
// Padding never wins. The box has at least one tap.
#pragma once

#include "halftone/kernels/kernel.h"
#include "halftone/kernels/window.h"

namespace halftone::kernels {

using MaxPoolFunction = void(const BoxRow& row, const uint8_t* from, uint8_t* to);

struct MaxPoolKernel {
  std::string_view name;
  Isa isa;
  const char* (*refuse)(const Window&);
  MaxPoolFunction* run;
};
// kernels.def, most preferred first; the last accepts everything.
std::span<const MaxPoolKernel> max_pool_kernels();
Choice<MaxPoolKernel> choose_max_pool(const Window& window);

// Output pixels [begin, end) of one image. Windows that lie in the padding alone give `empty`.
void max_pool(const Window& window, const MaxPoolKernel& kernel, uint8_t empty, const uint8_t* from, uint8_t* to,
              int64_t begin, int64_t end);

// The definition, and the portable kernel.
void max_pool_portable(const BoxRow& row, const uint8_t* from, uint8_t* to);

}  // namespace halftone::kernels
