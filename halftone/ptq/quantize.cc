#include "halftone/ptq/quantize.h"

#include "halftone/base/cpu.h"
#include "halftone/ptq/blocks/refine.h"
#include "halftone/ptq/step.h"
#include "halftone/transform/pass.h"
#include "halftone/transform/separate_sums.h"

namespace halftone::ptq {
namespace {

void apply_steps(Phase phase, Workbench& bench) {
  for (const StepRequest& request : bench.recipe->steps) {
    const Step& step = find_step(request.name);
    if (step.phase != phase) continue;
    StepWords words(request);
    step.function(&bench, words);
  }
}

}  // namespace

Quantization quantize(const Graph& graph, Samples* samples, const Options& options) {
  check_steps(options.recipe.steps);
  ThreadTeam team(options.threads > 0 ? options.threads : available_cores());
  Workbench bench;
  bench.recipe = &options.recipe;
  bench.samples = samples;
  bench.team = &team;
  bench.progress = options.progress;
  bench.journal = options.journal;
  bench.input_ranges = options.input_ranges;
  for (const StepRequest& request : options.recipe.steps) {
    if (find_step(request.name).needs_data) bench.required_samples(request.name);
  }

  bench.norms = collect_norm_statistics(graph);
  bench.reference = transform::simplify(graph);
  apply_steps(Phase::Graph, bench);
  bench.reference = transform::separate_sums(std::move(bench.reference), options.recipe);
  const auto loader = samples == nullptr ? nullptr : samples->stream();
  const ValueMoments moments = propagate_moments(bench.reference, bench.norms, bench.input_ranges);
  Quantization made =
      quantize_simplified(bench.reference, loader.get(), options.recipe, team, *options.progress, moments);
  bench.model = std::move(made.model);
  apply_steps(Phase::Model, bench);
  if (!options.journal.empty()) {
    for (const char* end : {"", kBlockJournal}) std::filesystem::remove(std::filesystem::path(options.journal) += end);
  }
  made.model = std::move(bench.model);
  made.reference = std::move(bench.reference);
  return made;
}

}  // namespace halftone::ptq
