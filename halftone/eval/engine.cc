#include "halftone/eval/engine.h"

#include <array>
#include <set>

#include "halftone/base/error.h"
#include "halftone/runtime/session.h"
#include "halftone/sim/interpreter.h"

namespace halftone::eval {
namespace {

class SessionEngine final : public Engine {
 public:
  SessionEngine(QuantizedModel model, RequantizeMode mode, std::vector<std::string> taps)
      : session_(std::move(model), options(mode, std::move(taps))) {}

  TensorMap run(const TensorMap& inputs, const Tap& tap) const override { return session_.run(inputs, tap); }

 private:
  static SessionOptions options(RequantizeMode mode, std::vector<std::string> taps) {
    SessionOptions options;
    options.taps = std::move(taps);
    options.requantize = mode;
    return options;
  }

  Session session_;
};

class ReferenceEngine final : public Engine {
 public:
  ReferenceEngine(QuantizedModel model, RequantizeMode mode, const std::vector<std::string>& taps)
      : interpreter_(std::move(model), mode), taps_(taps.begin(), taps.end()) {}

  TensorMap run(const TensorMap& inputs, const Tap& tap) const override {
    if (!tap || taps_.empty()) return interpreter_.run(inputs);
    return interpreter_.run(inputs, [&](std::string_view name, const Tensor& real, const Tensor*) {
      if (taps_.contains(name)) tap(name, real);
    });
  }

 private:
  sim::Interpreter interpreter_;
  std::set<std::string, std::less<>> taps_;
};

[[noreturn]] void refuse_word(const char* what, std::string_view word, const std::array<const char*, 2>& known) {
  const std::string near = nearest_word(word, known);
  fail(ErrorCode::InvalidArgument, what, "{} or {} is required, found '{}'{}", known[0], known[1], word,
       near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
}

}  // namespace

EngineKind parse_engine_kind(std::string_view word) {
  if (word == "auto") return EngineKind::Auto;
  if (word == "reference") return EngineKind::Reference;
  refuse_word("engine", word, {"auto", "reference"});
}

RequantizeMode parse_requantize_mode(std::string_view word) {
  for (const RequantizeMode mode : {RequantizeMode::Float, RequantizeMode::Dyadic}) {
    if (word == name_of(mode)) return mode;
  }
  refuse_word("requantize", word, {"float", "dyadic"});
}

std::string_view name_of(RequantizeMode mode) { return mode == RequantizeMode::Float ? "float" : "dyadic"; }

std::unique_ptr<Engine> make_engine(EngineKind kind, QuantizedModel model, RequantizeMode mode,
                                    std::vector<std::string> taps) {
  if (kind == EngineKind::Reference) return std::make_unique<ReferenceEngine>(std::move(model), mode, taps);
  return std::make_unique<SessionEngine>(std::move(model), mode, std::move(taps));
}

}  // namespace halftone::eval
