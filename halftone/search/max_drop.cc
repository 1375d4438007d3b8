#include "halftone/search/max_drop.h"

#include <algorithm>
#include <chrono>

#include "halftone/base/cpu.h"
#include "halftone/base/error.h"
#include "halftone/eval/accuracy.h"
#include "halftone/eval/answers.h"
#include "halftone/eval/side_by_side.h"
#include "halftone/ptq/step.h"
#include "halftone/search/sensitivity.h"

namespace halftone::search {
namespace {

// Samples on which the sensitivities are measured; their order is all that is used.
constexpr int64_t kSensitivitySamples = 32;

// A recipe-wide change that costs nothing when the model runs. Returns false where the recipe has it already.
struct FreeRung {
  std::string_view what;
  bool (*apply)(Recipe& recipe);
};

bool add_step(Recipe& recipe, std::string_view name) {
  const auto same = [&](const StepRequest& step) { return step.name == name; };
  if (std::any_of(recipe.steps.begin(), recipe.steps.end(), same)) return false;
  // Biases are corrected last: for the weights as they are then.
  const auto bias = std::find_if(recipe.steps.begin(), recipe.steps.end(),
                                 [](const StepRequest& step) { return step.name == "correct_bias"; });
  recipe.steps.insert(bias, {std::string(name), {}});
  return true;
}

constexpr FreeRung kFreeRungs[] = {
    {"ranges of activations by least squared error",
     [](Recipe& recipe) { return std::exchange(recipe.activations.observer, "mse") != "mse"; }},
    {"a scale per output channel",
     [](Recipe& recipe) {
       return std::exchange(recipe.weights.granularity, Granularity::PerChannel) == Granularity::PerTensor;
     }},
    {"biases corrected", [](Recipe& recipe) { return add_step(recipe, "correct_bias"); }},
    {"learned rounding", [](Recipe& recipe) { return add_step(recipe, "round"); }},
};

// A change that costs time when the model runs, for one unit.
struct LayerRung {
  std::string_view what;
  bool (*fits)(const QuantizedUnit& unit, const QuantizedModel& model);
  void (*apply)(Recipe& recipe, const QuantizedUnit& unit, const QuantizedModel& model);
};

bool is_activation(const QuantizedModel& model, const std::string& name) {
  return !model.graph.value(model.graph.find(name)).constant;
}

// Rules are held against names, in which * and ? are no letters.
void add_rule(Recipe& recipe, RecipeRule rule) {
  const auto first_other = std::find_if(recipe.rules.begin(), recipe.rules.end(), [&](const RecipeRule& other) {
    return other.name != rule.name || other.role != rule.role;
  });
  recipe.rules.insert(first_other, std::move(rule));
}

bool any_grid(const QuantizedUnit& unit, const std::function<bool(const std::string&)>& holds) {
  return std::any_of(unit.grids.begin(), unit.grids.end(), holds);
}

// The unit's activations with so many bits.
void widen_activations(Recipe& recipe, const QuantizedUnit& unit, const QuantizedModel& model, int bits) {
  for (const std::string& grid : unit.grids) {
    if (!is_activation(model, grid)) continue;
    QuantSpec spec = model.encodings.at(grid).spec;
    if (spec.bits >= bits) continue;
    spec.bits = bits;
    add_rule(recipe, {grid, "*", Role::Activations, spec});
  }
}

constexpr LayerRung kEightBits{
    "8 bits",
    [](const QuantizedUnit& unit, const QuantizedModel& model) {
      return any_grid(unit, [&](const std::string& grid) { return model.encodings.at(grid).spec.bits < 8; });
    },
    [](Recipe& recipe, const QuantizedUnit& unit, const QuantizedModel& model) {
      widen_activations(recipe, unit, model, 8);
      for (const std::string& grid : unit.grids) {
        QuantSpec spec = model.encodings.at(grid).spec;
        if (is_activation(model, grid) || spec.bits >= 8) continue;
        spec.bits = 8;
        add_rule(recipe, {grid, "*", Role::Weights, spec});
      }
    }};

constexpr LayerRung kSixteenBits{"16-bit activations",
                                 [](const QuantizedUnit& unit, const QuantizedModel& model) {
                                   return any_grid(unit,
                                                   [&](const std::string& grid) { return is_activation(model, grid); });
                                 },
                                 [](Recipe& recipe, const QuantizedUnit& unit, const QuantizedModel& model) {
                                   widen_activations(recipe, unit, model, 16);
                                 }};

constexpr LayerRung kFloat{"float", [](const QuantizedUnit& unit, const QuantizedModel&) { return unit.op != "Input"; },
                           [](Recipe& recipe, const QuantizedUnit& unit, const QuantizedModel&) {
                             add_rule(recipe, {unit.name, "*", std::nullopt, std::nullopt});
                           }};

class Escalation {
 public:
  Escalation(const Graph& graph, ptq::Samples& calibration,
             const std::function<std::unique_ptr<data::Loader>()>& validation, const MaxDropOptions& options)
      : graph_(graph),
        calibration_(calibration),
        validation_(validation),
        options_(options),
        team_(options.quantization.threads > 0 ? options.quantization.threads : available_cores()),
        output_(eval::score_output(graph)) {
    expected_ = answers_of({graph, {}, {}});
    result_.validation_samples = static_cast<int64_t>(expected_.size());
    result_.by_labels =
        std::all_of(expected_.begin(), expected_.end(), [](const eval::Answer& answer) { return answer.label; });
    result_.reference = result_.by_labels ? eval::top1(expected_) : 1;
  }

