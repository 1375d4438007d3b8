// Rounds the weights of one layer so that its outputs stay what they were.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "halftone/base/thread_team.h"
#include "halftone/ptq/rounding/layer_rows.h"
#include "halftone/ptq/rounding/method.h"
#include "halftone/quant/quant_params.h"

namespace halftone::ptq {

struct SolveOptions {
  const RoundingMethod* method = nullptr;
  int64_t iterations = 1000;  // of methods that iterate
  double damping = 0;         // of the Gram matrix, see Quadratic; 0: choose_damping
  bool search_scales = true;  // try scales between half and the whole of the grid's before rounding
  bool refit_scales = true;   // the best scale for the codes, in closed form, and descent again
  int64_t clip_passes = 3;    // how often targets beyond [clip_low, clip_high] are let go, see below
};

struct LayerSolution {
  Tensor weights;      // on the grid of `params`
  QuantParams params;  // with scales refitted
  // By output channel: the bias that makes up for the mean error.
  std::vector<double> bias;
  // Mean squared error of the outputs over the rows, relative to the targets' variance: of nearest rounding on the grid
  // that was given, and of the result.
  double nearest_error = 0, error = 0;
};

// Chooses codes, scales and biases that minimize the mean over rows of |W x + b - t|^2, t being the target less what is
// added to the result (LayerRows::others): the quadratic
//   (w - w*)^T Q (w - w*)     for each output channel, Q the Gram matrix of the inputs less their means,
//   w* = w + Q^-1 (c - H w)   c: covariance of inputs and target; damping pulls w* towards the float weights w.
// A bias takes the mean error, which is why means don't count; where it can't be changed (`free_bias` false) they do.
// Codes are chosen by the method; scales are refitted to them, s = (q^T Q w*) / (q^T Q q), as far as grid and spec
// allow; then everything goes downhill from there.
//
// What follows the layer (or the sum that it is part of) may cut its outputs off at clip_low and clip_high (Relu: 0 and
// infinity). Where the float output t lies beyond, any output beyond is as good: such targets become min(y, clip_low),
// max(y, clip_high) for today's outputs y, and the layer is solved again, `clip_passes` times.
//
// The result is never worse than nearest rounding, as measured by the quadratic. Rows may be fewer than inputs, inputs
// constant or always zero. `rows` is used up. Deterministic for any number of threads.
// Cost: rows * groups * features * (features + channels) multiplications and features^3 / 6 per group.
LayerSolution solve_layer(const LayerShape& shape, LayerRows rows, const Tensor& weights, const QuantParams& params,
                          const QuantSpec& spec, bool free_bias, const std::vector<double>& bias, double clip_low,
                          double clip_high, const SolveOptions& options, ThreadTeam& team);

}  // namespace halftone::ptq
