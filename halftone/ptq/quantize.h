// From a float network and a recipe to a quantized network: the whole of post-training quantization.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "halftone/calibrate/quantize_model.h"
#include "halftone/ptq/samples.h"
#include "halftone/quant/observer.h"

namespace halftone::ptq {

struct Options {
  Recipe recipe;    // with its steps, in their order
  int threads = 0;  // 0: available_cores()
  ProgressSink* progress = &silent_progress();
  std::map<std::string, Range, std::less<>> input_ranges = {};  // see Workbench
  std::filesystem::path journal = {};                           // see Workbench
};

// Simplifies the network, applies the recipe's graph steps, plans the grids and fills them in, and applies the model
// steps. `samples` may be nullptr where nothing in the recipe looks at data.
//
// Errors: Error{InvalidArgument} for steps that can't be combined or need data that isn't there (check_steps), before
// any work; those of quantize_simplified and of the steps. Determinism: the number of threads makes no difference.
Quantization quantize(const Graph& graph, Samples* samples, const Options& options = {});

}  // namespace halftone::ptq
