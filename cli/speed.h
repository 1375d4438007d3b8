// What `quantize` does about speed: measures it, and with --tune leaves in float what is slower in integers.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "cli/command.h"
#include "halftone/quant/encodings.h"

namespace halftone::cli {

// Options of tuning.
struct TuneOptions {
  bool tune = false;
  std::string cache;  // file of measured times; empty: the user's own

  // Adds --tune and --tune-cache.
  void add_to(CLI::App& app);
};

// The model with the layers in float that this machine computes faster so; prints which those are. `json` gets
// "tuning".
QuantizedModel tune_model(QuantizedModel model, const TuneOptions& options, Console& console,
                          nlohmann::ordered_json& json);

// Measures the original and the quantized model side by side and prints both; warns where nothing was gained. `json`
// gets "latency".
void compare_speed(const Graph& original, const QuantizedModel& quantized, Console& console,
                   nlohmann::ordered_json& json);

}  // namespace halftone::cli
