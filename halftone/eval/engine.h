// The room `eval`: how good a network is, and how two of them differ. It sees runtime, data and onnx.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/quant/encodings.h"
#include "halftone/quant/requantize.h"
#include "halftone/tensor/tensor_map.h"

namespace halftone::eval {

// Whatever can run a network: the runtime's Session or the reference interpreter behind one interface.
// Thread safety: run may be called from several threads at once.
class Engine {
 public:
  using Tap = std::function<void(std::string_view name, const Tensor& value)>;

  virtual ~Engine() = default;
  // Inputs by name to outputs by name. `tap` sees the real values of those intermediate tensors that the engine was
  // made to show, and only those.
  virtual TensorMap run(const TensorMap& inputs, const Tap& tap = {}) const = 0;
};

enum class EngineKind {
  Auto,       // the runtime: fast
  Reference,  // the interpreter: the normative arithmetic, slow
};

// Errors: Error{InvalidArgument} with the nearest word for anything but "auto" and "reference".
EngineKind parse_engine_kind(std::string_view word);

// Errors: Error{InvalidArgument} with the nearest word for anything but "float" and "dyadic".
RequantizeMode parse_requantize_mode(std::string_view word);
std::string_view name_of(RequantizeMode mode);

// Runs each call on one thread; several calls run side by side. `taps` name the values to show.
std::unique_ptr<Engine> make_engine(EngineKind kind, QuantizedModel model, RequantizeMode mode = RequantizeMode::Float,
                                    std::vector<std::string> taps = {});

}  // namespace halftone::eval
