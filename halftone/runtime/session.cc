#include "halftone/runtime/session.h"

#include <algorithm>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>

#include "halftone/base/cpu.h"
#include "halftone/graph/op_table.h"
#include "halftone/runtime/compiled.h"
#include "halftone/runtime/freeze.h"
#include "halftone/runtime/load_model.h"
#include "halftone/runtime/lowering.h"

namespace halftone {
namespace {

using runtime::Execution;
using runtime::Program;

constexpr size_t kKeptPrograms = 8;

// A program and the executions that wait for the next run.
struct Lowered {
  std::vector<Shape> input_shapes;
  std::shared_ptr<const Program> program;
  std::vector<std::unique_ptr<Execution>> idle;
};

// What sessions on several thread teams have in common.
struct Network {
  runtime::FrozenModel model;
  runtime::ConstantStore constants;
  std::vector<Session::Port> inputs, outputs;
};

Session::Port make_port(const QuantizedModel& model, ValueId id) {
  const Value& value = model.graph.value(id);
  Session::Port port{value.name, value.type};
  const Encoding* encoding = find_encoding(model, id);
  if (encoding == nullptr || value.type.dtype != DType::Float || !encoding->params.per_tensor()) return port;
  const QuantParams& params = encoding->params;
  if (bits_of(params.dtype) != 8 && bits_of(params.dtype) != 16) return port;
  port.grid = Grid{params.dtype, params.scale[0], params.zero_point[0], static_cast<int32_t>(params.q_min),
                   static_cast<int32_t>(params.q_max)};
  return port;
}

bool fits(const TensorType& type, std::span<const int64_t> shape) {
  if (!type.ranked()) return true;
  return std::equal(type.shape->begin(), type.shape->end(), shape.begin(), shape.end(),
                    [](const Dim& dim, int64_t size) { return !dim.known() || dim.value == size; });
}

std::string describe(DType dtype, std::span<const int64_t> shape) {
  return std::string(name_of(dtype)) + to_string(Shape(shape.begin(), shape.end()));
}

// "float[1, 10]", and for a port with a grid "float[1, 10] or codes of type int8".
std::string wanted(const Session::Port& port) {
  return to_string(port.type) + (port.grid ? fmt::format(" or codes of type {}", name_of(port.grid->dtype)) : "");
}

bool is_codes(const Session::Port& port, DType dtype) { return port.grid && port.grid->dtype == dtype; }

[[noreturn]] void refuse(std::string_view side, const Session::Port& port, const std::string& found) {
  fail(ErrorCode::InvalidArgument, "run", "{} '{}' must be {}, found {}", side, port.name, wanted(port), found);
}

// Holds memory of the caller's against what is to be read or written there.
void check_memory(std::string_view side, const Session::Port& port, DType dtype, int64_t elements,
                  std::span<const std::byte> memory) {
  const size_t required = bytes_for(dtype, elements);
  if (memory.size() < required) {
    fail(ErrorCode::InvalidArgument, "run", "{} '{}' takes {} bytes, found a buffer of {}", side, port.name, required,
         memory.size());
  }
  if (required == 0) return;
  if (memory.data() == nullptr) {
    fail(ErrorCode::InvalidArgument, "run", "{} '{}' takes {} bytes, found a null pointer", side, port.name, required);
  }
  const auto alignment = static_cast<uintptr_t>(std::clamp(bits_of(dtype) / 8, 1, 8));
  if (reinterpret_cast<uintptr_t>(memory.data()) % alignment != 0) {
    fail(ErrorCode::InvalidArgument, "run", "{} '{}' must lie at a multiple of {} bytes", side, port.name, alignment);
  }
}

void check_input(const Session::Port& port, const TensorView& view) {
  const bool type_fits = port.type.dtype == DType::Undefined || port.type.dtype == view.dtype;
  if ((!type_fits && !is_codes(port, view.dtype)) || !fits(port.type, view.shape)) {
    refuse("input", port, describe(view.dtype, view.shape));
  }
  int64_t elements = 1;
  for (const int64_t size : view.shape) {
    if (size < 0 || __builtin_mul_overflow(elements, size, &elements)) {
      refuse("input", port, describe(view.dtype, view.shape));
    }
  }
  if (view.dtype != DType::String) check_memory("input", port, view.dtype, elements, view.bytes);
}

}  // namespace

struct Session::Impl {
  std::shared_ptr<Network> network;
  RequantizeMode requantize;
  runtime::LoweringOptions lowering;
  std::shared_ptr<ThreadTeam> team;

