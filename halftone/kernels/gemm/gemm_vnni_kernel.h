// The functions of a GemmKernel on vpdpbusd that packing needs, for the width of vectors that Dot has. Stands behind a
// definition of Dot, see gemm_vnni.h.
#pragma once

#include "halftone/kernels/gemm/gemm_kernels.h"
#include "halftone/kernels/gemm/gemm_vnni_blob.h"

namespace halftone::kernels {
namespace {

constexpr VnniLayout kLayout = {Vectors::kLanes, Dot::kMostVectors, Dot::kStationary};

const char* refuse(const GemmProblem&) { return ""; }
size_t packed_bytes(const GemmProblem& problem) { return vnni_packed_bytes(kLayout, problem); }
void pack(const GemmProblem& problem, std::byte* to) { vnni_pack(kLayout, problem, to); }

using Run = void (*)(const std::byte* packed, const GemmRun& run);

// By what becomes of sums.
template <Run kFloat, Run kDyadic, Run kReal>
void run_result(const std::byte* packed, const GemmRun& run) {
  const auto& blob = *reinterpret_cast<const VnniBlob*>(packed);
  const bool is_float = blob.mode == RequantizeMode::Float;
  (blob.result == GemmResult::Real ? kReal : is_float ? kFloat : kDyadic)(packed, run);
}

}  // namespace
}  // namespace halftone::kernels
