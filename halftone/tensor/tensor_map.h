// Tensors by name: what goes into a network and what comes out.
#pragma once

#include <map>
#include <string>

#include "halftone/tensor/tensor.h"

namespace halftone {

using TensorMap = std::map<std::string, Tensor, std::less<>>;

}  // namespace halftone
