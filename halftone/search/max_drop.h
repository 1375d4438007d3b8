// Keeping the accuracy: quantize, measure, find the guilty layers, and spend more on them until the loss is small
// enough.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "halftone/ptq/quantize.h"

namespace halftone::search {

struct MaxDropOptions {
  double max_drop = 0.01;  // of top-1 where every validation sample has a label, else of the agreement with float
  ptq::Options quantization;
};

// One thing that was tried.
struct Attempt {
  std::string what;
  double drop = 0;    // against the float network; negative where the quantized one is better
  bool kept = false;  // others built on it, or it is the result
  double seconds = 0;
};

struct MaxDropResult {
  Quantization made;
  Recipe recipe;  // that made it
  bool by_labels = false;
  double reference = 0;  // top-1 of the float network; 1 for agreement
  double drop = 0;
  bool met = false;
  int64_t validation_samples = 0;
  std::vector<Attempt> attempts;  // in the order in which they were made
};

// Escalates from what is free at run time to what costs most, and stops as soon as the drop is met:
//
//   the recipe as it is; ranges by least squared error; a scale per output channel; bias correction; learned rounding
//   (each kept where it helps); 8 bits for the guiltiest layers where they have fewer; then 16-bit activations for
//   them, or float, whichever runs faster here. As few layers as it takes, found by doubling and halving along the
//   one-at-a-time sensitivities (one_at_a_time).
//
// `calibration` and `validation` have no sample in common; the latter opens a stream of the same samples each time.
// Where the drop can't be met, the best attempt that leaves at least half of the layers in integers is the result, and
// `met` is false. Errors: those of ptq::quantize; Error{Unsupported} for a network without a score output.
// Determinism: the number of threads makes no difference; where both 16 bits and float would do, a measured time
// decides. Cost: that of a quantization and a pass over the validation
// samples for each attempt.
MaxDropResult keep_accuracy(const Graph& graph, ptq::Samples& calibration,
                            const std::function<std::unique_ptr<data::Loader>()>& validation,
                            const MaxDropOptions& options);

}  // namespace halftone::search
