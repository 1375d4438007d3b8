#include "halftone/ptq/blocks/multiply_tile.h"

namespace halftone::ptq {

MultiplyKernels multiply_kernels_avx2() { return {multiply_all<4, 1>, dot_all<2, 2>}; }

}  // namespace halftone::ptq
