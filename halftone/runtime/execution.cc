#include <algorithm>
#include <chrono>
#include <limits>
#include <new>

#include "halftone/runtime/onednn.h"
#include "halftone/runtime/program.h"

namespace halftone::runtime {

Execution::Execution(std::shared_ptr<const Program> program)
    : program_(std::move(program)), arena_(allocate_constant(program_->arena_bytes)) {
  memory_.arena = arena_.get();
  memory_.buffer_offsets = &program_->buffer_offsets;
  memory_.slots.resize(static_cast<size_t>(program_->slot_count));
  memory_.inputs.resize(program_->inputs.size());
  memory_.outputs.resize(program_->outputs.size());
  for (const Step& step : program_->steps) work_.push_back(step.bind(memory_));
}

void Execution::run(ThreadTeam& team, const Session::Tap& tap) {
  memory_.tap = &tap;
  const SingleThreadScope single;
  team.run_steps(program_->parts, [this](int step, int part, int) { work_[static_cast<size_t>(step)](part); });
}

std::vector<double> Execution::profile(int rounds) {
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
