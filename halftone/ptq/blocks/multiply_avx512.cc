#include "halftone/ptq/blocks/multiply_tile.h"

namespace halftone::ptq {

MultiplyKernels multiply_kernels_avx512() { return {multiply_all<6, 2>, dot_all<4, 4>}; }

}  // namespace halftone::ptq
