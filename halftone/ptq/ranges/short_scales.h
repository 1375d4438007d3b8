// Scales of few significant bits: float executors of the file then compute its codes exactly.
#pragma once

#include "halftone/ptq/workbench.h"

namespace halftone::ptq {

struct ShortScales {
  int activation_bits = 3, weight_bits = 4;
  // Activations: the largest share of the range that may be given up for a smaller scale.
  double clip = 0.15;
};

// Replaces every scale of a node that is computed in integers by k * 2^e, k of so many bits, so that what float32
// computes of such numbers has nothing to round, and the ties that are left are ties for everybody
// (docs/quantization.md, section 11):
//
// * activations: the next such scale upwards, or the one below it where that gives up at most `clip` of the range; a
//   zero point that may move becomes even, so that rounding x / s and rounding x / s + z are the same;
// * sums of two operands: operands whose scales are powers of two times the same integer, and a result whose scale is
//   one, too, or a divisor;
// * weights: the next scale upwards with which the multiplier, rounded to float32, keeps ties.
//
// Weights and biases are left to be rounded on the new grids. Encodings that no integer node reads or writes, and
// levels, blocks and activations by channel, stay as they are. Cost: a pass over the weights' scales. Deterministic.
void shorten_scales(Workbench& bench, const ShortScales& options);

// The number k * 2^e nearest to `scale` from above (itself, if it is one), 2^(bits-1) <= k < 2^bits; and from below.
float short_scale_above(float scale, int bits);
float short_scale_below(float scale, int bits);

// Whether float32(acc * float32(real)) is n + 1/2 wherever acc * real is, for integers acc and |n + 1/2| < 2^22, with
// real = numerator / denominator in double: the rounding error of the multiplier is too small to move such a product.
bool keeps_ties(double numerator, double denominator);

}  // namespace halftone::ptq
