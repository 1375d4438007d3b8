// Weights between two codes while it is learned which of them they become (AdaRound).
#pragma once

#include <span>
#include <vector>

#include "halftone/ptq/blocks/adam.h"
#include "halftone/ptq/rounding/layer_rows.h"
#include "halftone/quant/quant_params.h"

namespace halftone::ptq {

// w = s (base + h(v)), h(v) = clamp(1.2 sigmoid(v) - 0.1, 0, 1), base and base + 1 the code that the weight has and the
// next one towards the float weight (Nagel et al. 2020, arXiv 2004.10568). At first h is what the float weight asks
// for, but on the side of the code that it has: rounding the untouched numbers gives back the codes.
class SoftRounding {
 public:
  // `content` holds the layer's weights on the grid of `params`, `real` what they were; both are the model's tensors.
  SoftRounding(const LayerShape& shape, const Tensor& content, const QuantParams& params, const Tensor& real);

  // By output channel and feature.
  void soft(std::span<float> weights) const;
  void hard(std::span<float> weights) const;
  // The weights on their grid, in the order of the tensor that was given.
  Tensor content() const;

  // One update by the slopes of a loss of about one per weight; push times the sum of 1 - |2 h - 1|^beta is added to it
  // (push 0: nothing). With beta = 2 that bends down by 8 push per weight, a weight's own share of the loss up by 24:
  // from push = 3 on every weight has to decide.
  void update(std::span<const double> slopes, double rate, double push, double beta);

  size_t size() const { return v_.size(); }

 private:
  LayerShape shape_;
  Shape tensor_;
  std::vector<float> scale_, base_, v_;
  std::vector<bool> fixed_;  // there is no next code
  Adam adam_;
};

}  // namespace halftone::ptq
