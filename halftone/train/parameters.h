// What an optimizer updates.
#pragma once

#include <string>
#include <vector>

#include "halftone/train/executor.h"

namespace halftone::train {

enum class ParameterKind {
  Weight,  // of a product; the one kind that weight decay is for
  Plain,   // biases, and what normalization scales and shifts by
  Scale,   // of a quantizer, or whatever else it learns
};

struct Parameter {
  std::string name;
  at::Tensor tensor;  // its gradient is the one that backward() leaves
  ParameterKind kind = ParameterKind::Plain;
  double decay = 0;        // its own, in the place of the optimizer's
  bool magnitude = false;  // above zero; see hold_magnitudes
};

// The constants that train: the network's parameters (transform/parameters.h) but for the running statistics of batch
// normalization. They require gradients from here on. The order is the same in every run.
std::vector<Parameter> parameters_of(Executor& executor);

// The running statistics of batch normalization: not trained, but changed on the way.
std::vector<std::string> running_statistics(const Graph& graph);

// What magnitudes are before an update, and back within a hundredth of that after it. A step of 8 bits is some
// thirty times narrower than one of 2 bits and has the same rate: the large gradients with which training begins
// multiplied it many times over, and it did not come back. It was 8 bits by name from there on.
std::vector<at::Tensor> magnitudes_of(const std::vector<Parameter>& parameters);
void hold_magnitudes(std::vector<Parameter>& parameters, const std::vector<at::Tensor>& before);

// Scales gradients down so that the norm of all of them together is at most `largest`; returns what it was.
double clip_gradients(const std::vector<Parameter>& parameters, double largest);

}  // namespace halftone::train
