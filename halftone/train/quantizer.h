// Rounding that trains: how a tensor is rounded while the network learns, and the grid that it ends on.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/base/rng.h"
#include "halftone/quant/quant_params.h"
#include "halftone/quant/step_request.h"
#include "halftone/train/torch.h"

namespace halftone::train {

enum class Mode {
  Training,   // ranges may be observed, rounding may be soft or random
  Inference,  // exactly what the integer engine computes with
};

// A tensor that the optimizer updates along with the weights.
struct Learned {
  std::string name;
  at::Tensor tensor;
  double decay = 0;        // its own weight decay
  bool magnitude = false;  // above zero, and moved by little of itself in one update; see hold_magnitudes
};

// Where a quantizer starts.
struct Start {
  QuantParams params;  // the grid that post-training quantization found
  at::Tensor content;  // weights: the float constant; activations: undefined
  uint64_t seed = 0;   // of whatever is random

  bool weights() const { return content.defined(); }
};

// One tensor's. Thread safety: none.
class Quantizer {
 public:
  virtual ~Quantizer() = default;

  // The rounded tensor, with the method's gradients. In Inference every element lies on the grid of params(), and is
  // what fake_quantize of quant/quant_params.h makes of it.
  virtual at::Tensor apply(const at::Tensor& real, Mode mode) = 0;

  // The grid of inference.
  virtual QuantParams params() const = 0;

  virtual std::vector<Learned> learned() { return {}; }
  // Everything that a checkpoint has to hold beyond the learned tensors, updated in place.
  virtual std::vector<Learned> buffers() { return {}; }

  // Brings learned tensors back to where they mean something; after each update.
  virtual void project() {}
  // How much of the training is done, from 0 to 1, for methods with a schedule; before each batch.
  virtual void advance(double) {}
};

struct QuantizerInfo {
  std::string_view name;
  bool weights, activations;  // what it is for
  std::string_view summary, source;
};
// The lines of quantizers.def.
std::span<const QuantizerInfo> all_quantizers();
// Errors: Error{InvalidArgument} for an unknown name, with the nearest known one.
const QuantizerInfo& find_quantizer(std::string_view name);

// Makes the quantizer that the request names, with its words. Errors: those of find_quantizer; Error{InvalidArgument}
// for an unknown word, with the nearest known one, and for a grid that the method can't train, saying what it requires.
std::unique_ptr<Quantizer> make_quantizer(const StepRequest& request, const Start& start);

}  // namespace halftone::train
