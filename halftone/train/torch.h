// libtorch as this room uses it: tensors, their operators and autograd. Precompiled, because it takes seconds to read;
// no header that other rooms see includes it.
#pragma once

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/variable.h>