  MaxDropResult run() && {
    best_ = attempt("the recipe as it is", options_.quantization.recipe);
    mark_kept(best_);
    for (const FreeRung& rung : kFreeRungs) {
      if (met(best_)) break;
      Recipe recipe = best_.recipe;
      if (!rung.apply(recipe)) continue;
      Candidate candidate = attempt(std::string(rung.what), recipe);
      if (candidate.drop < best_.drop) keep(std::move(candidate));
    }
    if (!met(best_)) escalate_layers();
    result_.met = met(best_);
    result_.made = std::move(best_.made);
    result_.recipe = std::move(best_.recipe);
    result_.drop = best_.drop;
    return std::move(result_);
  }

 private:
  struct Candidate {
    Quantization made;
    Recipe recipe;
    double drop = 0;
    size_t attempt = 0;  // its position in the result's list
  };

  bool met(const Candidate& candidate) const { return candidate.drop <= options_.max_drop; }
  void mark_kept(const Candidate& candidate) { result_.attempts[candidate.attempt].kept = true; }
  void keep(Candidate candidate) {
    best_ = std::move(candidate);
    mark_kept(best_);
  }

  std::vector<eval::Answer> answers_of(const QuantizedModel& model) {
    const auto engine = eval::make_engine(eval::EngineKind::Auto, model);
    const auto loader = validation_();
    return eval::answers(*engine, output_, *loader, team_, *options_.quantization.progress);
  }

  double drop_of(const QuantizedModel& model) {
    const std::vector<eval::Answer> found = answers_of(model);
    return result_.by_labels ? result_.reference - eval::top1(found) : 1 - eval::agreement(expected_, found);
  }

  // Quantizes by `recipe` and measures.
  Candidate attempt(const std::string& what, const Recipe& recipe) {
    const auto start = std::chrono::steady_clock::now();
    ptq::Options how = options_.quantization;
    how.recipe = recipe;
    Quantization made = ptq::quantize(graph_, &calibration_, how);
    const double drop = drop_of(made.model);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    result_.attempts.push_back({what, drop, false, elapsed.count()});
    options_.quantization.progress->note(fmt::format("{}: {:.2f} points lost", what, 100 * drop));
    return {std::move(made), recipe, drop, result_.attempts.size() - 1};
  }

