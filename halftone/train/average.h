// The moving average of a network's tensors (Polyak and Juditsky 1992; Izmailov et al. 2018): less noisy than any step.
#pragma once

#include "halftone/train/network.h"

namespace halftone::train {

class Average {
 public:
  // Begins at the state of now.
  Average(double momentum, const State& state);
  // average = m average + (1 - m) now, with m = min(momentum, (1 + t) / (10 + t)) at step t, so that where it began is
  // soon forgotten. Tensors that count are taken over as they are.
  void update(const State& state);
  // Exchanges the contents of the state and its average.
  void swap(const State& state);

  State& tensors() { return tensors_; }
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }

 private:
  double momentum_;
  int64_t steps_ = 0;
  State tensors_;
};

}  // namespace halftone::train
