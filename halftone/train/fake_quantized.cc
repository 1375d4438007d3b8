#include "halftone/train/fake_quantized.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "halftone/graph/value_index.h"
#include "halftone/quant/activation_spec.h"
#include "halftone/train/scaled_batch_norm.h"
#include "halftone/train/tensors.h"
#include "halftone/transform/pass.h"

namespace halftone::train {
namespace {

// A scale factor of batch normalization below which dividing by it again would only blow up noise.
constexpr double kLeastFactor = 1e-8;

const Node* producer_of(const Graph& graph, std::string_view value) {
  for (const Node& node : graph.nodes()) {
    for (ValueId id : node.outputs) {
      if (id != ValueId::None && graph.value(id).name == value) return &node;
    }
  }
  return nullptr;
}

// The layer behind whose result `after` normalizes, or nullptr.
const Node* layer_before(const Graph& graph, const Node& after) {
  return after.is("BatchNormalization") ? producer_of(graph, graph.value(after.inputs.at(0)).name) : nullptr;
}

// Per output channel, shaped to broadcast against the weights.
at::Tensor along_outputs(const at::Tensor& list, const at::Tensor& weights, int64_t axis) {
  std::vector<int64_t> shape(static_cast<size_t>(weights.dim()), 1);
  shape[static_cast<size_t>(axis)] = -1;
  return list.reshape(shape);
}

// What can't be done is told with the name of whom it can't be done to.
std::unique_ptr<Quantizer> quantizer_of(const std::string& whom, const StepRequest& request, const Start& start) {
  try {
    return make_quantizer(request, start);
  } catch (const Error& error) {
    throw Error(error.code(), whom, error.what());
  }
}

// Raises scales of weights until the bias has at most 2^30 steps, which leaves as much room for the sums: the weights
// of a channel whose scale training has let go to nothing are nothing beside its bias on either grid. True where it
// changed something.
bool make_room(QuantParams& weights, std::span<const float> bias, double input_scale) {
  if (!weights.levels.empty() || weights.block_size > 0) return false;
  if (weights.scale.size() != 1 && weights.scale.size() != bias.size()) return false;
  bool changed = false;
  for (size_t c = 0; c < bias.size(); ++c) {
    float& scale = weights.scale[weights.scale.size() == 1 ? 0 : c];
    const auto least = static_cast<float>(std::ldexp(std::abs(double{bias[c]}) / input_scale, -30));
    if (!(scale < least) || !std::isfinite(least)) continue;
    scale = least;
    changed = true;
  }
  return changed;
}

}  // namespace

Graph trainable(const Graph& graph) {
  Graph result = graph;
  for (const transform::Pass& pass : transform::all_passes()) {
    if (pass.name == "fold_batch_norm" || pass.name == "fold_scale_shift") continue;
    result = pass.function(std::move(result), {});
  }
  return result;
}

FakeQuantized::FakeQuantized(const Executor& executor, QuantizedModel planned, const QuantPlan& plan,
                             const QuantizerChoice& choice, uint64_t seed)
    : executor_(executor), planned_(std::move(planned)), of_value_(executor.graph().value_count()) {
  if (!planned_.dynamic.empty()) {
    fail(ErrorCode::Unsupported, planned_.dynamic.begin()->first,
         "training needs grids that stay; this layer finds its ranges at run time");
  }
  const QuantizerTable table(choice, planned_.graph);
  add_activations(plan, table, seed);
  add_weights(plan, table, seed);
}

void FakeQuantized::add_activations(const QuantPlan& plan, const QuantizerTable& table, uint64_t seed) {
  for (const GridGroup& group : plan.groups) {
    const std::string& first = planned_.graph.value(group.values.front()).name;
    const Encoding* encoding = find_encoding(planned_, group.values.front());
    if (encoding == nullptr) continue;
    if (!encoding->params.per_tensor()) {
      fail(ErrorCode::Unsupported, first, "training takes activations with one scale, found one per channel");
    }
    auto quantizer = quantizer_of(fmt::format("activation '{}'", first), table.of(group),
                                  {encoding->params, {}, seed + quantizers_.size()});
    // What data movers hand on lies on the grid already.
    for (ValueId id : group.observed) {
      const ValueId here = executor_.graph().find(planned_.graph.value(id).name);
      if (here != ValueId::None) of_value_[index_of(here)] = quantizer.get();
    }
    for (ValueId id : group.values) groups_[first].push_back(planned_.graph.value(id).name);
    quantizers_[first] = std::move(quantizer);
  }
}

void FakeQuantized::add_weights(const QuantPlan& plan, const QuantizerTable& table, uint64_t seed) {
  const Graph& graph = executor_.graph();
  for (const WeightPlan& layer : plan.weights) {
    const Encoding* encoding = find_encoding(planned_, layer.weights);
    if (encoding == nullptr) continue;
    const Node& planned_node = planned_.graph.nodes()[static_cast<size_t>(layer.node)];
    const Node* last = producer_of(graph, planned_.graph.value(planned_node.output(0)).name);
    HT_CHECK(last != nullptr);
    const Node* before = layer_before(graph, *last);
    const Node& node = before != nullptr ? *before : *last;
    if (!is_product(node)) {
      fail(ErrorCode::Unsupported, describe(graph, node),
           "its numbers are folded into the layer before it, which training can't follow; let halftone simplify the "
           "network first");
    }
    const std::string& name = planned_.graph.value(layer.weights).name;
    const at::Tensor content = to_torch(*planned_.graph.value(layer.weights).constant);
    std::unique_ptr<Quantizer>& quantizer = quantizers_[name];
    if (quantizer == nullptr) {
      quantizer = quantizer_of(fmt::format("weights '{}' of {}", name, describe(planned_.graph, planned_node)),
                               table.of(layer), {encoding->params, content, seed + quantizers_.size()});
      weights_.push_back(name);
    }
    Layer& rounded = layers_[node.output(0)];
    rounded.weights = quantizer.get();
    rounded.product = &node;
    rounded.weights_name = name;
    const ValueId bias = planned_node.input(2);
    rounded.bias_name = bias == ValueId::None ? "" : planned_.graph.value(bias).name;
    if (before != nullptr) {
      rounded.norm = last;
      normalized_[last->output(0)] = &rounded;
    }
    const bool transposed =
        node.is("ConvTranspose") || node.is("MatMul") || (node.is("Gemm") && node.int_or("transB", 0) == 0);
    rounded.axis = transposed ? 1 : 0;
    const std::string& input = planned_.graph.value(planned_node.input(0)).name;
    for (const auto& [first, values] : groups_) {
      if (std::find(values.begin(), values.end(), input) != values.end()) rounded.input = quantizers_.at(first).get();
    }
  }
}

at::Tensor FakeQuantized::current(ValueId id) const {
  return executor_.constants().at(executor_.graph().value(id).name);
}

at::Tensor FakeQuantized::result(ValueId id, const at::Tensor& real) {
  Quantizer* quantizer = of_value_[index_of(id)];
  return quantizer == nullptr ? real : quantizer->apply(real, mode_);
}

// gamma / sqrt(running variance + epsilon). Where it is (nearly) zero the folded weights are too; dividing by it must
// only undo what the product did.
at::Tensor FakeQuantized::factor_of(const Layer& layer) const {
  const double epsilon = layer.norm->float_or("epsilon", 1e-5f);
  const at::Tensor factor = current(layer.norm->input(1)) / at::sqrt(current(layer.norm->input(4)) + epsilon);
  return at::where(factor.abs() < kLeastFactor, at::full({}, static_cast<float>(kLeastFactor)), factor);
}

at::Tensor FakeQuantized::folded_weights(const Layer& layer, const at::Tensor& weights) const {
  return layer.norm == nullptr ? weights : weights * along_outputs(factor_of(layer), weights, layer.axis);
}

// With the shift of batch normalization by its running statistics. Undefined: nothing is added.
at::Tensor FakeQuantized::folded_bias(const Layer& layer, const at::Tensor& bias) const {
  if (layer.norm == nullptr) return bias;
  const at::Tensor mean = current(layer.norm->input(3));
  return current(layer.norm->input(2)) + (bias.defined() ? bias - mean : -mean) * factor_of(layer);
}

// In steps of s_input * s_weights.
at::Tensor FakeQuantized::rounded_bias(const Layer& layer, const at::Tensor& bias) const {
  if (!bias.defined() || layer.input == nullptr) return bias;
  // As the integer layers do it; floats would miss the nearest step where there are thousands.
  const std::vector<float> scales = layer.weights->params().scale;
  const at::Tensor steps = at::tensor(scales).to(at::kDouble) * static_cast<double>(layer.input->params().scale.at(0));
  const at::Tensor fixed = bias.detach();
  const at::Tensor rounded = at::round(fixed.to(at::kDouble) / steps) * steps;
  return bias + (rounded - fixed).to(at::kFloat);
}

// conv(x, round(w f)), f batch normalization's factor per output channel.
std::vector<at::Tensor> FakeQuantized::compute(const OpCall& call) {
  const ValueId result = call.node.output(0);
  if (const auto after = normalized_.find(result); after != normalized_.end()) {
    return {normalized(call, *after->second)};
  }
  const auto found = layers_.find(result);
  if (found == layers_.end()) return {};
  const Layer& layer = found->second;
  OpCall rounded = call;
  rounded.inputs.resize(3);
  rounded.inputs[1] = layer.weights->apply(folded_weights(layer, call.input(1)), mode_);
  const bool by_batch = layer.norm != nullptr && call.batch_statistics;
  rounded.inputs[2] = by_batch ? at::Tensor() : rounded_bias(layer, folded_bias(layer, rounded.inputs[2]));
  return find_op(call.node)(rounded);
}

// The batch's mean takes away whatever the layer would have added.
at::Tensor FakeQuantized::normalized(const OpCall& call, const Layer& layer) const {
  if (!call.batch_statistics) return call.input(0);
  const ValueId bias = layer.product->input(2);
  return scaled_batch_norm(call.input(0), factor_of(layer),
                           bias == ValueId::None ? at::Tensor() : current(bias).detach(), call.input(1), call.input(2),
                           {current(layer.norm->input(3)), current(layer.norm->input(4)),
                            call.node.float_or("momentum", 0.9f), call.node.float_or("epsilon", 1e-5f)});
}

std::map<std::string, Quantizer*, std::less<>> FakeQuantized::quantizers() const {
  std::map<std::string, Quantizer*, std::less<>> all;
  for (const auto& [name, quantizer] : quantizers_) all[name] = quantizer.get();
  return all;
}

void FakeQuantized::project() {
  for (const auto& [name, quantizer] : quantizers_) quantizer->project();
}

void FakeQuantized::advance(double progress) {
  for (const auto& [name, quantizer] : quantizers_) quantizer->advance(progress);
}

QuantizedModel FakeQuantized::finished() const {
  const at::NoGradGuard no_grad;
  QuantizedModel result = planned_;
  // Folding the trained network again gives the float weights and biases under the names of the planned one.
  const Graph folded = transform::simplify(executor_.updated_graph());
  for (ValueId id : result.graph.live_values()) {
    Value& value = result.graph.value(id);
    if (!value.constant || value.constant->dtype() != DType::Float) continue;
    const ValueId there = folded.find(value.name);
    if (there == ValueId::None) continue;
    const std::optional<Tensor>& now = folded.value(there).constant;
    if (now && now->shape() == value.constant->shape()) value.constant = now;
  }
  // What training folds it folds in its own way, to the last bit, because that decides codes.
  const auto replace = [&](const std::string& name, const at::Tensor& content) {
    result.graph.value(result.graph.find(name)).constant = from_torch(content);
  };
  for (const auto& [id, layer] : layers_) {
    if (layer.norm == nullptr) continue;
    const ValueId bias = layer.product->input(2);
    replace(layer.weights_name, folded_weights(layer, current(layer.product->input(1))));
    replace(layer.bias_name, folded_bias(layer, bias == ValueId::None ? at::Tensor() : current(bias)));
  }
  for (const auto& [name, values] : groups_) {
    const QuantParams params = quantizers_.at(name)->params();
    for (const std::string& value : values) result.encodings.at(value).params = params;
  }
  for (const std::string& name : weights_) {
    Quantizer& quantizer = *quantizers_.at(name);
    Value& value = result.graph.value(result.graph.find(name));
    value.constant = from_torch(quantizer.apply(to_torch(*value.constant), Mode::Inference));
    result.encodings.at(name).params = quantizer.params();
  }
  for (const auto& [id, layer] : layers_) {
    if (layer.input == nullptr || layer.bias_name.empty()) continue;
    const std::span<const float> bias =
        std::as_const(*result.graph.value(result.graph.find(layer.bias_name)).constant).data<float>();
    QuantParams& params = result.encodings.at(layer.weights_name).params;
    if (!make_room(params, bias, layer.input->params().scale.at(0))) continue;
    std::optional<Tensor>& weights = result.graph.value(result.graph.find(layer.weights_name)).constant;
    weights = fake_quantize(*weights, params);
  }
  return result;
}

}  // namespace halftone::train
