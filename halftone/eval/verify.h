// Proof, on a user's own network, that the engine computes what docs/quantization.md says.
//
// The engine shows the codes of every quantized tensor, and every one of them is computed again by the reference
// interpreter's arithmetic, from the codes that the engine itself had before it. So a difference is found in the layer
// that makes it, however far the values behind it are from what they should be; and where no layer differs, the whole
// network doesn't.
//
// Layers in float round their sums in whatever order is fast: a code that is made from such a result may be one off,
// and what follows is computed from the engine's. All else has to be equal, byte for byte.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halftone/quant/encodings.h"
#include "halftone/quant/requantize.h"
#include "halftone/runtime/session.h"
#include "halftone/tensor/tensor_map.h"

namespace halftone::eval {

// The first element that is not what it should be: codes, or real numbers where a layer's result has no grid.
struct Mismatch {
  int64_t sample = 0;   // number of the check
  int64_t element = 0;  // in the row-major order of the tensor
  double expected = 0, found = 0;
};

struct VerifiedTensor {
  std::string name;
  std::string op;      // what makes it; "Input"; "Output" for what a caller of the network gets
  std::string kernel;  // of the engine
  bool exact = true;   // false: made from a result in float, codes may be one off
  int64_t elements = 0;
  int64_t mismatched_bytes = 0;
  int64_t off_by_one = 0;  // elements, where that is allowed
  std::optional<Mismatch> first;
};

struct Verification {
  int64_t samples = 0;
  std::vector<VerifiedTensor> layers;  // in the order in which they are computed

  int64_t mismatched_bytes() const;
};

// Holds sessions against a network, input by input. Not thread-safe.
class Verifier {
 public:
  // Errors: Error{InvalidModel} where the encodings contradict the graph.
  explicit Verifier(QuantizedModel model, RequantizeMode mode = RequantizeMode::Float);
  ~Verifier();
  Verifier(Verifier&&) noexcept;
  Verifier& operator=(Verifier&&) noexcept;

  // The options of a session that shows what check wants to see.
  SessionOptions showing(int threads) const;

  // Runs `shown`, made with the options above, and recomputes what it shows; runs `plain`, made without taps, whose
  // outputs have to be the same. Cost: a run of the reference interpreter. Errors: as Session::run.
  void check(const Session& shown, const Session& plain, const TensorMap& inputs);

  const Verification& result() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace halftone::eval
