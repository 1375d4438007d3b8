#include "halftone/runtime/activation.h"

#include <cmath>
#include <functional>
#include <limits>
#include <map>

namespace halftone::runtime {
namespace {

using dnnl::algorithm;
using Functions = std::vector<Eltwise>;
using Recipe = Functions (*)(const Lowering&, const Node&);

template <algorithm kind>
Functions plain_function(const Lowering&, const Node&) {
  return {{kind}};
}

// A scalar constant operand of Clip: `fallback` when it is left out, NaN when it isn't constant.
float bound(const Lowering& lowering, const Node& node, size_t input, float fallback) {
  if (node.input(input) == ValueId::None) return fallback;
  const Tensor* constant = lowering.constant(node.inputs[input]);
  const bool usable = constant != nullptr && constant->dtype() == DType::Float && constant->size() == 1;
  return usable ? constant->data<float>()[0] : std::nanf("");
}

Functions clip(const Lowering& lowering, const Node& node) {
  const float lowest = std::numeric_limits<float>::lowest(), highest = std::numeric_limits<float>::max();
  const bool by_attribute = lowering.graph().opset() < 11;
  const float low = by_attribute ? node.float_or("min", lowest) : bound(lowering, node, 1, lowest);
  const float high = by_attribute ? node.float_or("max", highest) : bound(lowering, node, 2, highest);
  if (!(low <= high)) return {};
  return {{algorithm::eltwise_clip, low, high}};
}

Functions gelu(const Lowering&, const Node& node) {
  const bool approximate = node.string_or("approximate", "none") == "tanh";
  return {{approximate ? algorithm::eltwise_gelu_tanh : algorithm::eltwise_gelu_erf}};
}

Functions leaky_relu(const Lowering&, const Node& node) {
  return {{algorithm::eltwise_relu, node.float_or("alpha", 0.01f)}};
}

Functions elu(const Lowering&, const Node& node) { return {{algorithm::eltwise_elu, node.float_or("alpha", 1.0f)}}; }

Functions hard_sigmoid(const Lowering&, const Node& node) {
  return {{algorithm::eltwise_linear, node.float_or("alpha", 0.2f), node.float_or("beta", 0.5f)},
          {algorithm::eltwise_clip, 0.0f, 1.0f}};
}

Functions negate(const Lowering&, const Node&) { return {{algorithm::eltwise_linear, -1.0f, 0.0f}}; }

const std::map<std::string_view, Recipe>& recipes() {
  static const std::map<std::string_view, Recipe> table = {
      {"Relu", plain_function<algorithm::eltwise_relu>},
      {"LeakyRelu", leaky_relu},
      {"Clip", clip},
      {"Sigmoid", plain_function<algorithm::eltwise_logistic>},
      {"HardSigmoid", hard_sigmoid},
      {"HardSwish", plain_function<algorithm::eltwise_hardswish>},
      {"Tanh", plain_function<algorithm::eltwise_tanh>},
      {"Elu", elu},
      {"Gelu", gelu},
      {"Mish", plain_function<algorithm::eltwise_mish>},
      {"Softplus", plain_function<algorithm::eltwise_soft_relu>},
      {"Exp", plain_function<algorithm::eltwise_exp>},
      {"Abs", plain_function<algorithm::eltwise_abs>},
      {"Sqrt", plain_function<algorithm::eltwise_sqrt>},
      {"Neg", negate},
  };
  return table;
}

bool is_float(const Lowering& lowering, ValueId id) { return lowering.float_shape(id).has_value(); }

// The Add's operand that is not `value`, when the sum may be formed in its memory.
ValueId addend_of(const Lowering& lowering, const Node& add, int position, ValueId value) {
  const ValueId other = add.input(0) == value ? add.input(1) : add.input(0);
  if (other == ValueId::None || !lowering.ready(other) || lowering.constant(other) != nullptr) return ValueId::None;
  if (lowering.float_shape(other) != lowering.float_shape(value)) return ValueId::None;
  const Place& place = lowering.held(other);
  if (place.layout != Layout::Blocked || !lowering.last_use(place, position)) return ValueId::None;
  return other;
}

}  // namespace

std::vector<Eltwise> eltwise_of(const Lowering& lowering, const Node& node) {
  if (!node.domain.empty() || !is_float(lowering, node.input(0)) || !is_float(lowering, node.output(0))) return {};
  const auto found = recipes().find(node.op_type);
  return found == recipes().end() ? Functions{} : found->second(lowering, node);
}

bool finite_at_zero(const std::vector<Eltwise>& functions) {
  for (const Eltwise& function : functions) {
    if (function.algorithm == algorithm::eltwise_log) return false;
  }
  return true;
}

Chain follow(const Lowering& lowering, ValueId value, bool with_sum) {
  Chain chain;
  chain.output = value;
  while (!lowering.observable(chain.output)) {
    const int reader = lowering.index().sole_consumer(chain.output);
    if (reader < 0) break;
    const Node& node = lowering.graph().nodes()[static_cast<size_t>(reader)];
    const Functions functions = node.input(0) == chain.output ? eltwise_of(lowering, node) : Functions{};
    if (!functions.empty() && finite_at_zero(functions)) {
      for (const Eltwise& f : functions) chain.post_ops.append_eltwise(1.0f, f.algorithm, f.alpha, f.beta);
    } else if (with_sum && node.is("Add") && chain.addend == ValueId::None) {
      chain.addend = addend_of(lowering, node, reader, chain.output);
      if (chain.addend == ValueId::None) break;
      chain.post_ops.append_sum(1.0f);
    } else {
      break;
    }
    chain.absorbed.push_back(reader);
    chain.output = node.outputs[0];
    if (chain.post_ops.len() > 6) break;
  }
  return chain;
}

void absorb(Lowering& lowering, const Chain& chain) {
  for (int position : chain.absorbed) lowering.absorb(position);
}

}  // namespace halftone::runtime