  std::mutex building;                          // held while a program is built
  std::mutex mutex;                             // guards what follows
  std::list<std::shared_ptr<Lowered>> lowered;  // most recently used first

  explicit Impl(const SessionOptions& options) : network(std::make_shared<Network>()), requantize(options.requantize) {
    const int threads = options.threads > 0 ? options.threads : available_cores();
    team = options.team != nullptr ? options.team : std::make_shared<ThreadTeam>(threads);
    lowering = {{options.taps.begin(), options.taps.end()}, options.tap_codes, team->size()};
  }

  Impl(QuantizedModel given, const SessionOptions& options) : Impl(options) {
    network->model = runtime::freeze(std::move(given), lowering.taps, requantize);
    find_ports(network->model.model);
  }

  Impl(const std::filesystem::path& compiled, const SessionOptions& options) : Impl(options) {
    runtime::Compiled loaded = runtime::load_compiled(compiled, network->constants);
    find_ports(loaded.frozen.model);
    for (const std::string& name : lowering.taps) {
      if (loaded.frozen.keep.contains(name)) continue;
      fail(ErrorCode::InvalidArgument, "taps", "'{}' was fused away when the program was compiled", name);
    }
    network->model = std::move(loaded.frozen);
    requantize = loaded.mode;
  }

  void find_ports(const QuantizedModel& given) {
    for (ValueId id : given.graph.required_inputs()) network->inputs.push_back(make_port(given, id));
    for (ValueId id : given.graph.outputs()) network->outputs.push_back(make_port(given, id));
    for (const std::string& name : lowering.taps) {
      if (given.graph.find(name) == ValueId::None) {
        fail(ErrorCode::InvalidArgument, "taps", "the network has no value named '{}'", name);
      }
    }
  }

  Impl(const Impl& other, std::shared_ptr<ThreadTeam> new_team)
      : network(other.network), requantize(other.requantize), lowering(other.lowering), team(std::move(new_team)) {
    lowering.threads = team->size();
  }

  // `shape_of(i)` is the shape of input i.
  template <typename ShapeOf>
  std::shared_ptr<Lowered> find_kept(const ShapeOf& shape_of) {
    const auto found = std::find_if(lowered.begin(), lowered.end(), [&](const std::shared_ptr<Lowered>& entry) {
      for (size_t i = 0; i < entry->input_shapes.size(); ++i) {
        const std::span<const int64_t> shape = shape_of(i);
        if (!std::equal(shape.begin(), shape.end(), entry->input_shapes[i].begin(), entry->input_shapes[i].end())) {
          return false;
        }
      }
      return true;
    });
    if (found == lowered.end()) return nullptr;
    lowered.splice(lowered.begin(), lowered, found);
    return lowered.front();
  }

  template <typename ShapeOf>
  std::shared_ptr<Lowered> program_for(const ShapeOf& shape_of) {
    const auto kept = [&] {
      const std::lock_guard lock(mutex);
      return find_kept(shape_of);
    };
    if (auto found = kept()) return found;
    // Others that want the same program wait for it; runs with known shapes go on meanwhile.
    const std::lock_guard builder(building);
    if (auto found = kept()) return found;
    auto added = std::make_shared<Lowered>();
    std::map<std::string, Shape> shapes;
    for (size_t i = 0; i < network->inputs.size(); ++i) {
      const std::span<const int64_t> shape = shape_of(i);
      added->input_shapes.emplace_back(shape.begin(), shape.end());
      shapes.emplace(network->inputs[i].name, added->input_shapes.back());
    }
    added->program = runtime::lower(network->model, shapes, lowering, network->constants);
    const std::lock_guard lock(mutex);
    lowered.push_front(added);
    if (lowered.size() > kKeptPrograms) lowered.pop_back();
    return added;
  }

