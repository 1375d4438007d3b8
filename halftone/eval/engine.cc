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
  SessionEngine(QuantizedModel model, std::vector<std::string> taps)
      : session_(std::move(model), {.threads = 1, .team = nullptr, .taps = std::move(taps)}) {}

  TensorMap run(const TensorMap& inputs, const Tap& tap) const override { return session_.run(inputs, tap); }

 private:
  Session session_;
};

class ReferenceEngine final : public Engine {
 public:
  ReferenceEngine(QuantizedModel model, std::vector<std::string> taps)
      : interpreter_(std::move(model)), taps_(taps.begin(), taps.end()) {}

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

}  // namespace

EngineKind parse_engine_kind(std::string_view word) {
  if (word == "auto") return EngineKind::Auto;
  if (word == "reference") return EngineKind::Reference;
  const std::string near = nearest_word(word, std::array{"auto", "reference"});
  fail(ErrorCode::InvalidArgument, "engine", "auto or reference is required, found '{}'{}", word,
       near.empty() ? "" : fmt::format("; did you mean '{}'?", near));
}

std::unique_ptr<Engine> make_engine(EngineKind kind, QuantizedModel model, std::vector<std::string> taps) {
  if (kind == EngineKind::Reference) return std::make_unique<ReferenceEngine>(std::move(model), std::move(taps));
  return std::make_unique<SessionEngine>(std::move(model), std::move(taps));
}

}  // namespace halftone::eval
