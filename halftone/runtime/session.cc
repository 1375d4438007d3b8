#include "halftone/runtime/session.h"

#include <algorithm>
#include <list>
#include <map>
#include <mutex>

#include "halftone/base/cpu.h"
#include "halftone/graph/op_table.h"
#include "halftone/runtime/freeze.h"
#include "halftone/runtime/lowering.h"

namespace halftone {
namespace {

using runtime::Execution;
using runtime::Program;

// Programs for so many different input shapes are kept; the one that was not used for longest goes first.
constexpr size_t kKeptPrograms = 8;

// A program and the executions that wait for the next run.
struct Lowered {
  std::map<std::string, Shape> input_shapes;
  std::shared_ptr<const Program> program;
  std::vector<std::unique_ptr<Execution>> idle;
};

}  // namespace

struct Session::Impl {
  QuantizedModel model;
  runtime::ValueNames taps;
  std::shared_ptr<ThreadTeam> team;
  std::vector<Port> inputs, outputs;

  std::mutex mutex;
  std::list<std::shared_ptr<Lowered>> lowered;  // most recently used first

  Impl(QuantizedModel given, const SessionOptions& options) : taps(options.taps.begin(), options.taps.end()) {
    const int threads = options.threads > 0 ? options.threads : available_cores();
    team = options.team != nullptr ? options.team : std::make_shared<ThreadTeam>(threads);
    for (ValueId id : given.graph.required_inputs()) inputs.push_back(port(given.graph, id));
    for (ValueId id : given.graph.outputs()) outputs.push_back(port(given.graph, id));
    for (const std::string& name : taps) {
      if (given.graph.find(name) == ValueId::None) {
        fail(ErrorCode::InvalidArgument, "taps", "the network has no value named '{}'", name);
      }
    }
    model = runtime::freeze(std::move(given), taps);
  }

  static Port port(const Graph& graph, ValueId id) { return {graph.value(id).name, graph.value(id).type}; }

  const Tensor& input(const TensorMap& given, const Port& required) const {
    const auto found = given.find(required.name);
    if (found == given.end()) {
      fail(ErrorCode::InvalidArgument, "run", "input '{}' {} is required and was not given", required.name,
           to_string(required.type));
    }
    const Tensor& tensor = found->second;
    const TensorType& type = required.type;
    bool fits = type.dtype == DType::Undefined || type.dtype == tensor.dtype();
    if (type.ranked()) {
      fits = fits && type.rank() == tensor.rank();
      for (int64_t d = 0; fits && d < tensor.rank(); ++d) {
        const Dim& dim = (*type.shape)[static_cast<size_t>(d)];
        fits = !dim.known() || dim.value == tensor.dim(d);
      }
    }
    if (!fits) {
      fail(ErrorCode::InvalidArgument, "run", "input '{}' must be {}, found {}{}", required.name, to_string(type),
           name_of(tensor.dtype()), to_string(tensor.shape()));
    }
    return tensor;
  }

  std::shared_ptr<Lowered> find(const std::map<std::string, Shape>& shapes) {
    for (auto at = lowered.begin(); at != lowered.end(); ++at) {
      if ((*at)->input_shapes != shapes) continue;
      lowered.splice(lowered.begin(), lowered, at);
      return lowered.front();
    }
    auto added = std::make_shared<Lowered>();
    added->input_shapes = shapes;
    added->program = runtime::lower(model, shapes, taps, team->size());
    lowered.push_front(added);
    if (lowered.size() > kKeptPrograms) lowered.pop_back();
    return added;
  }

  TensorMap run(const TensorMap& given, const Tap& tap) {
    std::vector<const Tensor*> tensors;
    std::map<std::string, Shape> shapes;
    for (const Port& port : inputs) {
      tensors.push_back(&input(given, port));
      shapes.emplace(port.name, tensors.back()->shape());
    }
    for (const auto& entry : given) {
      if (shapes.contains(entry.first)) continue;
      fail(ErrorCode::InvalidArgument, "run", "the network has no input named '{}'", entry.first);
    }
    std::shared_ptr<Lowered> program;
    std::unique_ptr<Execution> execution;
    {
      const std::lock_guard lock(mutex);
      program = find(shapes);
      if (!program->idle.empty()) {
        execution = std::move(program->idle.back());
        program->idle.pop_back();
      }
    }
    if (execution == nullptr) execution = std::make_unique<Execution>(program->program);
    TensorMap results = execution->run(tensors, *team, tap);
    const std::lock_guard lock(mutex);
    program->idle.push_back(std::move(execution));
    return results;
  }
};

Session::Session(QuantizedModel model, SessionOptions options)
    : impl_(std::make_unique<Impl>(std::move(model), options)) {}
Session::Session(Graph graph, SessionOptions options)
    : Session(QuantizedModel{std::move(graph), {}, {}}, std::move(options)) {}
Session::~Session() = default;
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;

TensorMap Session::run(const TensorMap& inputs, const Tap& tap) const { return impl_->run(inputs, tap); }
const std::vector<Session::Port>& Session::inputs() const { return impl_->inputs; }
const std::vector<Session::Port>& Session::outputs() const { return impl_->outputs; }

}  // namespace halftone
