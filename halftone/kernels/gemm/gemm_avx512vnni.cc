#include "halftone/kernels/gemm/dot_avx512vnni.h"
#include "halftone/kernels/gemm/gemm_kernels.h"
#include "halftone/kernels/gemm/gemm_vnni_blob.h"

namespace halftone::kernels {
namespace {

constexpr VnniLayout kLayout = {Vectors::kLanes, Dot::kMostVectors, Dot::kStationary};

const char* refuse(const GemmProblem&) { return ""; }
size_t packed_bytes(const GemmProblem& problem) { return vnni_packed_bytes(kLayout, problem); }
void pack(const GemmProblem& problem, std::byte* to) { vnni_pack(kLayout, problem, to); }

void run(const std::byte* packed, const GemmRun& run) {
  const auto& blob = *reinterpret_cast<const VnniBlob*>(packed);
  if (blob.result == GemmResult::Real) {
    real_avx512vnni(packed, run);
  } else if (blob.mode == RequantizeMode::Float) {
    float_avx512vnni(packed, run);
  } else {
    dyadic_avx512vnni(packed, run);
  }
}

}  // namespace

const GemmKernel gemm_avx512vnni = {
    "avx512_vnni",     Isa::Avx512Vnni,    refuse, packed_bytes, pack, vnni_column_blocks,
    vnni_first_column, vnni_scratch_bytes, 24,     run};

}  // namespace halftone::kernels
