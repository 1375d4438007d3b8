#include "cli/speed.h"

#include <fmt/core.h>

#include "cli/table.h"
#include "halftone/base/cpu.h"
#include "halftone/base/error.h"
#include "halftone/eval/side_by_side.h"
#include "halftone/search/tune.h"

namespace halftone::cli {
namespace {

std::string microseconds(double us) { return fmt::format("{:.1f}", us); }

// Times can be measured again, the work that is done is worth more than they are.
void keep_times(const MeasuredTimes& times, Console& console) {
  if (!times.table.changed()) return;
  try {
    times.table.save(times.path);
  } catch (const Error& error) {
    console.warn(fmt::format("the measured times are lost: {}; --tune-cache names another file", error.what()));
  }
}

}  // namespace

void TuneOptions::add_to(CLI::App& app) {
  app.add_flag("--tune", tune, "Measure each layer on this machine and leave in float what is slower in integers");
  app.add_option("--tune-cache", cache, "File of measured times, read and added to (default: the user's own)")
      ->type_name("FILE");
}

std::optional<MeasuredTimes> TuneOptions::read_times() const {
  if (!tune) return std::nullopt;
  MeasuredTimes times;
  times.path = cache.empty() ? search::LatencyTable::default_path() : std::filesystem::path(cache);
  times.table.load(times.path);
  return times;
}

QuantizedModel tune_model(QuantizedModel model, std::optional<MeasuredTimes> times, Console& console,
                          nlohmann::ordered_json& json) {
  if (!times) return model;
  const search::Tuning tuning = search::tune(model, RequantizeMode::Float, times->table);
  keep_times(*times, console);

  Table rows({"layer", ">us in integers", ">us in float", "chosen"});
  auto layers = nlohmann::ordered_json::array();
  for (const search::TunedLayer& layer : tuning.layers) {
    layers.push_back({{"layer", layer.node},
                      {"integer_us", layer.integer_us},
                      {"float_us", layer.float_us},
                      {"integers", layer.integers}});
    if (!layer.integers) {
      rows.add_row({layer.node, microseconds(layer.integer_us), microseconds(layer.float_us), "float"});
    }
  }
  if (tuning.left_in_float > 0) console.print(rows.to_string());
  console.print(fmt::format("tuned for {}: {} of {} layers stay float; {:.3f} ms, all in integers {:.3f} ms\n\n",
                            cpu_model(), tuning.left_in_float, tuning.layers.size(), tuning.tuned_ms,
                            tuning.integer_ms));
  json["tuning"] = {{"cache", times->path.string()},
                    {"left_in_float", tuning.left_in_float},
                    {"tuned_ms", tuning.tuned_ms},
                    {"integer_ms", tuning.integer_ms},
                    {"layers", layers}};
  return tuning.model;
}

void compare_speed(const Graph& original, const QuantizedModel& quantized, Console& console,
                   nlohmann::ordered_json& json) {
  const auto [in_float, in_integers] = eval::measure_side_by_side(Session(original), Session(quantized));
  const bool slower = in_integers > in_float;
  console.print(fmt::format(
      "one sample on one thread of this {}: float {:.3f} ms, quantized {:.3f} ms, {:.2f} times {}\n", cpu_model(),
      in_float, in_integers, slower ? in_integers / in_float : in_float / in_integers, slower ? "SLOWER" : "as fast"));
  if (slower) {
    console.warn(
        "the quantized model is slower than the original on this machine; quantize with --tune leaves in float "
        "what is slower in integers");
  }
  json["latency"] = {{"float_ms", in_float}, {"quantized_ms", in_integers}, {"cpu", cpu_model()}};
}

}  // namespace halftone::cli
