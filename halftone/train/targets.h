// What a network should answer.
#pragma once

#include <cstdint>

#include "halftone/data/loader.h"
#include "halftone/train/torch.h"

namespace halftone::train {

// [batch, classes]: 1 at the label, 0 elsewhere; undefined where no sample has a label. Errors: Error{InvalidData}
// naming the sample for a label outside [0, classes), and for one that is missing where others have theirs.
at::Tensor targets_of(const data::Batch& batch, int64_t classes);

}  // namespace halftone::train
