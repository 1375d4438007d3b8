// Ranges of activations, chosen by what they do to the network's outputs.
#pragma once

#include <cstdint>
#include <optional>

#include "halftone/ptq/workbench.h"

namespace halftone::ptq {

struct RangeSearch {
  // Samples looked at, half of them to choose by; half as many others, where there are, to see in the end whether it
  // was worth it. nullopt: 60, or 30 for a network of more than 150 million multiplications per sample, where each
  // costs seconds.
  std::optional<int64_t> images = {};
  // Grids whose own share of the network's error is less than this are left as they are.
  double least_share = 0.005;
};

// Moves the ends of each activation grid's range to where the grid, alone in a network whose weights are rounded, does
// least harm to the network's outputs:
//
//   least  sum over outputs of |output - output with this value rounded|^2 / |output|^2
//
// over factors of the range's upper and lower end, one after the other. The errors of different grids hardly know of
// each other, so that they add up; each is looked for by itself. Every other sample, from the first on, is there to
// choose; a range is kept only where the samples between agree that it is better, and all of them together only where
// the quantized network as a whole is no worse on samples that had no say in it (where there are no more, on those
// between). Values that share a grid are rounded together, where the last of them is made; what reads the others before
// that is left out.
//
// Cost: a few runs, for every sample and grid with a share worth looking at, of the part of the network behind the
// value; about as many as 300 runs of the whole network for each sample. Where all grids would cost more, those whose
// own errors, relative to their values, are small stay as they are. Memory: 64 MiB between stages, 96 MiB of what a
// grid's part of the network reads (grids of large values are judged by fewer samples). Determinism: the number of
// threads makes no difference. Errors: as Samples::kept.
void search_ranges(Workbench& bench, const RangeSearch& options);

}  // namespace halftone::ptq
