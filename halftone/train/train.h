// Training a network from one file to another: the way into the room, without libtorch in sight.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "halftone/base/progress.h"
#include "halftone/data/preprocess.h"
#include "halftone/quant/encodings.h"
#include "halftone/train/recipe.h"

namespace halftone::train {

struct TrainOptions {
  TrainRecipe recipe;
  std::string training, validation;            // data sets (data/dataset.h)
  std::optional<data::Preprocess> preprocess;  // how images become inputs
  int threads = 0;                             // 0: available_cores()
  ProgressSink* progress = &silent_progress();
  std::filesystem::path checkpoint;  // where the run is kept while it lasts; empty: nowhere
  std::chrono::seconds checkpoint_interval = std::chrono::minutes(5);
  std::filesystem::path log;                // JSON lines (run_log.h); empty: none
  bool resume = false;                      // goes on from `checkpoint`
  const std::atomic<bool>* stop = nullptr;  // once true: checkpoint, and return
};

struct TrainResult {
  bool stopped = false;                     // by `stop`; the checkpoint has it all, and `model` nothing
  QuantizedModel model;                     // the best epoch's; without encodings where the recipe has no grids
  int64_t best_epoch = 0;                   // 0: the network as it began
  bool by_labels = true;                    // accuracy counts labels; false: there are none, the teacher's answers
  double start_accuracy = 0, accuracy = 0;  // on the validation set
  double engine_agreement = 0;              // share of validation samples on which the integer engine says the same
  int64_t validation_samples = 0;
  double seconds = 0;
};

// Trains `network` by the recipe on all of its parameters and, where it has grids, on those, beginning with
// post-training quantization. After each epoch it is measured as inference computes it, and the best is kept.
//
// `teacher` is what losses that need one compare with, any network with the same inputs and classes; nullptr: the
// network as it was, in float.
//
// Determinism: the same result with the same threads on the same machine, whether interrupted and resumed or not.
// Memory: activations of a batch, and about six times the parameters. The checkpoint is left in place.
// Errors, before any work as far as they can be seen: those of the recipe's names; Error{Unsupported} for an operator
// without gradient; Error{InvalidData} for labels that are missing or out of range; Error{InvalidArgument} for a
// teacher with other classes, and for a checkpoint that there is or isn't; Error{NumericRange} when the loss is no
// number any more: the last checkpoint stays.
TrainResult train(const Graph& network, const Graph* teacher, const TrainOptions& options);

}  // namespace halftone::train
