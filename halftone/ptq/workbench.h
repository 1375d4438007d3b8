// The room `ptq`: what can be done to a trained network without training it. It sees calibrate and eval.
//
// Every method is a step: one file in steps/, one line in steps.def. A recipe is a list of steps that are applied to
// one workbench from first to last. Graph steps rewrite the float network before it has grids; then the grids are
// planned and filled in (plan_quantization, calibrate, assign_encodings); model steps change weights, biases and grids
// by looking at what they do to the network's layers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "halftone/base/progress.h"
#include "halftone/base/thread_team.h"
#include "halftone/ptq/samples.h"
#include "halftone/quant/channel_moments.h"
#include "halftone/quant/encodings.h"
#include "halftone/quant/observer.h"
#include "halftone/quant/recipe.h"

namespace halftone::ptq {

struct Workbench {
  // The float network, simplified. Graph steps rewrite it; what they leave is what model steps compare with: a value of
  // `model` means the same as the value of that name here.
  Graph reference;
  // Empty until the grids are there. A weight that was rounded by something better than the nearest code is a constant
  // that lies on its grid.
  QuantizedModel model;
  // What batch normalization said of the values of `reference`; steps that scale channels scale it along.
  NormStatistics norms;
  // What is known of the network's inputs without data, by name; from the preprocessing.
  std::map<std::string, Range, std::less<>> input_ranges;

  const Recipe* recipe = nullptr;
  Samples* samples = nullptr;  // nullptr: without data
  ThreadTeam* team = nullptr;
  ProgressSink* progress = nullptr;
  // Where steps that take minutes record what is finished, so that an interrupted run can go on; empty: nowhere.
  std::filesystem::path journal;

  // Errors: Error{InvalidArgument} saying that `step` needs data.
  Samples& required_samples(std::string_view step) const;
};

// The network with every weight constant that has an encoding replaced by what its grid makes of it, and nothing else
// rounded: what a float session computes with it shows the weights' share of the error. Cost: one pass over the
// weights.
Graph with_rounded_weights(const QuantizedModel& model);

}  // namespace halftone::ptq
