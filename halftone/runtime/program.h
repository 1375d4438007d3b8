// A Program: a network lowered for given input shapes, ready to be run again and again.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/base/thread_team.h"
#include "halftone/runtime/session.h"
#include "halftone/tensor/tensor.h"

namespace halftone::runtime {

// How the elements of a value lie in memory.
//   Plain:   row-major, as ONNX
//   Blocked: [n, c / b, s, b] for a value [n, c, s...] of float, with b = channel_block() and c rounded up to a
//   multiple
//            of b; what the channels beyond c hold is arbitrary (but finite), and no result depends on it
enum class Layout { Plain, Blocked };

// Where bytes are: `offset` into a buffer of the run, or into a constant of the program.
struct Operand {
  int buffer = -1;
  std::shared_ptr<const std::byte> constant;
  size_t offset = 0;
};

// Where a value lives. Values whose shape is unknown until they are computed, and strings, live in a slot instead.
struct Place {
  DType dtype = DType::Undefined;
  Shape shape;
  Layout layout = Layout::Plain;
  Operand where;
  int slot = -1;
};

// The memory of one run.
struct RunMemory {
  std::byte* arena = nullptr;
  const std::vector<size_t>* buffer_offsets = nullptr;
  std::vector<Tensor> slots;
  std::vector<const Tensor*> inputs;  // in the order of the program's inputs
  const Session::Tap* tap = nullptr;

  std::byte* at(const Operand& operand) const {
    if (operand.buffer < 0) return const_cast<std::byte*>(operand.constant.get()) + operand.offset;
    return arena + (*buffer_offsets)[static_cast<size_t>(operand.buffer)] + operand.offset;
  }
};

// One step: `parts` independent pieces of work. `bind` ties it to a run's memory, once; what it returns is called with
// each part in every run.
struct Step {
  using Work = std::function<void(int part)>;

  std::string name;  // the node (the first of a fused chain) or what the step is there for
  int parts = 1;
  std::function<Work(RunMemory&)> bind;
};

struct Program {
  struct Output {
    std::string name;
    Place place;  // Plain
  };

  std::vector<std::string> inputs;
  std::vector<Step> steps;
  std::vector<int> parts;  // of the steps
  std::vector<Output> outputs;
  int slot_count = 0;
  std::vector<size_t> buffer_offsets;
  size_t arena_bytes = 0;
  std::shared_ptr<const Graph> graph;  // what the steps' nodes refer to
};

// A program bound to memory of its own: one run at a time.
class Execution {
 public:
  explicit Execution(std::shared_ptr<const Program> program);
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  // `inputs` in the program's order. Does not allocate but for the outputs.
  TensorMap run(const std::vector<const Tensor*>& inputs, ThreadTeam& team, const Session::Tap& tap);

  // Microseconds that each step takes on one thread, the least of `rounds` runs.
  std::vector<double> profile(const std::vector<const Tensor*>& inputs, int rounds);

 private:
  std::shared_ptr<const Program> program_;
  std::shared_ptr<std::byte> arena_;
  RunMemory memory_;
  std::vector<Step::Work> work_;
};

}  // namespace halftone::runtime
