#include "halftone/eval/verify.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "halftone/base/error.h"
#include "halftone/graph/value_index.h"
#include "halftone/quant/quant_params.h"
#include "halftone/sim/integer.h"

namespace halftone::eval {
namespace {

using Shown = std::map<std::string, Tensor, std::less<>>;

Tensor copy_of(const Tensor& tensor) {
  Tensor copy(tensor.dtype(), tensor.shape());
  std::copy(tensor.bytes().begin(), tensor.bytes().end(), copy.mutable_bytes().begin());
  return copy;
}

Shown run_and_keep(const Session& session, const TensorMap& inputs) {
  Shown shown;
  // What a tap sees is only there during the call.
  session.run(inputs, [&](std::string_view name, const Tensor& value) { shown.emplace(name, copy_of(value)); });
  return shown;
}

// Holds one tensor against what it should be.
void compare(const Tensor& expected, const Tensor& found, int64_t sample, VerifiedTensor& layer) {
  layer.elements += expected.size();
  if (expected.same_as(found)) return;
  if (expected.dtype() != found.dtype() || expected.shape() != found.shape()) {
    layer.mismatched_bytes += std::max<int64_t>(static_cast<int64_t>(expected.bytes().size()), 1);
    return;
  }
  const std::vector<double> wanted = to_vector<double>(expected), given = to_vector<double>(found);
  const auto note_first = [&](size_t element) {
    if (!layer.first) layer.first = {sample, static_cast<int64_t>(element), wanted[element], given[element]};
  };
  const int bits = bits_of(expected.dtype());
  if (layer.exact) {
    for (size_t i = 0; i < expected.bytes().size(); ++i) {
      if (expected.bytes()[i] == found.bytes()[i]) continue;
      ++layer.mismatched_bytes;
      note_first(i * 8 / static_cast<size_t>(bits));
    }
    return;
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i] == given[i]) continue;
    if (std::abs(wanted[i] - given[i]) <= 1) {
      ++layer.off_by_one;
      continue;
    }
    layer.mismatched_bytes += std::max(bits / 8, 1);
    note_first(i);
  }
}

}  // namespace

int64_t Verification::mismatched_bytes() const {
  int64_t sum = 0;
  for (const VerifiedTensor& layer : layers) sum += layer.mismatched_bytes;
  return sum;
}

struct Verifier::Impl {
  // What is known of a value during a check. Reals of values with an encoding are made from their codes.
  struct Content {
    Tensor real, codes;
    bool exact = false;  // follows from what the engine showed without any sum in float
  };

  QuantizedModel model;
  RequantizeMode mode;
  sim::IntegerNodes integers;
  std::set<std::string, std::less<>> wanted;  // names of values to be shown
  Verification result;
  std::map<std::string, size_t, std::less<>> layer_of;  // positions in result.layers, by value and "output NAME"
  std::map<std::string, NodeNote> notes;                // by node
  std::vector<Content> contents;                        // by value

  Impl(QuantizedModel given, RequantizeMode requantize)
      : model(std::move(given)), mode(requantize), integers(model, requantize) {
    const Graph& graph = model.graph;
    for (ValueId id : graph.required_inputs()) want_if_encoded(id);
    for (size_t i = 0; i < graph.nodes().size(); ++i) {
      const Node& node = graph.nodes()[i];
      for (ValueId id : node.outputs) want_if_encoded(id);
      if (!integers.computes(i)) continue;
      const IntegerNode& plan = *integers.plan().nodes[i];
      for (const IntegerOutput& output : plan.outputs) wanted.insert(graph.value(output.value).name);
      // A grid found at run time is exact only for exactly these operands.
      for (size_t k = 0; k < node.inputs.size(); ++k) {
        const ValueId id = node.inputs[k];
        const bool needed = id != ValueId::None && plan.reads(k) && !graph.value(id).constant;
        if (plan.dynamic && needed) wanted.insert(graph.value(id).name);
      }
    }
  }

  void want_if_encoded(ValueId id) {
    if (id != ValueId::None && find_encoding(model, id) != nullptr) wanted.insert(model.graph.value(id).name);
  }

  VerifiedTensor& layer(const std::string& key, const std::string& name, const std::string& op,
                        const std::string& kernel, bool exact) {
    const auto [at, is_new] = layer_of.try_emplace(key, result.layers.size());
    if (is_new) result.layers.push_back({name, op, kernel, exact, 0, 0, 0, std::nullopt});
    return result.layers[at->second];
  }

  // --- values
  Content& at(ValueId id) { return contents[index_of(id)]; }
  const Tensor& codes(ValueId id) {
    Content& content = at(id);
    if (!content.codes.defined()) content.codes = quantize(content.real, find_encoding(model, id)->params);
    return content.codes;
  }
  // As readers see it: rounded to its grid where it has one.
  const Tensor& real(ValueId id) {
    Content& content = at(id);
    const Encoding* encoding = find_encoding(model, id);
    if (encoding == nullptr) return content.real;
    const Tensor& rounded = codes(id);
    content.real = dequantize(rounded, encoding->params);
    return content.real;
  }

