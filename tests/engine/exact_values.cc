#include "tests/engine/exact_values.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "halftone/base/rng.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/sim/interpreter.h"

namespace halftone::test {
namespace {

Tensor owned(const Tensor& tensor) {
  Tensor copy = tensor;
  static_cast<void>(copy.mutable_bytes());
  return copy;
}

bool is_activation(const Node& node) { return node.is("Relu") || node.is("Clip"); }

// Axis of the output channels of a layer's weights, or -1 where the node has none.
int64_t channel_axis(const Node& node) {
  if (node.is("Conv")) return 0;
  if (node.is("ConvTranspose")) return 1;
  if (node.is("Gemm")) return node.int_or("transB", 0) != 0 ? 0 : 1;
  return node.is("MatMul") ? 1 : -1;
}

class RandomGrids {
 public:
  RandomGrids(const Graph& graph, const TensorMap& inputs, uint64_t seed)
      : graph_(graph), index_(graph), rng_(seed), model_{graph, {}, {}} {
    sim::Interpreter(graph).run(inputs, [&](std::string_view name, const Tensor& real, const Tensor*) {
      if (real.dtype() == DType::Float && real.size() > 0) encode_value(std::string(name), real);
    });
    for (ValueId id : graph.inputs()) {
      const auto given = inputs.find(graph.value(id).name);
      if (given != inputs.end()) encode_value(given->first, given->second);
    }
    for (const Node& node : graph.nodes()) {
      const Tensor* weights =
          channel_axis(node) < 0 || node.input(1) == ValueId::None || !graph.value(node.inputs[1]).constant
              ? nullptr
              : &*graph.value(node.inputs[1]).constant;
      if (weights != nullptr && !chance(0.03))
        encode_weights(graph.value(node.inputs[1]).name, *weights, channel_axis(node));
    }
  }
  QuantizedModel take() { return std::move(model_); }

 private:
  bool chance(double p) { return rng_.uniform() < p; }

  void encode_value(const std::string& name, const Tensor& real) {
    const ValueId id = graph_.find(name);
    const int reader = index_.sole_consumer(id);
    const bool before_activation = reader >= 0 && is_activation(graph_.nodes()[static_cast<size_t>(reader)]);
    if (chance(before_activation ? 0.7 : 0.03)) return;
    QuantSpec spec;
    spec.bits = chance(0.05) ? 16 : chance(0.05) ? 4 : 8;
    spec.is_signed = chance(0.5);
    spec.symmetric = chance(0.2);
    // Some grids saturate.
    const float stretch = chance(0.2) ? 0.6F : 1.0F;
    float low = 0, high = 0;
    for (float x : real.data<float>()) {
      if (!std::isfinite(x)) return;
      low = std::min(low, x * stretch);
      high = std::max(high, x * stretch);
    }
    model_.encodings[name] = {choose_params(spec, {low}, {high}), spec};
  }

  void encode_weights(const std::string& name, const Tensor& weights, int64_t axis) {
    QuantSpec spec;
    spec.bits = chance(0.1) ? 4 : 8;
    spec.is_signed = chance(0.8);
    spec.symmetric = spec.is_signed && chance(0.8);
    const int64_t channels = chance(0.7) ? weights.dim(axis) : 1;
    const int64_t inner =
        channels == 1 ? weights.size() : contiguous_strides(weights.shape())[static_cast<size_t>(axis)];
    if (channels > 1) spec.granularity = Granularity::PerChannel;
    std::vector<float> low(static_cast<size_t>(channels), 0), high(low);
    for (int64_t i = 0; i < weights.size(); ++i) {
      const auto c = static_cast<size_t>(i / inner % channels);
      low[c] = std::min(low[c], weights.data<float>()[static_cast<size_t>(i)]);
      high[c] = std::max(high[c], weights.data<float>()[static_cast<size_t>(i)]);
    }
    model_.encodings[name] = {choose_params(spec, low, high, channels == 1 ? -1 : axis), spec};
  }

  const Graph& graph_;
  const GraphIndex index_;
  Rng rng_;
  QuantizedModel model_;
};

}  // namespace

QuantizedModel quantize_at_random(const Graph& graph, const TensorMap& inputs, uint64_t seed) {
  return RandomGrids(graph, inputs, seed).take();
}

Reference run_reference(const QuantizedModel& model, RequantizeMode mode, const TensorMap& inputs) {
  Reference reference;
  sim::Interpreter(model, mode).run(inputs, [&](std::string_view name, const Tensor& real, const Tensor* codes) {
    reference.reals.emplace(name, real);
    if (codes != nullptr) reference.codes.emplace(name, *codes);
  });
  return reference;
}

std::set<std::string> exact_values(const QuantizedModel& model, RequantizeMode mode) {
  const Graph& graph = model.graph;
  const IntegerPlan plan = plan_integers(model, mode);
  const auto name_of = [&](ValueId id) { return graph.value(id).name; };
  std::set<std::string> exact;
  for (ValueId id : graph.live_values()) {
    const bool is_input = std::count(graph.inputs().begin(), graph.inputs().end(), id) > 0;
    if (is_input || graph.value(id).constant) exact.insert(name_of(id));
  }
  const auto known = [&](const Node& node) {
    return std::all_of(node.inputs.begin(), node.inputs.end(),
                       [&](ValueId id) { return id == ValueId::None || exact.contains(name_of(id)); });
  };
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (!known(node)) continue;
    if (!plan.nodes[i]) continue;
    for (const IntegerOutput& output : plan.nodes[i]->outputs) exact.insert(name_of(output.value));
  }
  return exact;
}

int64_t expect_exact(const QuantizedModel& model, const Reference& reference, const std::set<std::string>& exact,
                     const TensorMap& inputs, RequantizeMode mode, int threads) {
  SessionOptions options{threads, nullptr, {}};
  options.requantize = mode;
  options.tap_codes = true;
  for (const auto& [name, codes] : reference.codes) {
    if (exact.contains(name)) options.taps.push_back(name);
  }
  const Session session(model, options);
  int64_t compared = 0;
  // Twice: nothing may be left over from the run before.
  for (int run = 0; run < 2; ++run) {
    TensorMap seen;
    const TensorMap outputs =
        session.run(inputs, [&](std::string_view name, const Tensor& codes) { seen.emplace(name, owned(codes)); });
    for (const std::string& name : options.taps) {
      const auto found = seen.find(name);
      EXPECT_TRUE(found != seen.end()) << name << " was not seen";
      if (found == seen.end()) continue;
      const Tensor& expected = reference.codes.at(name);
      compared += expected.size();
      EXPECT_TRUE(found->second.same_as(expected)) << name << ", " << threads << " threads";
    }
    for (const auto& [name, tensor] : outputs) {
      if (!exact.contains(name)) continue;
      EXPECT_TRUE(tensor.same_as(reference.reals.at(name))) << name << " as the output";
    }
  }
  // Without anybody watching, nodes may be computed in place or together.
  options.taps.clear();
  for (const auto& [name, tensor] : Session(model, options).run(inputs)) {
    if (!exact.contains(name)) continue;
    EXPECT_TRUE(tensor.same_as(reference.reals.at(name))) << name << " unobserved";
  }
  return compared;
}

}  // namespace halftone::test
