// The vectorized kernels: code by instruction-set level, packing for it.
#include "halftone/kernels/depthwise/depthwise_kernels.h"
#include "halftone/kernels/depthwise/depthwise_pack.h"
#include "halftone/kernels/depthwise/depthwise_run.h"

namespace halftone::kernels {
namespace {

template <DepthwiseLayout kLayout>
const char* refuse(const DepthwiseProblem& problem) {
  return refuse_depthwise(kLayout, problem);
}
template <DepthwiseLayout kLayout>
size_t packed_bytes(const DepthwiseProblem& problem) {
  return packed_depthwise_bytes(kLayout, problem);
}
template <DepthwiseLayout kLayout>
void pack(const DepthwiseProblem& problem, std::byte* to) {
  pack_depthwise(kLayout, problem, to);
}
int64_t blocks(const std::byte* packed) { return reinterpret_cast<const DepthwiseBlob*>(packed)->block_count; }
int64_t row_step(const std::byte* packed) { return reinterpret_cast<const DepthwiseBlob*>(packed)->rows; }

template <DepthwiseLayout kLayout>
constexpr DepthwiseKernel vectorized(std::string_view name, Isa isa,
                                     void (*run)(const std::byte*, const DepthwiseRun&)) {
  return {name, isa, refuse<kLayout>, packed_bytes<kLayout>, pack<kLayout>, blocks, row_step, run};
}

}  // namespace

constexpr DepthwiseLayout kAvx2 = {32, DepthwiseFormat::Pairs, DepthwiseFormat::Flips};
constexpr DepthwiseLayout kAvxVnni = {32, DepthwiseFormat::Quads, DepthwiseFormat::Quads};
constexpr DepthwiseLayout kAvx512 = {64, DepthwiseFormat::Pairs, DepthwiseFormat::Flips};
constexpr DepthwiseLayout kAvx512Vnni = {64, DepthwiseFormat::Quads, DepthwiseFormat::Quads};

const DepthwiseKernel depthwise_avx2 = vectorized<kAvx2>("avx2", Isa::Avx2, run_depthwise_avx2);
const DepthwiseKernel depthwise_avxvnni = vectorized<kAvxVnni>("avxvnni", Isa::AvxVnni, run_depthwise_avxvnni);
const DepthwiseKernel depthwise_avx512 = vectorized<kAvx512>("avx512", Isa::Avx512, run_depthwise_avx512);
const DepthwiseKernel depthwise_avx512vnni =
    vectorized<kAvx512Vnni>("avx512vnni", Isa::Avx512Vnni, run_depthwise_avx512vnni);

}  // namespace halftone::kernels
