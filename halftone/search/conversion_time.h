// What it costs to cross between layers in integers and layers in float.
#pragma once

#include "halftone/tensor/shape.h"

namespace halftone::search {

struct ConversionTime {
  double quantize_us = 0;    // floats, as float layers hold them, to codes
  double dequantize_us = 0;  // and back
};

// Measured on one thread with the kernels that a Session would use, for a value of that shape.
ConversionTime measure_conversion(const Shape& shape);

}  // namespace halftone::search
