// Never slower: layers that run slower in integers than in float stay float.
#pragma once

#include <string>
#include <vector>

#include "halftone/quant/encodings.h"
#include "halftone/quant/requantize.h"
#include "halftone/search/latency_table.h"

namespace halftone::search {

// One layer, with what is computed together with it.
struct TunedLayer {
  std::string node;
  double integer_us = 0, float_us = 0;
  bool integers = false;  // what was chosen
};

struct Tuning {
  QuantizedModel model;
  std::vector<TunedLayer> layers;  // those that can be computed in integers
  int left_in_float = 0;
  // Medians of the whole network at batch 1 on one thread, measured in turn.
  double float_ms = 0, integer_ms = 0, tuned_ms = 0;
};

// Decides for each layer of a quantized network whether it is computed in integers or in float on this machine:
//
//   least  sum over layers of its time in the chosen form
//        + sum over values of the conversion, where a layer that reads it has another form than the one that makes it
//
// exactly, as a minimum cut (search/min_cut.h). Times are those of steps of the lowered networks, both profiled whole,
// and of the conversions of values of each shape; `table` is asked first and gets what was measured. Layers that stay
// float lose the encodings of their weights, and values among float layers theirs; float_reasons says why. The whole
// networks' times stay 0.
//
// Errors: as Session. Determinism: as that of clocks, unless the table has all entries. Cost: some seconds.
Tuning choose_layers(const QuantizedModel& model, RequantizeMode mode, LatencyTable& table);

// The same, measured as a whole beside the network as it was given and its float form; where the choice does not win,
// the given network is what comes out.
Tuning tune(const QuantizedModel& model, RequantizeMode mode, LatencyTable& table);

}  // namespace halftone::search
