// The vectors that the kernels' templates (X_vectors.h) compute with in a source of this instruction-set level.
#pragma once

#include "halftone/kernels/vectors_256.h"

namespace halftone::kernels {
namespace {

using Vectors = Vectors256;

}  // namespace
}  // namespace halftone::kernels
