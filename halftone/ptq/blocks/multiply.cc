#include "halftone/ptq/blocks/multiply.h"

#include "halftone/base/cpu.h"
#include "halftone/ptq/blocks/multiply_tile.h"

namespace halftone::ptq {
namespace {

const MultiplyKernels& kernels() {
  static const MultiplyKernels chosen = has_isa(Isa::Avx512) ? multiply_kernels_avx512()
                                        : has_isa(Isa::Avx2) ? multiply_kernels_avx2()
                                                             : multiply_kernels_portable();
  return chosen;
}

}  // namespace

MultiplyKernels multiply_kernels_portable() { return {multiply_all<2, 1>, dot_all<2, 1>}; }

void multiply(const MatrixProduct& product) { kernels().multiply(product); }
void multiply_rows(const MatrixProduct& product) { kernels().multiply_rows(product); }

}  // namespace halftone::ptq
