// The options of `quantize` that say how: types, ranges, steps, and what may be lost.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cli/command.h"
#include "cli/model.h"
#include "halftone/ptq/quantize.h"

namespace halftone::cli {

struct PtqOptions {
  std::string weights = "int8", activations = "uint8", granularity = "per_channel";
  std::string preset = "balanced", recipe_file;
  std::optional<std::string> observer, steps;  // instead of the preset's
  std::optional<std::string> sums;             // type of sums of activations
  int64_t images = 300;                        // that ranges are taken from
  std::optional<std::string> max_drop;
  std::string validation;  // data to measure the drop on; empty: what calibration leaves of --data
  std::string journal;     // where learned rounding keeps what it has finished, to go on after an interruption

  void add_to(CLI::App& app);
  // Errors: Error{InvalidArgument} for words that nobody knows and combinations that can't be.
  Recipe recipe() const;
};

// Quantizes by the options; with --max-drop until the drop is met, which it tells on the way and in json's "max_drop".
// `met` becomes false where it can't be.
Quantization quantize(const LoadedModel& original, const PtqOptions& options, const DataOptions& data, Console& console,
                      nlohmann::ordered_json& json, bool& met);

// `data` as calibration takes it: the first samples of an order that has nothing to do with the source's, so that a
// folder sorted by class gives more than its first classes.
DataOptions calibration_data(const PtqOptions& options, DataOptions data);

}  // namespace halftone::cli
