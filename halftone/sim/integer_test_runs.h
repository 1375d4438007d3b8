// What the tests of the integer arithmetic share: runs that keep every value, and the comparison with the float network
// on dequantized values.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "halftone/quant/integer_plan.h"
#include "halftone/sim/interpreter.h"
#include "halftone/tensor/packing.h"
#include "tests/support/quantized_net.h"

namespace halftone::sim {

struct Record {
  std::map<std::string, Tensor> real, codes;

  std::vector<int32_t> codes_of(const std::string& name) const { return unpack_integers(codes.at(name)); }
};

inline Record record(const QuantizedModel& model, const TensorMap& inputs,
                     RequantizeMode mode = RequantizeMode::Float) {
  Record record;
  Interpreter(model, mode).run(inputs, [&](std::string_view name, const Tensor& real, const Tensor* codes) {
    record.real.emplace(name, real);
    if (codes != nullptr) record.codes.emplace(name, *codes);
  });
  return record;
}

// Tensor of random codes' real values. A third of the elements are the grid's ends.
inline Tensor random_on_grid(Rng& rng, const Shape& shape, const QuantParams& params) {
  std::vector<float> values(static_cast<size_t>(element_count(shape)));
  for (float& value : values) {
    auto q = params.q_min + static_cast<int64_t>(rng.below(static_cast<uint64_t>(params.q_max - params.q_min + 1)));
    const uint64_t pick = rng.below(6);
    if (pick == 0) q = params.q_min;
    if (pick == 1) q = params.q_max;
    value = dequantize(static_cast<int32_t>(q), params.scale[0], params.zero_point[0]);
  }
  return Tensor::from(shape, values);
}

// Codes of the real values under the definition, in double with one float32 product, rounded before it is clamped.
inline int32_t reference_code(int64_t acc, double s_x, double s_w, const QuantParams& y) {
  const auto multiplier = static_cast<float>(s_x * s_w / y.scale[0]);
  const float product = static_cast<float>(acc) * multiplier;
  const double code = std::nearbyint(double{product}) + y.zero_point[0];
  return static_cast<int32_t>(std::min(std::max(code, static_cast<double>(y.q_min)), static_cast<double>(y.q_max)));
}

// Every node that the plan has in integers gives what the float operator gives on the same real operands, rounded to
// the grid, within one code.
inline void expect_near_float(const QuantizedModel& model, const TensorMap& inputs) {
  const Record run = record(model, inputs);
  const IntegerPlan plan = plan_integers(model);
  const auto real_of = [&](ValueId id) -> Tensor {
    const auto found = run.real.find(model.graph.value(id).name);
    if (found != run.real.end()) return found->second;
    const Tensor& constant = *model.graph.value(id).constant;
    const Encoding* encoding = find_encoding(model, id);
    return encoding == nullptr ? constant : fake_quantize(constant, encoding->params);
  };
  const auto compute_float = [&](int position, const std::map<ValueId, Tensor>& computed) {
    const Node& node = model.graph.nodes()[static_cast<size_t>(position)];
    std::vector<Tensor> operands;
    for (ValueId id : node.inputs) {
      const auto found = computed.find(id);
      operands.push_back(id == ValueId::None ? Tensor() : found != computed.end() ? found->second : real_of(id));
    }
    OpCall call{model.graph, node, model.graph.opset(), {}};
    for (const Tensor& operand : operands) call.inputs.push_back(operand.defined() ? &operand : nullptr);
    return compute(call);
  };
  for (const std::optional<IntegerNode>& node : plan.nodes) {
    if (!node) continue;
    std::vector<Tensor> results = compute_float(node->node, {});
    if (node->activation >= 0) {
      const Node& first = model.graph.nodes()[static_cast<size_t>(node->node)];
      results = compute_float(node->activation, {{first.outputs[0], results[0]}});
    }
    for (size_t i = 0; i < node->outputs.size(); ++i) {
      const std::string& name = model.graph.value(node->outputs[i].value).name;
      if (!node->outputs[i].grid) {
        const std::vector<float> expected = to_vector<float>(results[i]), found = to_vector<float>(run.real.at(name));
        ASSERT_EQ(expected.size(), found.size());
        for (size_t k = 0; k < found.size(); ++k) {
          EXPECT_NEAR(found[k], expected[k], 1e-4 * std::abs(expected[k]) + node->outputs[i].multipliers[0]) << name;
        }
        continue;
      }
      ASSERT_TRUE(run.codes.contains(name)) << name;
      EXPECT_EQ(run.codes.at(name).shape(), results[i].shape()) << name;
      const auto expected = unpack_integers(quantize(results[i], model.encodings.at(name).params));
      const std::vector<int32_t> found = run.codes_of(name);
      for (size_t k = 0; k < found.size(); ++k) ASSERT_LE(std::abs(found[k] - expected[k]), 1) << name << " at " << k;
    }
  }
}

}  // namespace halftone::sim
