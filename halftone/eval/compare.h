// How far a network's answers are from another's, output and layer by layer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "halftone/base/progress.h"
#include "halftone/base/thread_team.h"
#include "halftone/data/loader.h"
#include "halftone/eval/engine.h"

namespace halftone::eval {

// Signal-to-quantization-noise ratio, streaming: 10 log10(sum f^2 / sum (f - q)^2) over all elements seen.
class Sqnr {
 public:
  // Errors: Error{InvalidModel} when the shapes differ.
  void add(const Tensor& reference, const Tensor& other);
  void add(const Sqnr& other);
  // Infinity when nothing differs (or nothing was seen), NaN when a value was not finite.
  double decibel() const;

 private:
  double signal_ = 0, noise_ = 0;
};

struct LayerComparison {
  std::string name;  // of the value that both networks compute
  std::string op;    // what computes it in the second network
  double sqnr_db = 0;
};

struct Comparison {
  int64_t images = 0;
  double agreement = 0;                 // fraction of equal argmax over the last axis of the first output
  double sqnr_db = 0;                   // of the first output
  std::vector<LayerComparison> layers;  // worst first
};

// The layers that both networks have: values of the same name computed by a node, where the second has an encoding or
// the node is a Conv, ConvTranspose, Gemm or MatMul.
std::vector<LayerComparison> common_layers(const QuantizedModel& reference, const QuantizedModel& model);

// Runs both on every sample. Layers that an engine does not show (sums that become codes after the activation only) are
// left out of the result. Deterministic for any number of threads.
// Errors: Error{InvalidModel} when their outputs differ in shape; Error{InvalidData} when there are no samples.
Comparison compare(const Engine& reference, const Engine& model, const std::string& reference_output,
                   const std::string& model_output, std::vector<LayerComparison> layers, data::Loader& loader,
                   ThreadTeam& team, ProgressSink& progress);

}  // namespace halftone::eval