  // A value is computed, and held against what the engine showed; what follows is computed from that.
  void define(ValueId id, Tensor expected, bool holds_codes, bool exact, const std::string& op,
              const std::string& kernel, const Shown& shown) {
    const std::string& name = model.graph.value(id).name;
    const Encoding* encoding = find_encoding(model, id);
    if (encoding != nullptr && !holds_codes) expected = quantize(expected, encoding->params);
    const auto found = shown.find(name);
    if (wanted.contains(name)) {
      HT_CHECK(found != shown.end(), "the engine did not show '{}'", name);
      // A real number that came about in float is nobody's to judge.
      // Grids by channel have no stored form: the engine shows what the codes stand for.
      Tensor seen = found->second;
      if (encoding != nullptr && seen.dtype() == DType::Float) seen = quantize(seen, encoding->params);
      if (encoding != nullptr || exact) {
        compare(expected, seen, result.samples, layer(name, name, op, kernel, exact));
      }
      expected = std::move(seen);
      exact = true;
    }
    at(id) = encoding != nullptr ? Content{{}, std::move(expected), exact} : Content{std::move(expected), {}, exact};
  }

  void define_inputs(const TensorMap& inputs, const Shown& shown) {
    const Graph& graph = model.graph;
    contents.assign(graph.value_count(), {});
    for (ValueId id : graph.live_values()) {
      if (graph.value(id).constant) at(id) = {*graph.value(id).constant, {}, true};
    }
    for (ValueId id : graph.required_inputs()) {
      define(id, inputs.at(graph.value(id).name), false, true, "Input", "", shown);
    }
  }

  void compute(size_t position, const Shown& shown) {
    const Graph& graph = model.graph;
    const Node& node = graph.nodes()[position];
    const NodeNote& note = notes[describe(graph, node)];
    const std::string& kernel = note.kernel.empty() ? note.rule : note.kernel;
    sim::OpCall call{graph, node, graph.opset(), {}};
    if (integers.computes(position)) {
      const IntegerNode& plan = *integers.plan().nodes[position];
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        const ValueId id = node.inputs[i];
        const bool unused = id == ValueId::None || !plan.reads(i);
        call.inputs.push_back(unused ? nullptr : plan.inputs[i] ? &codes(id) : &real(id));
      }
      std::vector<Tensor> results = integers.compute(position, call);
      for (size_t i = 0; i < results.size(); ++i) {
        const IntegerOutput& output = plan.outputs[i];
        define(output.value, std::move(results[i]), output.grid.has_value(), true, node.op_type, kernel, shown);
      }
      return;
    }
    bool exact = note.integers;
    for (ValueId id : node.inputs) {
      call.inputs.push_back(id == ValueId::None ? nullptr : &real(id));
      exact = exact && (id == ValueId::None || at(id).exact);
    }
    std::vector<Tensor> results = sim::compute(call);
    for (size_t i = 0; i < node.outputs.size() && i < results.size(); ++i) {
      if (node.outputs[i] == ValueId::None) continue;
      define(node.outputs[i], std::move(results[i]), false, exact, node.op_type, kernel, shown);
    }
  }

  void compare_outputs(const TensorMap& outputs) {
    for (ValueId id : model.graph.outputs()) {
      const std::string& name = model.graph.value(id).name;
      if (!at(id).exact) continue;
      compare(real(id), outputs.at(name), result.samples, layer("output " + name, name, "Output", "", true));
    }
  }
};

Verifier::Verifier(QuantizedModel model, RequantizeMode mode) : impl_(std::make_unique<Impl>(std::move(model), mode)) {}
Verifier::~Verifier() = default;
Verifier::Verifier(Verifier&&) noexcept = default;
Verifier& Verifier::operator=(Verifier&&) noexcept = default;

SessionOptions Verifier::showing(int threads) const {
  SessionOptions options;
  options.threads = threads;
  options.taps.assign(impl_->wanted.begin(), impl_->wanted.end());
  options.tap_codes = true;
  options.requantize = impl_->mode;
  return options;
}

void Verifier::check(const Session& shown, const Session& plain, const TensorMap& inputs) {
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : inputs) shapes.emplace(name, tensor.shape());
  const Shown values = run_and_keep(shown, inputs);
  for (NodeNote& note : shown.explain(shapes)) impl_->notes[note.node] = std::move(note);
  impl_->define_inputs(inputs, values);
  for (size_t i = 0; i < impl_->model.graph.nodes().size(); ++i) {
    if (!impl_->integers.absorbs(i)) impl_->compute(i, values);
  }
  impl_->compare_outputs(plain.run(inputs));
  ++impl_->result.samples;
}

const Verification& Verifier::result() const { return impl_->result; }

}  // namespace halftone::eval
