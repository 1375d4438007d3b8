// A quantized network in training: weights and activations are rounded on their way, by quantizers that learn.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "halftone/quant/assign.h"
#include "halftone/quant/encodings.h"
#include "halftone/train/executor.h"
#include "halftone/train/quantizer.h"
#include "halftone/train/quantizer_choice.h"

namespace halftone::train {

// The network as it is trained: `graph` through the passes that keep batch normalization a layer of its own. Values
// keep the names that they have in the fully simplified network.
Graph trainable(const Graph& graph);

// Rounds in an Executor's runs what `planned` has grids for. Batch normalization behind a convolution is folded into
// the weights while they are rounded: the rounded weights are those that inference has. By the running statistics, the
// layer has the bias that inference adds; by those of the batch, normalization undoes the folding, so that statistics
// are those of the float network (Jacob et al. 2018, section 3.2; Krishnamoorthi 2018, section 3.2.2). What lies
// between the layer and its normalization is neither's result. Biases are rounded to the steps of the layer's sums, as
// inference does, without a part in the gradients.
class FakeQuantized : public Intervention {
 public:
  // `planned` is the post-training quantized form of the executor's network, `plan` what its grids were planned by.
  // Errors: those of QuantizerTable, and of make_quantizer with the name of the tensor; Error{Unsupported} for grids
  // that training can't move (per channel of activations, dynamic).
  FakeQuantized(const Executor& executor, QuantizedModel planned, const QuantPlan& plan, const QuantizerChoice& choice,
                uint64_t seed);

  // Whether runs are training's or inference's; training's at first.
  void set_mode(Mode mode) { mode_ = mode; }

  at::Tensor result(ValueId id, const at::Tensor& real) override;
  std::vector<at::Tensor> compute(const OpCall& call) override;

  // By the name of the value that each rounds (of a group of values that share a grid, the first).
  std::map<std::string, Quantizer*, std::less<>> quantizers() const;
  void project();
  void advance(double progress);

  // The quantized network with the executor's constants and the quantizers' grids of now.
  QuantizedModel finished() const;

 private:
  // A layer whose weights are rounded.
  struct Layer {
    Quantizer* weights = nullptr;
    Quantizer* input = nullptr;  // nullptr: computed in float
    const Node* product = nullptr;
    const Node* norm = nullptr;           // batch normalization that is folded while the weights are rounded
    int64_t axis = 0;                     // of the output channels in the weights
    std::string weights_name, bias_name;  // in the planned network
  };

  void add_activations(const QuantPlan& plan, const QuantizerTable& table, uint64_t seed);
  void add_weights(const QuantPlan& plan, const QuantizerTable& table, uint64_t seed);
  at::Tensor current(ValueId id) const;
  at::Tensor factor_of(const Layer& layer) const;
  at::Tensor folded_weights(const Layer& layer, const at::Tensor& weights) const;
  at::Tensor folded_bias(const Layer& layer, const at::Tensor& bias) const;
  at::Tensor rounded_bias(const Layer& layer, const at::Tensor& bias) const;
  at::Tensor normalized(const OpCall& call, const Layer& layer) const;

  const Executor& executor_;
  QuantizedModel planned_;
  Mode mode_ = Mode::Training;
  std::map<std::string, std::unique_ptr<Quantizer>, std::less<>> quantizers_;
  std::vector<Quantizer*> of_value_;            // by value of the executor's graph: activations to round, or nullptr
  std::map<ValueId, Layer> layers_;             // by the layer's result
  std::map<ValueId, const Layer*> normalized_;  // those with batch normalization, by its result
  std::map<std::string, std::vector<std::string>, std::less<>> groups_;  // names that share a quantizer, by its own
  std::vector<std::string> weights_;                                     // names in the planned network
};

}  // namespace halftone::train