  // Calls work(execution) with one that is nobody else's meanwhile. After an exception it is not used again.
  template <typename ShapeOf, typename Work>
  void with_execution(const ShapeOf& shape_of, const Work& work) {
    const std::shared_ptr<Lowered> entry = program_for(shape_of);
    std::unique_ptr<Execution> execution;
    {
      const std::lock_guard lock(mutex);
      if (!entry->idle.empty()) {
        execution = std::move(entry->idle.back());
        entry->idle.pop_back();
      }
    }
    if (execution == nullptr) execution = std::make_unique<Execution>(entry->program);
    work(*execution);
    const std::lock_guard lock(mutex);
    entry->idle.push_back(std::move(execution));
  }

  void run(std::span<const TensorView> inputs, std::span<const TensorBuffer> outputs) {
    check_count("input", network->inputs.size(), inputs.size());
    check_count("output", network->outputs.size(), outputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      const Port& port = network->inputs[i];
      check_input(port, inputs[i]);
      if (inputs[i].dtype == DType::String) {
        fail(ErrorCode::Unsupported, "run", "input '{}' holds strings, which only the form with a TensorMap takes",
             port.name);
      }
    }
    const auto shape_of = [&](size_t i) { return inputs[i].shape; };
    with_execution(shape_of, [&](Execution& execution) {
      for (size_t i = 0; i < inputs.size(); ++i) {
        const bool codes = is_codes(network->inputs[i], inputs[i].dtype);
        execution.inputs()[i] = {inputs[i].bytes.data(), codes, nullptr};
      }
      for (size_t i = 0; i < outputs.size(); ++i) {
        const Port& port = network->outputs[i];
        const Program::Output& made = execution.program().outputs[i];
        check_output(port, made, outputs[i]);
        execution.outputs()[i] = {outputs[i].bytes.data(), is_codes(port, outputs[i].dtype)};
      }
      execution.run(*team, {});
    });
  }

  static void check_count(std::string_view side, size_t required, size_t found) {
    if (required == found) return;
    fail(ErrorCode::InvalidArgument, "run", "the network has {} {}{}, found {}", required, side,
         required == 1 ? "" : "s", found);
  }

  static void check_output(const Port& port, const Program::Output& made, const TensorBuffer& buffer) {
    if (made.slot >= 0) {
      fail(ErrorCode::Unsupported, "run",
           "the shape of output '{}' is unknown until it is computed; only the form that returns a TensorMap gives it",
           port.name);
    }
    if (buffer.dtype != made.dtype && !is_codes(port, buffer.dtype)) {
      refuse("output", port, std::string(name_of(buffer.dtype)));
    }
    check_memory("output", port, buffer.dtype, element_count(made.shape), buffer.bytes);
  }

  TensorMap run(const TensorMap& given, const Tap& tap) {
    std::vector<const Tensor*> tensors;
    for (const Port& port : network->inputs) {
      const auto found = given.find(port.name);
      if (found == given.end()) {
        fail(ErrorCode::InvalidArgument, "run", "input '{}' {} is required and was not given", port.name, wanted(port));
      }
      check_input(port, view_of(found->second));
      tensors.push_back(&found->second);
    }
    check_names(given);
    TensorMap results;
    const auto shape_of = [&](size_t i) { return std::span<const int64_t>(tensors[i]->shape()); };
    with_execution(shape_of, [&](Execution& execution) {
      for (size_t i = 0; i < tensors.size(); ++i) {
        const bool codes = is_codes(network->inputs[i], tensors[i]->dtype());
        execution.inputs()[i] = {tensors[i]->bytes().data(), codes, tensors[i]};
      }
      const std::vector<Program::Output>& made = execution.program().outputs;
      std::vector<Tensor> made_here(made.size());
      for (size_t i = 0; i < made.size(); ++i) {
        if (made[i].slot >= 0) continue;
        made_here[i] = Tensor(made[i].dtype, made[i].shape);
        execution.outputs()[i] = {made_here[i].mutable_bytes().data(), false};
      }
      execution.run(*team, tap);
      for (size_t i = 0; i < made.size(); ++i) {
        results.emplace(made[i].name, made[i].slot >= 0 ? execution.slot(made[i].slot) : std::move(made_here[i]));
      }
    });
    return results;
  }

