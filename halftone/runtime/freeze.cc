#include "halftone/runtime/freeze.h"

#include "halftone/graph/op_table.h"
#include "halftone/quant/integer_plan.h"

namespace halftone::runtime {
namespace {

// The bias of a node in integers is int32 at scale s_x * s_w.
void round_biases(QuantizedModel& model) {
  const IntegerPlan plan = plan_integers(model);
  for (const std::optional<IntegerNode>& planned : plan.nodes) {
    if (!planned || planned->bias.empty()) continue;
    Node& node = model.graph.nodes()[static_cast<size_t>(planned->node)];
    const ValueId id = node.input(2);
    const Encoding* weights = find_encoding(model, node.input(1));
    if (id == ValueId::None || !model.graph.value(id).constant || weights == nullptr || !planned->inputs[0]) continue;
    const size_t channels = planned->bias.size();
    std::vector<float> rounded(channels);
    for (size_t c = 0; c < channels; ++c) {
      const float weight_scale = weights->params.scale[weights->params.per_tensor() ? 0 : c];
      rounded[c] = static_cast<float>(planned->bias[c] * (double{planned->inputs[0]->scale} * weight_scale));
    }
    const std::string name = model.graph.fresh_name(model.graph.value(id).name + "_rounded");
    const auto count = static_cast<int64_t>(channels);
    node.inputs[2] = model.graph.add_constant(name, Tensor::from<float>({count}, rounded));
    if (node.is("Gemm")) node.set_attribute("beta", 1.0f);
  }
}

}  // namespace

QuantizedModel freeze(QuantizedModel model, const transform::KeepNames& taps) {
  // The rules of lowering rely on it: operands are there, types and shapes agree.
  verify(model.graph);
  if (!model.encodings.empty()) round_biases(model);
  for (ValueId id : model.graph.live_values()) {
    Value& value = model.graph.value(id);
    const auto found = model.encodings.find(value.name);
    if (!value.constant || found == model.encodings.end()) continue;
    value.constant = fake_quantize(*value.constant, found->second.params);
    model.encodings.erase(found);
  }
  return transform::simplify(std::move(model), taps);
}

}  // namespace halftone::runtime
