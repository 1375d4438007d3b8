#include "halftone/sim/interpreter.h"

#include <algorithm>
#include <utility>

#include "halftone/graph/value_index.h"
#include "halftone/sim/integer.h"

namespace halftone::sim {
namespace {

void check_names(const Graph& graph, const TensorMap& inputs) {
  std::vector<std::string> known;
  for (ValueId id : graph.inputs()) known.push_back(graph.value(id).name);
  for (const auto& [name, tensor] : inputs) {
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

// What one run holds at a moment: the content of the values that somebody still reads. A value with an encoding is kept
// as codes; its real content is made when a float node asks for it.
class Run {
 public:
  Run(const QuantizedModel& model, const Interpreter::Observer& observer)
      : model_(model), observer_(observer), contents_(model.graph.value_count()) {
    const Graph& graph = model.graph;
    for (const Node& node : graph.nodes()) {
      for (ValueId id : node.inputs) add_reader(id);
    }
    for (ValueId id : graph.outputs()) add_reader(id);
    for (ValueId id : graph.live_values()) {
      if (graph.value(id).constant) at(id).exact = *graph.value(id).constant;
    }
  }

  // A value becomes known, as floats (or indices, masks ...) or as codes of its encoding.
  void define(ValueId id, Tensor exact) {
    at(id) = {std::move(exact), {}, {}, at(id).readers};
    announce(id);
  }
  void define_codes(ValueId id, Tensor codes) {
    at(id) = {{}, {}, std::move(codes), at(id).readers};
    announce(id);
  }

  // The value as readers see it: rounded to its grid where it has one.
  const Tensor& real(ValueId id) {
    Content& content = at(id);
    const Encoding* encoding = find_encoding(model_, id);
    if (encoding == nullptr) return content.exact;
    if (!content.real.defined()) content.real = dequantize(codes(id), encoding->params);
    return content.real;
  }
  const Tensor& codes(ValueId id) {
    Content& content = at(id);
    if (!content.codes.defined()) {
      const Encoding* encoding = find_encoding(model_, id);
      HT_CHECK(encoding != nullptr, "codes of '{}', which has no encoding", model_.graph.value(id).name);
      content.codes = quantize(content.exact, encoding->params);
      content.exact = Tensor();
    }
    return content.codes;
  }

  bool known(ValueId id) const {
    const Content& content = contents_[index_of(id)];
    return content.exact.defined() || content.codes.defined();
  }

  // One of the value's readers is done; the last one frees it.
  void release(ValueId id) {
    if (id != ValueId::None && --at(id).readers == 0) at(id) = Content{};
  }

 private:
  struct Content {
    Tensor exact;  // as computed
    Tensor real;   // dequantized codes
    Tensor codes;
    int readers = 0;
  };

  Content& at(ValueId id) { return contents_[index_of(id)]; }
  void add_reader(ValueId id) {
    if (id != ValueId::None) ++at(id).readers;
  }
  void announce(ValueId id) {
    if (observer_) {
      const bool encoded = find_encoding(model_, id) != nullptr;
      const Tensor* value_codes = encoded ? &codes(id) : nullptr;
      observer_(model_.graph.value(id).name, real(id), value_codes);
    }
    if (at(id).readers == 0) at(id) = Content{};
  }

  const QuantizedModel& model_;
  const Interpreter::Observer& observer_;
  std::vector<Content> contents_;
};

void provide_inputs(const Graph& graph, const TensorMap& inputs, Run& run) {
  check_names(graph, inputs);
  for (ValueId id : graph.inputs()) {
    const Value& input = graph.value(id);
    const auto given = inputs.find(input.name);
    if (given != inputs.end()) {
      check_input(input, given->second);
      run.define(id, given->second);
    } else if (!input.constant) {
      fail(ErrorCode::InvalidArgument, "input '" + input.name + "'", "a value of type {} is required, none was given",
           to_string(input.type));
    }
  }
}

void check_operands(const OpCall& call, const Run& run) {
  for (ValueId id : call.node.inputs) {
    if (id != ValueId::None && !run.known(id)) {
      call.refuse("operand '{}' has no content: nothing makes it before this node", call.graph.value(id).name);
    }
  }
}

void run_in_float(OpCall& call, Run& run) {
  for (ValueId id : call.node.inputs) call.inputs.push_back(id == ValueId::None ? nullptr : &run.real(id));
  std::vector<Tensor> results = compute(call);
  for (size_t i = 0; i < call.node.outputs.size(); ++i) {
    if (call.node.outputs[i] == ValueId::None) continue;
    if (i >= results.size() || !results[i].defined()) call.refuse("output {} can't be computed", i);
    run.define(call.node.outputs[i], std::move(results[i]));
  }
}

void run_in_integers(const IntegerNodes& integers, size_t position, OpCall& call, Run& run) {
  const IntegerNode& plan = *integers.plan().nodes[position];
  for (size_t i = 0; i < call.node.inputs.size(); ++i) {
    const ValueId id = call.node.inputs[i];
    const bool unused = id == ValueId::None || !plan.reads(i);
    call.inputs.push_back(unused ? nullptr : plan.inputs[i] ? &run.codes(id) : &run.real(id));
  }
  std::vector<Tensor> results = integers.compute(position, call);
  HT_CHECK(results.size() == plan.outputs.size());
  for (size_t i = 0; i < results.size(); ++i) {
    if (plan.outputs[i].grid) {
      run.define_codes(plan.outputs[i].value, std::move(results[i]));
    } else {
      run.define(plan.outputs[i].value, std::move(results[i]));
    }
  }
}

}  // namespace

Interpreter::Interpreter(QuantizedModel model, RequantizeMode mode) : model_(std::move(model)) {
  if (model_.quantized()) integers_ = std::make_shared<const IntegerNodes>(model_, mode);
}

TensorMap Interpreter::run(const TensorMap& inputs, const Observer& observer) const {
  const Graph& graph = model_.graph;
  Run run(model_, observer);
  provide_inputs(graph, inputs, run);
  for (size_t position = 0; position < graph.nodes().size(); ++position) {
    const Node& node = graph.nodes()[position];
    const bool absorbed = integers_ != nullptr && integers_->absorbs(position);
    if (!absorbed) {
      OpCall call{graph, node, graph.opset(), {}};
      check_operands(call, run);
      if (integers_ != nullptr && integers_->computes(position)) {
        run_in_integers(*integers_, position, call, run);
      } else {
        run_in_float(call, run);
      }
    }
    for (ValueId id : node.inputs) run.release(id);
  }

  TensorMap outputs;
  for (ValueId id : graph.outputs()) {
    const std::string& name = graph.value(id).name;
    if (!run.known(id)) fail(ErrorCode::InvalidModel, "output '" + name + "'", "nothing makes this value");
    outputs[name] = run.real(id);
  }
  return outputs;
}

}  // namespace halftone::sim
