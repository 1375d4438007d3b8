// Corrections of what rounding does to the distribution of weights.
#pragma once

#include <cstdint>
#include <string_view>

#include "halftone/ptq/workbench.h"

namespace halftone::ptq {

// Gives each output channel's rounded weights w' the mean and the norm of the float weights w that they were made from,
//
//   w' <- xi (w' - E w') + E w        xi = |w - E w| / |w' - E w'|
//
// xi goes into the channel's scale, so that the weights stay on their grid. What is left of the mean, mu = E w - xi E
// w', is the same for all weights of the channel: it adds mu times the sum of the inputs to every result, and mu times
// their mean sum, as the float network has it on the first `images` samples, goes into the bias. (Where the padding is
// under the kernel the sum is smaller; correct_bias measures what that leaves.) Layers whose channels share a scale
// have their mean corrected only. Cost: one pass of the float network. Determinism: the number of threads makes no
// difference. Source: Banner et al. 2019, arXiv 1810.05723, section 4.2, equations 12 and 13, in the form whose mean is
// exact.
void correct_weights(Workbench& bench, std::string_view layers, int64_t images);

// Gives each output channel of each layer the mean and the deviation over samples and positions that it has in the
// float network: what re-estimating a batch normalization behind the rounded layer would do, folded into the weights'
// scales and the bias,
//
//   w' <- r w'        b <- m + r (b - m')        r = s / s'
//
// with mean m and deviation s of the float layer's results, m' and s' of those with rounded weights; one layer after
// the other in the network's order, the earlier ones rounded and corrected, activations in float. Layers whose channels
// share a scale have their mean corrected only. Looks at the first `images` samples. Cost and determinism: as
// correct_bias_empirically. Source: Sun et al. 2019 (Hybrid 8-bit floating point), on re-tuning batch normalization
// for inference; Hubara et al. 2020, arXiv 2006.10518, batch-normalization tuning, which reconstructs folded ones.
void reestimate_batch_norm(Workbench& bench, std::string_view layers, int64_t images);

}  // namespace halftone::ptq
