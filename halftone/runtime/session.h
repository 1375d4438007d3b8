// The room `runtime`: a network lowered to a Program and run by a Session. It sees sim and transform.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/base/thread_team.h"
#include "halftone/quant/encodings.h"
#include "halftone/tensor/tensor_map.h"

namespace halftone {

struct SessionOptions {
  int threads = 1;                   // exact: the caller's thread and threads - 1 others; 0: available_cores()
  std::shared_ptr<ThreadTeam> team;  // share one team among sessions; overrides `threads`
  // Keep these values observable (see Session::run's tap); they are not fused away. Costs speed.
  std::vector<std::string> taps;
};

// Runs a network. The Program (fused layers, packed weights, arena) is built once per set of input shapes, when it is
// first needed, and kept.
//
// Quantized values are computed with rounding to their grids; float layers run through oneDNN.
// Thread safety: run may be called from any number of threads at once.
// Errors: Error{InvalidModel, Unsupported} when it is built, Error{InvalidArgument} for wrong inputs.
// Determinism: equal inputs give equal outputs for one thread count and instruction set.
class Session {
 public:
  Session(QuantizedModel model, SessionOptions options = {});
  Session(Graph graph, SessionOptions options = {});
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  // Called from inside run with the content of each value of SessionOptions::taps, in execution order. The span is
  // valid during the call.
  using Tap = std::function<void(std::string_view name, const Tensor& value)>;

  // Inputs by name; returns the graph outputs by name.
  TensorMap run(const TensorMap& inputs, const Tap& tap = {}) const;

  // Names, types and shapes of what run needs and returns.
  struct Port {
    std::string name;
    TensorType type;
  };
  const std::vector<Port>& inputs() const;
  const std::vector<Port>& outputs() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace halftone