  void escalate_layers() {
    const Quantization& made = best_.made;
    const std::vector<Sensitivity> guilty = one_at_a_time(
        made.reference, made.model, calibration_.kept(kSensitivitySamples), team_, *options_.quantization.progress);
    const QuantizedModel model = made.model;
    std::optional<Candidate> narrow = escalate(kEightBits, guilty, model);
    if (narrow && narrow->drop < best_.drop) keep(std::move(*narrow));
    if (met(best_)) return;
    // Both work; which is cheaper is a matter of the machine.
    std::optional<Candidate> wide = escalate(kSixteenBits, guilty, model), in_float = escalate(kFloat, guilty, model);
    if (wide && in_float && met(*wide) && met(*in_float)) {
      (slower(*wide, *in_float) ? wide : in_float).reset();
    } else if (wide && in_float) {
      (wide->drop > in_float->drop ? wide : in_float).reset();
    }
    std::optional<Candidate>& found = wide ? wide : in_float;
    if (found && found->drop < best_.drop) keep(std::move(*found));
  }

  static bool slower(const Candidate& a, const Candidate& b) {
    const auto latency = eval::measure_side_by_side(Session(a.made.model), Session(b.made.model));
    return latency.first_ms > latency.second_ms;
  }

  // The fewest units, guiltiest first, for which the rung meets the drop; where half of them are not enough, what comes
  // nearest. nullopt where the rung changes nothing.
  std::optional<Candidate> escalate(const LayerRung& rung, const std::vector<Sensitivity>& guilty,
                                    const QuantizedModel& model) {
    std::vector<QuantizedUnit> units;
    for (const Sensitivity& each : guilty) {
      if (rung.fits(each.unit, model)) units.push_back(each.unit);
    }
    const Recipe base = best_.recipe;
    const auto attempt_for = [&](size_t count) {
      Recipe recipe = base;
      for (size_t i = 0; i < count; ++i) rung.apply(recipe, units[i], model);
      const std::string names = count <= 3 ? fmt::format(" ({})", joined(units, count)) : "";
      return attempt(fmt::format("{} for {} layer{}{}", rung.what, count, count == 1 ? "" : "s", names), recipe);
    };
    const size_t most = std::max(units.size() / 2, std::min<size_t>(units.size(), 1));
    std::optional<Candidate> found;
    size_t too_few = 0, enough = 0;
    for (size_t count = 1; count <= most && enough == 0; count = count < most ? std::min(2 * count, most) : most + 1) {
      Candidate candidate = attempt_for(count);
      (met(candidate) ? enough : too_few) = count;
      if (!found || candidate.drop < found->drop) found = std::move(candidate);
    }
    while (enough > too_few + 1) {
      const size_t middle = too_few + (enough - too_few) / 2;
      Candidate candidate = attempt_for(middle);
      (met(candidate) ? enough : too_few) = middle;
      if (enough == middle) found = std::move(candidate);
    }
    return found;
  }

  static std::string joined(const std::vector<QuantizedUnit>& units, size_t count) {
    std::string names;
    for (size_t i = 0; i < count; ++i) names += (i == 0 ? "" : ", ") + units[i].name;
    return names;
  }

  const Graph& graph_;
  ptq::Samples& calibration_;
  const std::function<std::unique_ptr<data::Loader>()>& validation_;
  const MaxDropOptions& options_;
  ThreadTeam team_;
  const std::string output_;
  std::vector<eval::Answer> expected_;
  Candidate best_;
  MaxDropResult result_;
};

}  // namespace

MaxDropResult keep_accuracy(const Graph& graph, ptq::Samples& calibration,
                            const std::function<std::unique_ptr<data::Loader>()>& validation,
                            const MaxDropOptions& options) {
  return Escalation(graph, calibration, validation, options).run();
}

}  // namespace halftone::search
