// Rounding of values to their grids, in float.
#pragma once

#include <string>

#include "halftone/quant/quant_params.h"
#include "halftone/runtime/program.h"

namespace halftone::runtime {

class Lowering;

// to[i] = dequantize(quantize(from[i])) for one scale and zero point, bit for bit as quant/quant_params.h defines it.
// Zero points and codes lie within +-2^22 (grids of at most 16 bits). `from` and `to` may be the same.
void round_to_grid(const float* from, float* to, int64_t count, float scale, int32_t zero_point, int64_t q_min,
                   int64_t q_max);

// A step that rounds `from` into `to` (equal shapes and layouts).
void add_rounding(Lowering& lowering, const std::string& name, const Place& from, const Place& to,
                  const QuantParams& params);

}  // namespace halftone::runtime
