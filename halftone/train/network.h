// A network in training, as losses see it.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "halftone/train/executor.h"
#include "halftone/train/fake_quantized.h"
#include "halftone/train/loss.h"
#include "halftone/train/parameters.h"

namespace halftone::train {

// Everything that a training changes, by name; the tensors themselves, not copies.
using State = std::map<std::string, at::Tensor>;

class Network {
 public:
  // Errors: those of Executor; Error{Unsupported} where no output holds class scores.
  explicit Network(const Graph& graph);
  // Rounds from now on, by `planned` (FakeQuantized).
  void quantize(QuantizedModel planned, const QuantPlan& plan, const QuantizerChoice& choice, uint64_t seed);
  // Answers show the value from now on. Errors: Error{InvalidArgument} for a name that nothing has, with the nearest.
  void watch(const std::string& value);

  // What the network answers. BatchStatistics::Updated and Mode::Training together are a step of training.
  Answers answers(const std::vector<at::Tensor>& inputs, Mode mode, BatchStatistics statistics);

  const Graph& graph() const { return executor_->graph(); }
  int64_t classes() const { return classes_; }  // -1 before it has run
  FakeQuantized* rounding() { return rounding_.get(); }

  // What an optimizer updates: the network's parameters and those of its quantizers.
  const std::vector<Parameter>& parameters() const { return parameters_; }
  const NamedTensors& weights() const { return weights_; }
  const NamedTensors& batch_norm_scales() const { return batch_norm_scales_; }
  // Parameters, running statistics, and what quantizers keep.
  State state();

  // As it would be exported now: on grids, or in float where nothing is rounded.
  QuantizedModel finished() const;

 private:
  void collect_parameters();

  std::unique_ptr<Executor> executor_;  // FakeQuantized refers to it
  std::unique_ptr<FakeQuantized> rounding_;
  std::set<std::string, std::less<>> watched_;
  size_t output_ = 0;
  int64_t classes_ = -1;
  std::vector<Parameter> parameters_;
  NamedTensors weights_, batch_norm_scales_;
};

}  // namespace halftone::train
