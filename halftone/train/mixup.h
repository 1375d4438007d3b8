// Training on sums of two images, which makes a network's answers change evenly from one to the other (Zhang et al.
// 2018, "mixup: Beyond Empirical Risk Minimization", section 2).
#pragma once

#include <cstdint>

#include "halftone/base/rng.h"
#include "halftone/quant/step_request.h"
#include "halftone/train/torch.h"

namespace halftone::train {

// A number of the distribution Beta(a, b), a and b above 0: of density x^(a - 1) (1 - x)^(b - 1), up to a factor.
// Quotient of gamma variates (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000), whose
// logarithms are used, as those of small a underflow. The standard library's is not the same everywhere.
double draw_beta(double a, double b, Rng& rng);

struct Mixed {
  at::Tensor inputs, targets;
  double share;  // of the sample itself
};

// share * sample[i] + (1 - share) * sample[p(i)], of inputs [batch, ...] and of targets [batch, classes] (undefined
// ones stay so), with one share of Beta(alpha, alpha) and one permutation p per batch, which (seed, step) decide.
Mixed mixup(const at::Tensor& inputs, const at::Tensor& targets, double alpha, uint64_t seed, uint64_t step);

// The alpha of "mixup:alpha=0.2", which is also what it is without a word. Errors: Error{InvalidArgument} for another
// name, unknown words, and numbers outside [0.001, 1000].
double mixup_alpha(const StepRequest& request);

}  // namespace halftone::train
