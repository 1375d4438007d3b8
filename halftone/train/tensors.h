// Between this project's tensors and libtorch's.
#pragma once

#include "halftone/tensor/tensor.h"
#include "halftone/train/torch.h"

namespace halftone::train {

// A copy on libtorch's side: floats (half types too) as float32, integers of every width and Bool as int64. Errors:
// Error{Unsupported} for strings and complex numbers. Cost: one pass.
at::Tensor to_torch(const Tensor& tensor);

// A contiguous copy of a float32, float64, int64 or bool tensor as Float, Double, Int64 or Bool.
Tensor from_torch(const at::Tensor& tensor);

}  // namespace halftone::train
