// The room `calibrate`: from a float network, a recipe and a few samples to a quantized network. It sees runtime and
// data.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "halftone/base/progress.h"
#include "halftone/base/thread_team.h"
#include "halftone/data/loader.h"
#include "halftone/quant/encodings.h"
#include "halftone/quant/recipe.h"
#include "halftone/quant/value_moments.h"

namespace halftone {

struct QuantizeOptions {
  Recipe recipe;
  int threads = 0;  // 0: available_cores()
  ProgressSink* progress = &silent_progress();
  std::map<std::string, Range, std::less<>> input_ranges = {};  // known without data, by input
};

struct Quantization {
  QuantizedModel model;
  int64_t samples = 0;  // that calibration saw
  Graph reference;      // the float network whose values the model's are compared with, by name
};

// Post-training quantization: simplifies the network (transform::simplify), plans its grids (plan_quantization),
// watches the float network on every sample of `loader` and fills the grids in (assign_encodings). Rules of the recipe
// that match nothing are remarked upon through `progress`.
//
// Errors: Error{InvalidData} for an empty loader, Error{Unsupported} when nothing in the network can be quantized, and
// those of the steps named. Determinism: the number of threads makes no difference.
// Memory: one float Session's runs per thread; independent of the number of samples.
Quantization quantize_model(const Graph& graph, data::Loader& loader, const QuantizeOptions& options = {});

// The same for a network that is simplified already, with what is known of its values. `loader` may be nullptr where no
// grid needs data.
Quantization quantize_simplified(Graph simple, data::Loader* loader, const Recipe& recipe, ThreadTeam& team,
                                 ProgressSink& progress, const ValueMoments& moments = {});

// The same without data: only matrix products are quantized, and find the ranges of their activations at run time
// (assign_dynamic). Errors: Error{Unsupported} when the network has no product that can be quantized,
// Error{InvalidArgument} for a recipe with steps, which would have nothing to work on, and those of assign_dynamic.
QuantizedModel quantize_dynamic(const Graph& graph, const Recipe& recipe, DynamicRange range);

}  // namespace halftone
