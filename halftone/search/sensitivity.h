// Which layers of a quantized network cost how much accuracy.
#pragma once

#include <string>
#include <vector>

#include "halftone/base/progress.h"
#include "halftone/base/thread_team.h"
#include "halftone/data/loader.h"
#include "halftone/quant/encodings.h"

namespace halftone::search {

// What is quantized together: a layer's weights and its result, after the Relu or Clip that it absorbs; or an input of
// the network.
struct QuantizedUnit {
  std::string name;                // of the layer as recipes match it, or of the input
  std::string op;                  // ONNX's name, "Input" for an input
  std::vector<std::string> grids;  // the tensors that have encodings
};

// The units of a network in execution order. Every encoding belongs to exactly one.
std::vector<QuantizedUnit> units_of(const QuantizedModel& model);

struct Sensitivity {
  QuantizedUnit unit;
  double alone_db = 0;  // SQNR of the network's first output when this unit alone is quantized
};

// One at a time: each unit alone is rounded, all others are float; `graph` is the float network with the model's value
// names. Worst first. Errors: as Session. Determinism: the number of threads makes no difference.
// Cost: a float run of the network per unit and sample; memory as that of one session.
std::vector<Sensitivity> one_at_a_time(const Graph& graph, const QuantizedModel& model,
                                       const std::vector<data::Batch>& samples, ThreadTeam& team,
                                       ProgressSink& progress);

}  // namespace halftone::search
