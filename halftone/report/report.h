// The room `report`: what a person wants to know of a quantized network, as data, JSON and one HTML page. It sees
// search.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halftone/base/progress.h"
#include "halftone/base/thread_team.h"
#include "halftone/data/loader.h"
#include "halftone/quant/encodings.h"
#include "halftone/report/training.h"

namespace halftone::report {

// How often numbers fall into equal bins from `low` to `high`.
struct Bins {
  double low = 0, high = 0;
  std::vector<int64_t> counts;
};

// The grid of one tensor.
struct GridReport {
  std::string tensor;
  std::string type;         // "int8"
  std::string granularity;  // "per_channel"
  std::string observer, rounding;
  double low = 0, high = 0;  // reach of the grid, the widest over its channels
  double step = 0;           // the largest distance of neighbours
  int64_t scales = 1;
  double bits_per_value = 0;
  Bins values;  // of the float network
};

struct LayerReport {
  std::string name, op;
  std::string reason;  // why it is computed in float; empty where it is quantized
  int64_t parameters = 0;
  std::optional<GridReport> weights, activations;
  // Signal-to-noise ratio of the layer's result with everything before it quantized, and of the network's first output
  // with this layer alone quantized. Absent where the networks' layers are no longer the same function (channels were
  // rescaled across layers), or the layer is not to be seen.
  std::optional<double> sqnr_db, alone_db;
  std::vector<float> channel_range, channel_range_float;  // largest |weight| by output channel: on the grid, and before
};

// A sample to which the two networks give different answers.
struct ChangedAnswer {
  std::string id;
  std::optional<int64_t> label;
  int64_t before = 0, after = 0;
  std::string picture;  // PNG, small; empty where the sample is no image
};

struct Side {
  std::string name;
  int64_t size_bytes = 0;
  double latency_ms = 0;       // one sample on one thread
  std::optional<double> top1;  // where all samples have labels
};

struct Report {
  Side before, after;
  std::string cpu, version;
  int64_t samples = 0;
  double agreement = 0, sqnr_db = 0;
  int64_t integer_layers = 0, float_layers = 0;
  std::vector<LayerReport> layers;  // in execution order
  int64_t changed_answers = 0;
  std::vector<ChangedAnswer> changed;    // the first few
  std::vector<std::string> class_names;  // may be empty
  std::optional<Training> training;      // how the second network was trained, where a log tells
};

// Where a report takes its numbers from.
struct Source {
  std::string before_name, after_name;
  int64_t before_bytes = 0, after_bytes = 0;  // sizes of the files
  // The original, and the float network whose values `model` is compared with by name: the original simplified, or what
  // the graph steps made of it.
  Graph original, reference;
  QuantizedModel model;
  std::function<std::unique_ptr<data::Loader>()> samples;         // the same ones each time
  std::function<std::unique_ptr<data::Dataset>()> pictures = {};  // the same samples as they lie in the source
  std::vector<std::string> class_names = {};
  std::optional<Training> training = {};
};

// Runs both networks over the samples. Errors: as eval::compare. Determinism: latencies apart, the number of threads
// makes no difference. Cost: a few passes over the samples, and one over 32 of them per layer.
Report make_report(const Source& source, ThreadTeam& team, ProgressSink& progress);

// The whole report; numbers that are not finite are null, pictures are base64.
std::string to_json(const Report& report);

// One page that needs nothing else: opens from disk, without network, in light and dark.
std::string to_html(const Report& report);

}  // namespace halftone::report
