#include "cli/ptq_options.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <map>

#include "cli/table.h"
#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/ptq/preset.h"
#include "halftone/ptq/step.h"
#include "halftone/quant/grid.h"
#include "halftone/quant/observer.h"
#include "halftone/search/max_drop.h"

namespace halftone::cli {
namespace {

// "introduction: name (summary); name (summary)."
template <typename List>
std::string help_of(std::string text, const List& list) {
  const char* separator = ": ";
  for (const auto& entry : list) {
    text += fmt::format("{}{} ({})", separator, entry.name, entry.summary);
    separator = "; ";
  }
  return text + ".";
}

// "1%" or "0.01".
double parse_drop(std::string text) {
  double unit = 1;
  const std::string found = text;
  if (!text.empty() && text.back() == '%') {
    text.pop_back();
    unit = 0.01;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !(value * unit >= 0 && value * unit < 1)) {
    fail(ErrorCode::InvalidArgument, "--max-drop", "a share like 1% or 0.01 is required, found '{}'", found);
  }
  return value * unit;
}

// What preprocessing makes of the darkest and the brightest pixel.
std::map<std::string, Range, std::less<>> input_ranges(const LoadedModel& original, const DataOptions& data) {
  const auto preprocess = preprocess_of(original, data.preprocess);
  const std::vector<ValueId> inputs = original.model.graph.required_inputs();
  if (!preprocess || inputs.size() != 1) return {};
  Range range;
  for (size_t c = 0; c < preprocess->mean.size(); ++c) {
    range.low = std::min(range.low, (0 - preprocess->mean[c]) / preprocess->std[c]);
    range.high = std::max(range.high, (255 - preprocess->mean[c]) / preprocess->std[c]);
  }
  return {{original.model.graph.value(inputs.front()).name, range}};
}

struct Split {
  DataOptions calibration, validation;
};

// Calibration gets the first samples, at most half of those there are; validation the others.
Split split(const LoadedModel& original, const PtqOptions& options, const DataOptions& data) {
  Split parts{calibration_data(options, data), data};
  if (!options.validation.empty()) {
    parts.validation.path = options.validation;
    return parts;
  }
  parts.validation.shuffled = true;
  DataOptions all = data;
  all.limit = 0;
  if (const auto size = make_loader(original, all)->size()) {
    if (*size < 2) {
      fail(ErrorCode::InvalidData, data.path,
           "--max-drop calibrates on one part of the samples and measures on the other, at least 2 are required, "
           "found {}",
           *size);
    }
    parts.calibration.limit = std::min(parts.calibration.limit, *size / 2);
  }
  parts.validation.skip = parts.calibration.limit;
  return parts;
}

nlohmann::ordered_json to_json(const search::MaxDropResult& result, double asked) {
  nlohmann::ordered_json attempts = nlohmann::json::array();
  for (const search::Attempt& attempt : result.attempts) {
    attempts.push_back(
        {{"what", attempt.what}, {"drop", attempt.drop}, {"kept", attempt.kept}, {"seconds", attempt.seconds}});
  }
  return {{"asked", asked},
          {"drop", result.drop},
          {"met", result.met},
          {"measure", result.by_labels ? "top1" : "agreement"},
          {"reference", result.reference},
          {"calibration_samples", result.made.samples},
          {"validation_samples", result.validation_samples},
          {"attempts", attempts}};
}

void print(const search::MaxDropResult& result, double asked, Console& console) {
  console.print(
      fmt::format("calibrated on {} samples, measured on {} others: ", result.made.samples, result.validation_samples));
  console.print(result.by_labels ? fmt::format("top-1 of the float network {}\n", format_percent(result.reference))
                                 : "agreement with the float network (no labels)\n");
  Table table({"tried", ">points lost", ">seconds", ""});
  for (const search::Attempt& attempt : result.attempts) {
    table.add_row({attempt.what, fmt::format("{:.2f}", 100 * attempt.drop), fmt::format("{:.1f}", attempt.seconds),
                   attempt.kept ? "kept" : ""});
  }
  console.print(table.to_string());
  if (result.met) {
    console.print(fmt::format("{:.2f} points lost, {:.2f} were allowed\n\n", 100 * result.drop, 100 * asked));
  } else {
    console.warn(
        fmt::format("a drop of {} can't be met; the best with half of the layers in integers loses {:.2f} points",
                    format_percent(asked), 100 * result.drop));
  }
}

}  // namespace

void PtqOptions::add_to(CLI::App& app) {
  app.add_option("--calibration-images", images, "Samples that ranges are taken from (default 300)")->type_name("N");
  app.add_option("--preset", preset,
                 help_of("What is done beside choosing grids (default balanced)", ptq::all_presets()))
      ->type_name("NAME");
  app.add_option("--steps", steps, help_of("Steps in the place of the preset's, 'A, B:WORD=VALUE'", ptq::all_steps()))
      ->type_name("LIST");
  app.add_option(
         "--weights", weights,
         help_of("Type of weights, int1 to uint16 (default int8), and a grid after a colon, as in int4:codebook",
                 all_grids()))
      ->type_name("TYPE");
  app.add_option("--activations", activations, "Type of activations, int1 to uint16 (default uint8)")
      ->type_name("TYPE");
  app.add_option("--sums", sums,
                 "Type of sums of activations, such as the stream of a residual network (default: that of activations, "
                 "but at least 8 bits)")
      ->type_name("TYPE");
  app.add_option("--granularity", granularity,
                 "Scales of weights: per_channel (default), per_tensor, per_group:CHANNELS or per_block:ELEMENTS");
  app.add_option("--observer", observer,
                 help_of("How activations' ranges are found (default: the preset's)", all_observers()))
      ->type_name("NAME");
  app.add_option("--recipe", recipe_file, "Rules per layer, docs/recipes.md")->type_name("FILE");
  app.add_option("--max-drop", max_drop,
                 "Spend more, layer by layer, until at most this share of top-1 is lost (of the agreement with the "
                 "float model where there are no labels), e.g. 1%")
      ->type_name("SHARE");
  app.add_option("--validation", validation,
                 "What --max-drop measures on (default: the samples of --data that calibration leaves)")
      ->type_name("PATH");
}

Recipe PtqOptions::recipe() const {
  const ptq::Preset& chosen = ptq::find_preset(preset);
  const std::string range = observer.value_or(std::string(chosen.activations_observer));
  Recipe recipe = with_preset(make_recipe(weights, activations, granularity, range), chosen);
  recipe.activations.observer = range;
  if (sums) {
    const QuantSpec type = parse_quant_type(*sums);
    recipe.sums = recipe.activations;
    recipe.sums->bits = type.bits;
    recipe.sums->is_signed = type.is_signed;
  }
  if (steps) recipe.steps = parse_steps(*steps);
  if (!recipe_file.empty()) recipe = Recipe::from_json(read_file(recipe_file), recipe_file, recipe);
  ptq::check_steps(recipe.steps);
  return recipe;
}

DataOptions calibration_data(const PtqOptions& options, DataOptions data) {
  data.limit = options.images;
  data.shuffled = true;
  return data;
}

Quantization quantize(const LoadedModel& original, const PtqOptions& options, const DataOptions& data, Console& console,
                      nlohmann::ordered_json& json, bool& met) {
  const Graph& graph = original.model.graph;
  ptq::Options how{.recipe = options.recipe(), .threads = data.thread_count(), .progress = &console.progress()};
  how.input_ranges = input_ranges(original, data);
  how.journal = options.journal;
  met = true;
  if (options.max_drop) {
    if (data.path.empty()) fail(ErrorCode::InvalidArgument, "--max-drop", "samples are required, give --data");
    const double asked = parse_drop(*options.max_drop);
    const Split parts = split(original, options, data);
    ptq::Samples samples([&] { return make_loader(original, parts.calibration); });
    search::MaxDropResult result =
        search::keep_accuracy(graph, samples, [&] { return make_loader(original, parts.validation); },
                              {.max_drop = asked, .quantization = how});
    print(result, asked, console);
    json["max_drop"] = to_json(result, asked);
    met = result.met;
    return std::move(result.made);
  }
  if (data.path.empty()) {
    for (const StepRequest& step : how.recipe.steps) {
      if (!ptq::find_step(step.name).needs_data) continue;
      fail(ErrorCode::InvalidArgument, "--data",
           "samples are required for step '{}', found none; --preset data_free and --dynamic do without", step.name);
    }
    return ptq::quantize(graph, nullptr, how);
  }
  const DataOptions calibration = calibration_data(options, data);
  ptq::Samples samples([&] { return make_loader(original, calibration); });
  return ptq::quantize(graph, &samples, how);
}

}  // namespace halftone::cli
