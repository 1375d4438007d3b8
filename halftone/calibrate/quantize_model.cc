#include "halftone/calibrate/quantize_model.h"

#include "halftone/base/cpu.h"
#include "halftone/base/error.h"
#include "halftone/calibrate/calibrate.h"
#include "halftone/transform/pass.h"

namespace halftone {

Quantization quantize_model(const Graph& graph, data::Loader& loader, const QuantizeOptions& options) {
  ProgressSink& progress = *options.progress;
  Graph simple = transform::simplify(graph);
  const QuantPlan plan = plan_quantization(simple, options.recipe);
  for (size_t rule : plan.unused_rules) progress.note(fmt::format("rule {} of the recipe decides nothing", rule + 1));
  if (plan.groups.empty()) {
    const bool reasons = !plan.float_reasons.empty();
    fail(ErrorCode::Unsupported, graph.name, "nothing in this network can be quantized{}",
         reasons ? fmt::format(", e.g. '{}': {}", plan.float_reasons.begin()->first, plan.float_reasons.begin()->second)
                 : "");
  }
  ThreadTeam team(options.threads > 0 ? options.threads : available_cores());
  const CalibrationTable table = calibrate(simple, plan, loader, team, progress);
  return {assign_encodings(std::move(simple), plan, table.ranges()), table.samples()};
}

}  // namespace halftone
