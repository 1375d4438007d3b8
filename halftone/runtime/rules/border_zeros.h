// Zeros around planes, for kernels that pad less than a convolution asks for.
#pragma once

#include "halftone/runtime/conv_shape.h"

namespace halftone::runtime {

// The same convolution of an input that brings its padding along.
ConvShape with_borders(ConvShape shape);

// A step that copies the Blocked floats at `src`, the input of `shape`, into the input of with_borders(shape).
Place add_borders(Lowering& lowering, const ConvShape& shape, const Place& src);

}  // namespace halftone::runtime
