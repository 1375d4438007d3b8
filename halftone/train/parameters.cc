#include "halftone/train/parameters.h"

#include <cmath>
#include <set>

#include "halftone/graph/op_table.h"
#include "halftone/transform/parameters.h"

namespace halftone::train {

std::vector<Parameter> parameters_of(Executor& executor) {
  Graph graph = executor.graph();
  infer_shapes(graph);
  const std::vector<std::string> statistics = running_statistics(graph);
  const std::set<std::string_view> not_trained(statistics.begin(), statistics.end());
  std::vector<Parameter> found;
  for (const auto& [id, parameter] : transform::find_parameters(graph, transform::Parameters::All)) {
    const std::string& name = graph.value(id).name;
    const auto constant = executor.constants().find(name);
    if (constant == executor.constants().end() || not_trained.contains(name)) continue;
    constant->second.set_requires_grad(true);
    const bool weights = parameter.kind == transform::ParameterKind::Weights;
    found.push_back({name, constant->second, weights ? ParameterKind::Weight : ParameterKind::Plain});
  }
  return found;
}

std::vector<std::string> running_statistics(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes()) {
    if (!node.is("BatchNormalization")) continue;
    for (size_t i : {3, 4}) names.push_back(graph.value(node.inputs.at(i)).name);
  }
  return names;
}

std::vector<at::Tensor> magnitudes_of(const std::vector<Parameter>& parameters) {
  std::vector<at::Tensor> found;
  for (const Parameter& parameter : parameters) {
    if (parameter.magnitude) found.push_back(parameter.tensor.detach().clone());
  }
  return found;
}

void hold_magnitudes(std::vector<Parameter>& parameters, const std::vector<at::Tensor>& before) {
  constexpr double kMostChange = 0.01;
  const at::NoGradGuard no_grad;
  auto was = before.begin();
  for (Parameter& parameter : parameters) {
    if (!parameter.magnitude) continue;
    parameter.tensor.clamp_(*was * (1 - kMostChange), *was * (1 + kMostChange));
    ++was;
  }
}

double clip_gradients(const std::vector<Parameter>& parameters, double largest) {
  const at::NoGradGuard no_grad;
  double squares = 0;
  for (const Parameter& parameter : parameters) {
    const at::Tensor& gradient = parameter.tensor.grad();
    if (gradient.defined()) squares += gradient.square().sum(at::kDouble).item<double>();
  }
  const double norm = std::sqrt(squares);
  if (norm <= largest) return norm;
  for (const Parameter& parameter : parameters) {
    at::Tensor gradient = parameter.tensor.grad();
    if (gradient.defined()) gradient.mul_(largest / norm);
  }
  return norm;
}

}  // namespace halftone::train
