#include "halftone/sim/interpreter.h"

#include <algorithm>
#include <utility>

#include "halftone/sim/integer.h"

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

// What a run holds at a moment: the content of the values that somebody still reads. Values with an encoding are held
// as codes; their real content is worked out when a node asks for it.
class Frame {
 public:
  explicit Frame(const QuantizedModel& model)
      : model_(model), contents_(model.graph.value_count()), readers_(model.graph.value_count(), 0) {
    for (const Node& node : model.graph.nodes()) {
      for (ValueId id : node.inputs) add_reader(id);
    }
    for (ValueId id : model.graph.outputs()) add_reader(id);
  }

  bool read_later(ValueId id) const { return readers_[index_of(id)] > 0; }
  void set_real(ValueId id, Tensor real) { contents_[index_of(id)].real = std::move(real); }
  void set_codes(ValueId id, Tensor codes) { contents_[index_of(id)].codes = std::move(codes); }

  // Undefined for a value that no node has made.
  const Tensor& real(ValueId id) {
    Content& content = contents_[index_of(id)];
    if (content.real.defined()) return content.real;
    const Encoding* encoding = find_encoding(model_, id);
    const std::optional<Tensor>& constant = model_.graph.value(id).constant;
    if (content.codes.defined()) {
      content.real = dequantize(content.codes, encoding->params);
    } else if (constant) {
      content.real = encoding == nullptr ? *constant : fake_quantize(*constant, encoding->params);
    }
    return content.real;
  }
  // Of a value with an encoding.
  const Tensor& codes(ValueId id) {
    Content& content = contents_[index_of(id)];
    const std::optional<Tensor>& constant = model_.graph.value(id).constant;
    if (!content.codes.defined() && constant) {
      content.codes = quantize(*constant, find_encoding(model_, id)->params);
    }
    return content.codes;
  }

  // One of the value's readers is done; the last one frees it.
  void release(ValueId id) {
    if (id != ValueId::None && --readers_[index_of(id)] == 0) contents_[index_of(id)] = {};
  }

 private:
  struct Content {
    Tensor real, codes;
  };

  void add_reader(ValueId id) {
    if (id != ValueId::None) ++readers_[index_of(id)];
  }

  const QuantizedModel& model_;
  std::vector<Content> contents_;
  std::vector<int> readers_;
};

}  // namespace

Interpreter::Interpreter(QuantizedModel model) : model_(std::move(model)) {
  if (!model_.encodings.empty()) integers_ = std::make_shared<const IntegerNodes>(model_);
}

TensorMap Interpreter::run(const TensorMap& inputs, const Observer& observer) const {
  const Graph& graph = model_.graph;
  check_names(graph, inputs);
  Frame frame(model_);

  const auto define = [&](ValueId id, Tensor real, Tensor codes) {
    if (observer) {
      if (codes.defined() && !real.defined()) real = dequantize(codes, find_encoding(model_, id)->params);
      observer(graph.value(id).name, real, codes.defined() ? &codes : nullptr);
    }
    if (!frame.read_later(id)) return;
    if (codes.defined()) {
      frame.set_codes(id, std::move(codes));
    } else {
      frame.set_real(id, std::move(real));
    }
  };
  const auto define_real = [&](ValueId id, Tensor real) {
    const Encoding* encoding = find_encoding(model_, id);
    if (encoding == nullptr) return define(id, std::move(real), {});
    define(id, {}, quantize(real, encoding->params));
  };

  for (ValueId id : graph.inputs()) {
    const Value& input = graph.value(id);
    const auto given = inputs.find(input.name);
    if (given != inputs.end()) {
      check_input(input, given->second);
      define_real(id, given->second);
    } else if (!input.constant) {
      fail(ErrorCode::InvalidArgument, "input '" + input.name + "'", "a value of type {} is required, none was given",
           to_string(input.type));
    }
  }

  const auto run_in_integers = [&](size_t position, OpCall call) {
    const IntegerNode& plan = *integers_->plan().nodes[position];
    for (size_t i = 0; i < call.node.inputs.size(); ++i) {
      const ValueId id = call.node.inputs[i];
      // The plan has weights and biases already.
      const bool unused = id == ValueId::None || (!plan.inputs[i] && plan.weights.defined());
      call.inputs.push_back(unused ? nullptr : plan.inputs[i] ? &frame.codes(id) : &frame.real(id));
    }
    std::vector<Tensor> results = integers_->compute(position, call);
    for (size_t i = 0; i < results.size(); ++i) {
      const IntegerOutput& output = plan.outputs[i];
      if (output.grid) {
        define(output.value, {}, std::move(results[i]));
      } else {
        define(output.value, std::move(results[i]), {});
      }
    }
  };
  const auto run_in_float = [&](OpCall call) {
    for (ValueId id : call.node.inputs) call.inputs.push_back(id == ValueId::None ? nullptr : &frame.real(id));
    std::vector<Tensor> results = compute(call);
    for (size_t i = 0; i < call.node.outputs.size(); ++i) {
      if (call.node.outputs[i] == ValueId::None) continue;
      if (i >= results.size() || !results[i].defined()) call.refuse("output {} can't be computed", i);
      define_real(call.node.outputs[i], std::move(results[i]));
    }
  };

  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    const OpCall call{graph, node, graph.opset(), {}};
    if (integers_ != nullptr && integers_->computes(i)) {
      run_in_integers(i, call);
    } else if (integers_ == nullptr || !integers_->absorbs(i)) {
      run_in_float(call);
    }
    for (ValueId id : node.inputs) frame.release(id);
  }

  TensorMap outputs;
  for (ValueId id : graph.outputs()) outputs[graph.value(id).name] = frame.real(id);
  return outputs;
}

}  // namespace halftone::sim