  template <typename Map>
  void check_names(const Map& given) const {
    for (const auto& [name, content] : given) {
      const auto has_name = [&, &wanted_name = name](const Port& port) { return port.name == wanted_name; };
      if (std::any_of(network->inputs.begin(), network->inputs.end(), has_name)) continue;
      fail(ErrorCode::InvalidArgument, "run", "the network has no input named '{}'", name);
    }
  }

  std::vector<Shape> complete(const InputShapes& given) const {
    check_names(given);
    std::vector<Shape> shapes;
    for (const Port& port : network->inputs) {
      const auto found = given.find(port.name);
      const std::optional<Shape> shape =
          found == given.end() ? port.type.fixed_shape() : std::optional<Shape>(found->second);
      if (!shape) {
        fail(ErrorCode::InvalidArgument, "input '" + port.name + "'",
             "the shape of {} is not fixed; a shape is required", to_string(port.type));
      }
      if (!fits(port.type, *shape)) refuse("input", port, describe(port.type.dtype, *shape));
      shapes.push_back(*shape);
    }
    return shapes;
  }
};

Session::Session(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Session::Session(QuantizedModel model, SessionOptions options)
    : impl_(std::make_shared<Impl>(std::move(model), options)) {}
Session::Session(Graph graph, SessionOptions options)
    : Session(QuantizedModel{std::move(graph), {}, {}}, std::move(options)) {}

Session Session::load(const std::filesystem::path& path, SessionOptions options) {
  if (runtime::is_compiled(path)) return Session(std::make_shared<Impl>(path, options));
  return Session(load_model(path).model, std::move(options));
}
Session Session::load(std::span<const std::byte> bytes, SessionOptions options) {
  return Session(load_model(bytes).model, std::move(options));
}

void Session::save(const std::filesystem::path& path) const {
  const Network& network = *impl_->network;
  runtime::save_compiled(network.model, network.constants, impl_->requantize, path);
}

Session Session::with_team(std::shared_ptr<ThreadTeam> team) const {
  if (team == nullptr) fail(ErrorCode::InvalidArgument, "with_team", "a thread team is required, found null");
  return Session(std::make_shared<Impl>(*impl_, std::move(team)));
}

TensorMap Session::run(const TensorMap& inputs, const Tap& tap) const { return impl_->run(inputs, tap); }
void Session::run(std::span<const TensorView> inputs, std::span<const TensorBuffer> outputs) const {
  impl_->run(inputs, outputs);
}

std::vector<std::optional<Shape>> Session::prepare(const InputShapes& input_shapes) const {
  const std::vector<Shape> shapes = impl_->complete(input_shapes);
  std::vector<std::optional<Shape>> results;
  impl_->with_execution([&](size_t i) { return std::span<const int64_t>(shapes[i]); },
                        [&](Execution& execution) {
                          for (const Program::Output& output : execution.program().outputs) {
                            results.push_back(output.slot < 0 ? std::optional(output.shape) : std::nullopt);
                          }
                        });
  return results;
}

std::vector<NodeNote> Session::explain(const InputShapes& input_shapes) const {
  const std::vector<Shape> shapes = impl_->complete(input_shapes);
  return impl_->program_for([&](size_t i) { return std::span<const int64_t>(shapes[i]); })->program->notes;
}

const std::vector<Session::Port>& Session::inputs() const { return impl_->network->inputs; }
const std::vector<Session::Port>& Session::outputs() const { return impl_->network->outputs; }
const std::map<std::string, std::string>& Session::metadata() const {
  return impl_->network->model.model.graph.metadata;
}

}  // namespace halftone
