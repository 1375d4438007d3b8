// Learned rounding of a whole network, layer by layer.
#pragma once

#include <cstdint>
#include <string>

#include "halftone/ptq/rounding/solve_layer.h"
#include "halftone/ptq/workbench.h"

namespace halftone::ptq {

struct LearnOptions {
  std::string layers = "*";  // pattern of their names
  int64_t images = 512;      // at most, and at most Samples::kept
  int64_t rows = 16384;      // output positions per layer, spread evenly over the images
  uint64_t seed = 0;         // of the positions
  // Where a layer's result is only added to something that is computed before, it makes up for the error of that too.
  bool residual = true;
  SolveOptions solve;
};

// Rounds the weights of the layers that match, first to last (solve_layer). Each reads what the network makes of the
// samples whose weights are rounded so far, activations real, and is to make what the float network made of them; so it
// also makes up for errors of the layers in front. Weights, scales and biases of bench.model are replaced.
//
// Left as they are, with a remark: weights that several layers share, grids with levels, layers of more than
// kMostFeatures inputs per output, and layers whose input isn't float. A layer whose new scales the integer arithmetic
// can't take is rounded on the old ones.
//
// Errors: Error{InvalidArgument} without samples; those of Session. Determinism: the number of threads makes no
// difference. Memory: StagedRun's, twice; kRowBytes of rows; features^2 doubles, six times.
void learn_rounding(Workbench& bench, const LearnOptions& options);

// Bytes of a layer's rows with the copy of the targets that the solver changes: layers with many inputs get fewer.
constexpr int64_t kRowBytes = int64_t{96} << 20;
constexpr int64_t kMostFeatures = 6144;

}  // namespace halftone::ptq
