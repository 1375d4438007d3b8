#include "halftone/calibrate/quantize_model.h"

#include "halftone/base/cpu.h"
#include "halftone/base/error.h"
#include "halftone/calibrate/calibrate.h"
#include "halftone/quant/assign_dynamic.h"
#include "halftone/transform/pass.h"
#include "halftone/transform/separate_sums.h"

namespace halftone {

namespace {

[[noreturn]] void refuse_all(const Graph& graph, const std::map<std::string, std::string>& reasons,
                             std::string_view advice) {
  fail(ErrorCode::Unsupported, graph.name, "nothing in this network can be quantized{}{}",
       reasons.empty() ? "" : fmt::format(", e.g. '{}': {}", reasons.begin()->first, reasons.begin()->second), advice);
}

}  // namespace

Quantization quantize_simplified(Graph simple, data::Loader* loader, const Recipe& recipe, ThreadTeam& team,
                                 ProgressSink& progress, const ValueMoments& moments) {
  const QuantPlan plan = plan_quantization(simple, recipe);
  for (size_t rule : plan.unused_rules) progress.note(fmt::format("rule {} of the recipe decides nothing", rule + 1));
  if (plan.groups.empty() && plan.dynamic.empty()) {
    refuse_all(simple, plan.float_reasons, "");
  }
  const CalibrationTable table = calibrate(simple, plan, loader, moments, team, progress);
  Graph reference = simple;
  return {assign_encodings(std::move(simple), plan, table.ranges()), table.samples(), std::move(reference)};
}

Quantization quantize_model(const Graph& graph, data::Loader& loader, const QuantizeOptions& options) {
  ThreadTeam team(options.threads > 0 ? options.threads : available_cores());
  Graph simple = transform::separate_sums(transform::simplify(graph), options.recipe);
  const ValueMoments moments = propagate_moments(simple, collect_norm_statistics(graph), options.input_ranges);
  return quantize_simplified(std::move(simple), &loader, options.recipe, team, *options.progress, moments);
}

QuantizedModel quantize_dynamic(const Graph& graph, const Recipe& recipe, DynamicRange range) {
  if (!recipe.steps.empty()) {
    fail(ErrorCode::InvalidArgument, "steps",
         "'{}' and ranges found at run time don't go together: nothing is calibrated or corrected before; leave one of "
         "them out",
         recipe.steps.front().name);
  }
  QuantizedModel model = assign_dynamic(transform::simplify(graph), recipe, range);
  if (model.dynamic.empty()) refuse_all(graph, model.float_reasons, "; other layers need data to calibrate with");
  return model;
}

}  // namespace halftone
