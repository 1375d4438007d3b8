// The parameters of tests that run over all kernels of the family.
#pragma once

#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "halftone/kernels/gemm/gemm.h"

namespace halftone::kernels {

// A kernel and the kind of problem that it is held against; the portable one takes both.
struct HeldGemm {
  std::string_view kernel;
  bool wide;
};
inline std::ostream& operator<<(std::ostream& out, const HeldGemm& held) { return out << held.kernel; }
inline std::vector<HeldGemm> all_held_gemms() {
  std::vector<HeldGemm> all;
  for (const GemmKernel& kernel : gemm_kernels()) all.push_back({kernel.name, false});
  for (const GemmKernel& kernel : wide_gemm_kernels()) all.push_back({kernel.name, true});
  return all;
}
inline std::string name_of(const HeldGemm& held) { return std::string(held.kernel) + (held.wide ? "_on_16_bits" : ""); }
inline std::string name_of_held(const testing::TestParamInfo<HeldGemm>& info) { return name_of(info.param); }

}  // namespace halftone::kernels
