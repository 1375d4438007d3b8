// How a training went, read from its run log.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace halftone::report {

inline constexpr double kUntold = std::numeric_limits<double>::quiet_NaN();

// Numbers that a log does not tell, and those that were not finite, are NaN.
struct TrainingStep {
  double epoch = kUntold;  // how far the training was, in epochs
  double loss = kUntold, accuracy = kUntold, rate = kUntold;
};

struct TrainingEpoch {
  double epoch = kUntold;  // epochs that are over
  double train_loss = kUntold, train_accuracy = kUntold;
  double validation_loss = kUntold, validation_accuracy = kUntold;
};

// The scale of one tensor's grid, epoch by epoch.
struct ScaleCurve {
  std::string tensor;
  std::vector<double> epochs, scales;
};

struct Training {
  std::string model;
  std::string recipe;  // as JSON; empty where the log has none
  std::string seed;    // 64 bits, which not every reader of JSON has as a number
  int64_t images = 0, validation_images = 0, parameters = 0, epochs = 0, batch = 0;

  int64_t all_steps = 0, resumed = 0;     // steps that the log tells of; how often the run was taken up again
  std::vector<TrainingStep> steps;        // means over successive ones, where they are many
  std::vector<TrainingEpoch> epoch_ends;  // some of them, where they are many; the last always
  std::vector<ScaleCurve> scales;         // by name
  double images_per_second = kUntold;     // of the last step

  bool finished = false;              // the rest is told at the end
  std::optional<int64_t> best_epoch;  // 0: none was better than the network that it started from
  double validation_accuracy = kUntold, agreement = kUntold;  // of the best; of trainer and engine
  double seconds = kUntold;
};

// Reads a run log of JSON lines (docs/training.md lists the events). What it does not know is passed over, and so is a
// last line that was cut off when the run was killed. Errors: Error{Io}; Error{InvalidData} at file:line for a damaged
// line elsewhere, and for a file without a start. Cost: memory is bounded, whatever the number of lines: curves are
// thinned out to at most 2,000 points, of at most 500 tensors.
Training read_training(const std::filesystem::path& log);

}  // namespace halftone::report
