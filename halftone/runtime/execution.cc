#include <algorithm>
#include <chrono>
#include <limits>
#include <new>

#include "halftone/runtime/onednn.h"
#include "halftone/runtime/program.h"
#include "halftone/runtime/reorder.h"

namespace halftone::runtime {

Execution::Execution(std::shared_ptr<const Program> program)
    : program_(std::move(program)), arena_(allocate_constant(program_->arena_bytes)) {
  memory_.arena = arena_.get();
  memory_.buffer_offsets = &program_->buffer_offsets;
  memory_.slots.resize(static_cast<size_t>(program_->slot_count));
  for (const Step& step : program_->steps) work_.push_back(step.bind(memory_));
}

TensorMap Execution::run(const std::vector<const Tensor*>& inputs, ThreadTeam& team, const Session::Tap& tap) {
  memory_.inputs = inputs;
  memory_.tap = &tap;
  {
    const SingleThreadScope single;
    team.run_steps(program_->parts, [this](int step, int part, int) { work_[static_cast<size_t>(step)](part); });
  }
  TensorMap outputs;
  for (const Program::Output& output : program_->outputs) {
    const Tensor view = tensor_at(memory_, output.place);
    Tensor copy = view;
    // The arena is the next run's; what leaves it is a copy.
    if (output.place.slot < 0) static_cast<void>(copy.mutable_bytes());
    outputs.emplace(output.name, std::move(copy));
  }
  return outputs;
}

std::vector<double> Execution::profile(const std::vector<const Tensor*>& inputs, int rounds) {
  memory_.inputs = inputs;
  memory_.tap = nullptr;
  const SingleThreadScope single;
  std::vector<double> least(work_.size(), std::numeric_limits<double>::infinity());
  for (int round = 0; round < rounds; ++round) {
    for (size_t step = 0; step < work_.size(); ++step) {
      const auto begin = std::chrono::steady_clock::now();
      for (int part = 0; part < program_->parts[step]; ++part) work_[step](part);
      const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
      least[step] = std::min(least[step], took.count());
    }
  }
  return least;
}

}  // namespace halftone::runtime
