// Declares the kernels of kernels.def.
#pragma once

#include "halftone/kernels/depthwise/depthwise.h"

namespace halftone::kernels {

#define HALFTONE_DEPTHWISE_KERNEL(name) extern const DepthwiseKernel name;
#include "halftone/kernels/depthwise/kernels.def"
#undef HALFTONE_DEPTHWISE_KERNEL

}  // namespace halftone::kernels
