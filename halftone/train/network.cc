#include "halftone/train/network.h"

#include <algorithm>

#include "halftone/base/text.h"
#include "halftone/eval/accuracy.h"
#include "halftone/graph/value_index.h"

namespace halftone::train {
namespace {

// Keeps what losses ask for, of what the readers of a value see.
class Watching : public Intervention {
 public:
  Watching(const Graph& graph, const std::set<std::string, std::less<>>& watched, Intervention* inner,
           NamedTensors& seen)
      : graph_(graph), watched_(watched), inner_(inner), seen_(seen) {}

  at::Tensor constant(ValueId id, const at::Tensor& real) override {
    return inner_ == nullptr ? real : inner_->constant(id, real);
  }
  at::Tensor result(ValueId id, const at::Tensor& real) override {
    at::Tensor result = inner_ == nullptr ? real : inner_->result(id, real);
    const std::string& name = graph_.value(id).name;
    if (watched_.contains(name)) seen_[name] = result;
    return result;
  }
  std::vector<at::Tensor> compute(const OpCall& call) override {
    return inner_ == nullptr ? std::vector<at::Tensor>{} : inner_->compute(call);
  }

 private:
  const Graph& graph_;
  const std::set<std::string, std::less<>>& watched_;
  Intervention* inner_;
  NamedTensors& seen_;
};

}  // namespace

Network::Network(const Graph& graph) : executor_(std::make_unique<Executor>(graph)) {
  const Graph& executed = executor_->graph();
  const std::string output = eval::score_output(executed);
  for (size_t i = 0; i < executed.outputs().size(); ++i) {
    const Value& value = executed.value(executed.outputs()[i]);
    if (value.name == output) output_ = i;
  }
  collect_parameters();
}

void Network::collect_parameters() {
  parameters_ = parameters_of(*executor_);
  for (const Parameter& parameter : parameters_) {
    if (parameter.kind == ParameterKind::Weight) weights_[parameter.name] = parameter.tensor;
  }
  for (const Node& node : graph().nodes()) {
    if (!node.is("BatchNormalization")) continue;
    const std::string& name = graph().value(node.input(1)).name;
    batch_norm_scales_[name] = executor_->constants().at(name);
  }
}

void Network::quantize(QuantizedModel planned, const QuantPlan& plan, const QuantizerChoice& choice, uint64_t seed) {
  rounding_ = std::make_unique<FakeQuantized>(*executor_, std::move(planned), plan, choice, seed);
  for (const auto& [name, quantizer] : rounding_->quantizers()) {
    for (const Learned& learned : quantizer->learned()) {
      parameters_.push_back({"quantizer " + name + ": " + learned.name, learned.tensor, ParameterKind::Scale,
                             learned.decay, learned.magnitude});
    }
  }
}

void Network::watch(const std::string& value) {
  const ValueId id = graph().find(value);
  if (id == ValueId::None || graph().value(id).constant) {
    std::vector<std::string> names;
    for (ValueId each : graph().live_values()) {
      if (!graph().value(each).constant) names.push_back(graph().value(each).name);
    }
    const std::string nearest = nearest_word(value, names);
    fail(ErrorCode::InvalidArgument, "loss", "the network computes no value '{}'{}", value,
         nearest.empty() ? "; halftone inspect lists its layers" : fmt::format(", did you mean '{}'?", nearest));
  }
  watched_.insert(value);
}

Answers Network::answers(const std::vector<at::Tensor>& inputs, Mode mode, BatchStatistics statistics) {
  if (rounding_ != nullptr) rounding_->set_mode(mode);
  Answers answers;
  Watching watching(graph(), watched_, rounding_.get(), answers.features);
  answers.logits = executor_->forward(inputs, statistics, &watching).at(output_);
  if (answers.logits.dim() > 2) answers.logits = answers.logits.flatten(1);
  classes_ = answers.logits.size(1);
  return answers;
}

State Network::state() {
  State state;
  for (const Parameter& parameter : parameters_) state[parameter.name] = parameter.tensor;
  for (const std::string& name : running_statistics(graph())) state[name] = executor_->constants().at(name);
  if (rounding_ == nullptr) return state;
  for (const auto& [name, quantizer] : rounding_->quantizers()) {
    for (const Learned& buffer : quantizer->buffers()) state["quantizer " + name + ": " + buffer.name] = buffer.tensor;
  }
  return state;
}

QuantizedModel Network::finished() const {
  if (rounding_ != nullptr) return rounding_->finished();
  QuantizedModel model;
  model.graph = executor_->updated_graph();
  return model;
}

}  // namespace halftone::train
