#include "halftone/kernels/lut/lut.h"

#include <algorithm>

namespace halftone::kernels {

#define HALFTONE_LUT_KERNEL(name, isa, refuse) LutFunction name;
#include "halftone/kernels/lut/kernels.def"
#undef HALFTONE_LUT_KERNEL

namespace {

const char* none(const Table&) { return ""; }

const char* no_copy(const Table& table) {
  return table == make_table([](int32_t code) { return code; }) ? "" : "the table changes codes";
}

const char* no_clamp(const Table& table) {
  const int32_t low = table.front(), high = table.back();
  const Table clamp = make_table([&](int32_t code) { return std::min(std::max(code, low), high); });
  return table == clamp ? "" : "the table does more than clamp";
}

}  // namespace

std::span<const LutKernel> lut_kernels() {
  static constexpr LutKernel kernels[] = {
#define HALFTONE_LUT_KERNEL(name, isa, refuse) {#name, Isa::isa, refuse, name},
#include "halftone/kernels/lut/kernels.def"
#undef HALFTONE_LUT_KERNEL
  };
  return kernels;
}

Choice<LutKernel> choose_lut(const Table& table) { return choose<LutKernel>(lut_kernels(), table); }

Table requantize_table(RequantizeMode mode, int32_t zero_point, float multiplier, const StoredGrid& to) {
  return activation_table(mode, zero_point, multiplier, multiplier, to);
}

Table activation_table(RequantizeMode mode, int32_t zero_point, float positive, float negative, const StoredGrid& to) {
  const Factor above = make_factor(positive), below = make_factor(negative);
  return make_table(
      [&](int32_t code) { return requantize(mode, code - zero_point, code < zero_point ? below : above, to); });
}

}  // namespace halftone::kernels
