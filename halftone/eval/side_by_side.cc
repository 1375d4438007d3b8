#include "halftone/eval/side_by_side.h"

#include "halftone/base/rng.h"
#include "halftone/eval/inputs.h"
#include "halftone/eval/latency.h"

namespace halftone::eval {

SideBySide measure_side_by_side(const Session& first, const Session& second) {
  Rng rng(1);
  const TensorMap inputs = random_inputs(first, 1, rng);
  const auto latencies =
      measure_latency({[&] { static_cast<void>(first.run(inputs)); }, [&] { static_cast<void>(second.run(inputs)); }},
                      {.warm_up_seconds = 0.02, .seconds = 0.05, .least_runs = 5});
  return {latencies[0].median_ms, latencies[1].median_ms};
}

}  // namespace halftone::eval
