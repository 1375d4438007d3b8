#include "halftone/sim/interpreter.h"

#include <algorithm>
#include <utility>

namespace halftone::sim {
namespace {

size_t index_of(ValueId id) { return static_cast<size_t>(id); }

void check_names(const Graph& graph, const TensorMap& inputs) {
  for (const auto& [name, tensor] : inputs) {
    std::vector<std::string> known;
    for (ValueId id : graph.inputs()) known.push_back(graph.value(id).name);
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const std::string nearest = nearest_word(name, known);
    fail(ErrorCode::InvalidArgument, "input '" + name + "'", "the network has no such input{}",
         nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
  }
}

void check_input(const Value& input, const Tensor& tensor) {
  const TensorType& type = input.type;
  bool fits = type.dtype == DType::Undefined || type.dtype == tensor.dtype();
  if (type.ranked()) {
    fits = fits && type.rank() == tensor.rank();
    for (int64_t i = 0; fits && i < type.rank(); ++i) {
      const Dim& dim = (*type.shape)[static_cast<size_t>(i)];
      fits = !dim.known() || dim.value == tensor.dim(i);
    }
  }
  if (fits) return;
  fail(ErrorCode::InvalidArgument, "input '" + input.name + "'", "requires {}, found {}", to_string(type),
       to_string(TensorType{tensor.dtype(), to_dims(tensor.shape())}));
}

// What a run holds at a moment: the content of the values that somebody still reads.
class Frame {
 public:
  explicit Frame(const Graph& graph) : contents_(graph.value_count()), readers_(graph.value_count(), 0) {
    for (const Node& node : graph.nodes()) {
      for (ValueId id : node.inputs) add_reader(id);
    }
    for (ValueId id : graph.outputs()) add_reader(id);
  }

  bool read_later(ValueId id) const { return readers_[index_of(id)] > 0; }
  const Tensor& content(ValueId id) const { return contents_[index_of(id)]; }
  void set(ValueId id, Tensor tensor) { contents_[index_of(id)] = std::move(tensor); }
  // One of the value's readers is done; the last one frees it.
  void release(ValueId id) {
    if (id != ValueId::None && --readers_[index_of(id)] == 0) contents_[index_of(id)] = Tensor();
  }

 private:
  void add_reader(ValueId id) {
    if (id != ValueId::None) ++readers_[index_of(id)];
  }

  std::vector<Tensor> contents_;
  std::vector<int> readers_;
};

}  // namespace

Interpreter::Interpreter(QuantizedModel model) : model_(std::move(model)) {}

TensorMap Interpreter::run(const TensorMap& inputs, const Observer& observer) const {
  const Graph& graph = model_.graph;
  check_names(graph, inputs);
  Frame frame(graph);

  const auto define = [&](ValueId id, Tensor real) {
    if (const Encoding* encoding = find_encoding(model_, id)) real = fake_quantize(real, encoding->params);
    if (observer) observer(graph.value(id).name, real, nullptr);
    if (frame.read_later(id)) frame.set(id, std::move(real));
  };

  for (ValueId id : graph.live_values()) {
    if (graph.value(id).constant && frame.read_later(id) && !inputs.contains(graph.value(id).name)) {
      const Encoding* encoding = find_encoding(model_, id);
      const Tensor& constant = *graph.value(id).constant;
      frame.set(id, encoding == nullptr ? constant : fake_quantize(constant, encoding->params));
    }
  }
  for (ValueId id : graph.inputs()) {
    const Value& input = graph.value(id);
    const auto given = inputs.find(input.name);
    if (given != inputs.end()) {
      check_input(input, given->second);
      define(id, given->second);
    } else if (!input.constant) {
      fail(ErrorCode::InvalidArgument, "input '" + input.name + "'", "a value of type {} is required, none was given",
           to_string(input.type));
    }
  }

  for (const Node& node : graph.nodes()) {
    OpCall call{graph, node, graph.opset(), {}};
    for (ValueId id : node.inputs) call.inputs.push_back(id == ValueId::None ? nullptr : &frame.content(id));
    std::vector<Tensor> results = compute(call);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == ValueId::None) continue;
      if (i >= results.size() || !results[i].defined()) call.refuse("output {} can't be computed", i);
      define(node.outputs[i], std::move(results[i]));
    }
    for (ValueId id : node.inputs) frame.release(id);
  }

  TensorMap outputs;
  for (ValueId id : graph.outputs()) outputs[graph.value(id).name] = frame.content(id);
  return outputs;
}

}  // namespace halftone::sim
