// A Program: a network lowered for given input shapes, ready to be run again and again.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/base/thread_team.h"
#include "halftone/quant/requantize.h"
#include "halftone/runtime/session.h"
#include "halftone/tensor/tensor.h"

namespace halftone::runtime {

// How the elements of a value lie in memory.
//   Plain:        row-major, as ONNX
//   Blocked:      [n, c / b, s, b] for a value [n, c, s...] of float, with b = channel_block(c) and c rounded up to a
//                 multiple of b; what the channels beyond c hold is arbitrary (but finite), and no result depends on it
//   ChannelsLast: [n, s, c] for a value [n, c, s...]: of stored codes (kernels/kernel.h), pixels `pixel_stride` apart,
//   or
//                 of what integer products make where the result has no grid, floats without gaps
enum class Layout { Plain, Blocked, ChannelsLast };
std::string_view name_of(Layout layout);

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
  // The value is held as codes of this grid: of at most 8 bits as stored codes (kernels/kernel.h, dtype UInt8), of more
  // as int16 (kernels/wide_grid.h), single bits in their own type, Plain. Memory of codes has kernels::kSlack readable
  // bytes behind it.
  std::optional<Grid> grid = {};
  int64_t pixel_stride = 0;  // codes, ChannelsLast: bytes from pixel to pixel
};

// What the caller of a run hands in: elements in the Plain layout, or (where the value lives in a slot) a tensor.
struct RunInput {
  const std::byte* data = nullptr;
  bool codes = false;  // codes of the value's grid instead of real numbers
  const Tensor* tensor = nullptr;
};

// Where the caller of a run wants an output that has no slot, and as what.
struct RunOutput {
  std::byte* data = nullptr;
  bool codes = false;
};

// The memory of one run.
struct RunMemory {
  std::byte* arena = nullptr;
  const std::vector<size_t>* buffer_offsets = nullptr;
  std::vector<Tensor> slots;
  std::vector<RunInput> inputs;    // in the order of the program's inputs
  std::vector<RunOutput> outputs;  // in the order of the program's outputs
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
    DType dtype = DType::Undefined;
    Shape shape;    // of an output without a slot
    int slot = -1;  // where it lives when its shape is unknown until it is computed
  };

  std::vector<std::string> inputs;
  std::vector<Step> steps;
  std::vector<int> parts;  // of the steps
  std::vector<Output> outputs;
  std::vector<NodeNote> notes;  // in the order of the nodes
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

  const Program& program() const { return *program_; }
  // What the next runs read and write, to be filled in by the caller.
  std::span<RunInput> inputs() { return memory_.inputs; }
  std::span<RunOutput> outputs() { return memory_.outputs; }

  // Allocates nothing itself; nodes whose shapes are unknown and nodes that the reference computes do, and so does
  // oneDNN, a little per primitive.
  void run(ThreadTeam& team, const Session::Tap& tap);
  // After a run: the output that lives in that slot.
  const Tensor& slot(int number) const { return memory_.slots[static_cast<size_t>(number)]; }

  // Microseconds that each step takes on one thread, the least of `rounds` runs.
  std::vector<double> profile(int rounds);

 private:
  std::shared_ptr<const Program> program_;
  std::shared_ptr<std::byte> arena_;
  RunMemory memory_;
  std::vector<Step::Work> work_;
};

}  // namespace halftone::runtime
