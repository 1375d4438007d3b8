// What `quantize` does about speed: measures it, and with --tune leaves in float what is slower in integers.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/command.h"
#include "halftone/quant/encodings.h"
#include "halftone/search/latency_table.h"

namespace halftone::cli {

// Times measured earlier, and the file that keeps them.
struct MeasuredTimes {
  std::filesystem::path path;
  search::LatencyTable table;
};

// Options of tuning.
struct TuneOptions {
  bool tune = false;
  std::string cache;  // file of measured times; empty: the user's own

  // Adds --tune and --tune-cache.
  void add_to(CLI::App& app);
  // nullopt without --tune. Errors: Error{Io, InvalidData} naming the file.
  std::optional<MeasuredTimes> read_times() const;
};

// The model with the layers in float that this machine computes faster so; prints which those are. `json` gets
// "tuning". Without times the model as it is. What was measured is added to the file; one that can't be written is
// warned of.
QuantizedModel tune_model(QuantizedModel model, std::optional<MeasuredTimes> times, Console& console,
                          nlohmann::ordered_json& json);

// Measures the original and the quantized model side by side and prints both; warns where nothing was gained. `json`
// gets "latency".
void compare_speed(const Graph& original, const QuantizedModel& quantized, Console& console,
                   nlohmann::ordered_json& json);

}  // namespace halftone::cli
