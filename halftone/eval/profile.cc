#include "halftone/eval/profile.h"

#include <algorithm>
#include <chrono>
#include <map>

#include "halftone/graph/cost.h"
#include "halftone/runtime/freeze.h"
#include "halftone/runtime/lowering.h"

namespace halftone::eval {
namespace {

std::vector<double> least_times(runtime::Execution& execution, double seconds) {
  constexpr int kLeastRounds = 3;
  std::vector<double> least = execution.profile(kLeastRounds);
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() < seconds) {
    const std::vector<double> times = execution.profile(1);
    for (size_t i = 0; i < least.size(); ++i) least[i] = std::min(least[i], times[i]);
  }
  return least;
}

}  // namespace

Profile profile(QuantizedModel model, const TensorMap& inputs, RequantizeMode mode, double seconds) {
  const runtime::FrozenModel frozen = runtime::freeze(std::move(model), {}, mode);
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : inputs) shapes.emplace(name, tensor.shape());
  runtime::ConstantStore constants;
  const auto program = runtime::lower(frozen, shapes, {}, constants);

  runtime::Execution execution(program);
  for (size_t i = 0; i < program->inputs.size(); ++i) {
    const Tensor& tensor = inputs.at(program->inputs[i]);
    execution.inputs()[i] = {tensor.bytes().data(), false, &tensor};
  }
  std::vector<Tensor> outputs;
  for (const runtime::Program::Output& output : program->outputs) {
    outputs.push_back(output.slot >= 0 ? Tensor() : Tensor(output.dtype, output.shape));
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (outputs[i].defined()) execution.outputs()[i] = {outputs[i].mutable_bytes().data(), false};
  }
  const std::vector<double> times = least_times(execution, seconds);

  Profile result{{}, program->notes};
  for (size_t i = 0; i < times.size(); ++i) result.steps.push_back({program->steps[i].name, times[i], -1, false, 0});
  std::map<std::string, int64_t> macs;
  for (const Node& node : program->graph->nodes()) {
    macs[describe(*program->graph, node)] = macs_of(*program->graph, node).value_or(0);
  }
  for (size_t n = 0; n < result.notes.size(); ++n) {
    const NodeNote& note = result.notes[n];
    // The layer's own step comes after those that bring its operands.
    for (int i = 0; i < note.step_count; ++i) {
      StepTime& step = result.steps.at(static_cast<size_t>(note.first_step + i));
      step.note = static_cast<int>(n);
      step.own = i + 1 == note.step_count;
      if (step.own) step.macs = macs[note.node];
    }
  }
  return result;
}

}  // namespace halftone::eval
