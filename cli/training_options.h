// The options of `train` and `distill`, and what they do.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "cli/console.h"
#include "cli/model.h"
#include "cli/report_file.h"

namespace halftone::cli {

struct TrainingOptions {
  std::string model, output, recipe, teacher, validation, log;
  DataOptions data;
  ReportOptions report;
  std::optional<int64_t> epochs, seed;
  bool resume = false;
  double checkpoint_minutes = 5;

  // Adds all options but --recipe and --teacher, which not every command leaves to the user.
  void add_to(CLI::App& app);
  std::string checkpoint() const { return output + ".checkpoint"; }
  std::string log_file() const { return log.empty() ? output + ".log.jsonl" : log; }
};

// Trains by the options. The program that sees libtorch has it done (training/here.cc); the other one, which would load
// hundreds of megabytes for nothing in all of its other commands, becomes that program (training/elsewhere.cc).
void run_training(const TrainingOptions& options, Console& console);

}  // namespace halftone::cli
