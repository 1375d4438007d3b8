// What a network wants to be fed: real data in the loader's words, or numbers made up.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "halftone/base/rng.h"
#include "halftone/data/loader.h"
#include "halftone/graph/graph.h"
#include "halftone/quant/encodings.h"
#include "halftone/runtime/session.h"
#include "halftone/tensor/tensor_map.h"

namespace halftone::eval {

// One port per required input, in order; unknown dimensions are -1.
std::vector<data::InputPort> input_ports(const Graph& graph);
std::vector<data::InputPort> input_ports(const Session& session);

// Shapes of the required inputs for `batch` samples: an unknown first dimension is the batch, other unknown ones are 1.
// Errors: Error{InvalidArgument} where the batch is below 1 or the model's own is another, Error{Unsupported} for an
// input of unknown rank.
std::map<std::string, Shape> input_shapes(const Graph& graph, int64_t batch);
std::map<std::string, Shape> input_shapes(const Session& session, int64_t batch);

// Random numbers: floats uniform in [-1, 1), integers and truth values 0 or 1. Errors: as input_shapes, and
// Error{Unsupported} for strings.
TensorMap random_inputs(const Graph& graph, int64_t batch, Rng& rng);
TensorMap random_inputs(const Session& session, int64_t batch, Rng& rng);

// Inputs that take quantized layers to their limits, as far as inputs can. Kinds follow one another as `number` grows:
// random over the range of the input's grid (without one: [-3, 3]), all at its upper end, all at its lower end, each
// at one of the two ends, far outside, and zeros. Errors: as random_inputs.
TensorMap probing_inputs(const QuantizedModel& model, int64_t batch, int64_t number);

}  // namespace halftone::eval
