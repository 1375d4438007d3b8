// How long two models take for one sample on one thread, in a fraction of a second.
#pragma once

#include "halftone/runtime/session.h"

namespace halftone::eval {

struct SideBySide {
  double first_ms = 0, second_ms = 0;  // medians
};

// Runs both sessions on the same random sample, in turn, so that whatever else the machine does falls on both
// (measure_latency): 0.02 s each to warm up, then 0.05 s and at least 5 runs each. That says which is faster and about
// how much; `halftone benchmark` measures. Precondition: `second` has the inputs of `first`. Errors: as random_inputs.
SideBySide measure_side_by_side(const Session& first, const Session& second);

}  // namespace halftone::eval
