// Runs the float network over calibration samples, with observers on the values that will get grids.
#pragma once

#include "halftone/base/progress.h"
#include "halftone/base/thread_team.h"
#include "halftone/calibrate/calibration_table.h"
#include "halftone/data/loader.h"
#include "halftone/quant/value_moments.h"

namespace halftone {

// Tells observers that need no data what `moments` knows (propagate_moments of the same graph), and shows the others
// every sample of `loader`, over the whole team: each thread takes a few consecutive batches at a time and runs them
// through a Session of its own thread. `graph` is the one the plan was made for.
//
// Errors: Error{InvalidData} when there is no sample; Error{NumericRange} naming a value that holds infinite numbers or
// NaN; what loader and session throw. Determinism: the number of threads makes no difference; equal samples in equal
// order give an equal table. Memory: that of a few tables, batches and runs per thread.
CalibrationTable calibrate(const Graph& graph, const QuantPlan& plan, data::Loader* loader, const ValueMoments& moments,
                           ThreadTeam& team, ProgressSink& progress);

}  // namespace halftone
