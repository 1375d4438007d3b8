// What a training recipe says; docs/training.md describes the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "halftone/quant/recipe.h"
#include "halftone/quant/step_request.h"
#include "halftone/train/quantizer_choice.h"

namespace halftone::train {

// Steps of descent.
struct Rates {
  double weights = 0.01;  // of weights, biases and normalization, before the schedule
  double scales = 0.01;   // of what quantizers learn
};

struct TrainRecipe {
  std::optional<Recipe> quantization;  // grids to train on; nullopt: floats
  QuantizerChoice quantizers;
  int64_t calibration_images = 300;  // that the first ranges are taken from

  std::vector<StepRequest> losses;   // losses.def; empty: cross_entropy, or soft_targets where there is a teacher
  std::vector<StepRequest> augment;  // augmentations.def, first to last
  std::optional<StepRequest> mixup;  // mixup.h

  StepRequest optimizer{"sgd", {}};    // optimizers.def
  StepRequest schedule{"cosine", {}};  // schedules.def
  Rates rates;
  std::optional<double> clip;               // largest norm of all gradients together
  std::optional<double> average;            // momentum of the weights' moving average, which is what counts in the end
  std::optional<double> freeze_batch_norm;  // after so many epochs its statistics stay; nullopt: never

  int64_t epochs = 1;
  int64_t batch = 128;
  uint64_t seed = 1;

  std::string text = "{}";  // the document that it was read from, on one line

  // Reads a recipe. What it leaves out stays as above. Errors: Error{InvalidArgument} at `where` for text that is no
  // JSON, unknown words (with the nearest known one), values that can't be, and names that no list knows.
  static TrainRecipe from_json(const std::string& text, const std::string& where);
};

}  // namespace halftone::train
