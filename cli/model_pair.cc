#include "cli/model_pair.h"

#include <algorithm>
#include <string>
#include <vector>

#include "halftone/base/error.h"

namespace halftone::cli {
namespace {

// Whether a tensor can be of both types, as far as they are known.
bool can_be_both(const TensorType& a, const TensorType& b) {
  if (a.dtype != b.dtype && a.dtype != DType::Undefined && b.dtype != DType::Undefined) return false;
  if (!a.ranked() || !b.ranked()) return true;
  return std::equal(a.shape->begin(), a.shape->end(), b.shape->begin(), b.shape->end(),
                    [](const Dim& x, const Dim& y) { return x.value == y.value || !x.known() || !y.known(); });
}

// "'logits' float[N, 10]" for each.
std::string list_of(const Graph& graph, const std::vector<ValueId>& values) {
  std::string list;
  for (ValueId id : values) {
    const Value& value = graph.value(id);
    list += fmt::format("{}'{}' {}", list.empty() ? "" : ", ", value.name, to_string(value.type));
  }
  return list.empty() ? "none" : list;
}

bool same_inputs(const Graph& a, const Graph& b) {
  const std::vector<ValueId> of_a = a.required_inputs(), of_b = b.required_inputs();
  return of_a.size() == of_b.size() && std::all_of(of_a.begin(), of_a.end(), [&](ValueId id) {
           const ValueId same = b.find(a.value(id).name);
           return std::find(of_b.begin(), of_b.end(), same) != of_b.end() &&
                  can_be_both(a.value(id).type, b.value(same).type);
         });
}

bool share_a_layer(const Graph& a, const Graph& b) {
  const GraphIndex index(a);
  for (const Node& node : b.nodes()) {
    for (ValueId id : node.outputs) {
      const ValueId same = id == ValueId::None ? id : a.find(b.value(id).name);
      if (same != ValueId::None && index.producer(same) >= 0) return true;
    }
  }
  return false;
}

// Two networks that have nothing to do with each other are better refused by name than by what fails first.
void require_one_network(const LoadedPair& pair) {
  const Graph& reference = pair.reference.model.graph;
  const Graph& model = pair.model.model.graph;
  const std::string path = pair.reference.path.string();
  const auto refuse = [&](std::string_view required, const std::string& found, const std::string& in_reference) {
    fail(ErrorCode::InvalidModel, pair.model.path.string(),
         "{} as in {} required, found {} and there {}; the two must be one network, before and after", required, path,
         found, in_reference);
  };
  if (!same_inputs(reference, model)) {
    refuse("the same inputs are", list_of(model, model.required_inputs()),
           list_of(reference, reference.required_inputs()));
  }
  const std::vector<ValueId> outputs = {model.outputs().front()}, expected = {reference.outputs().front()};
  if (!can_be_both(model.value(outputs.front()).type, reference.value(expected.front()).type)) {
    refuse("an output is", list_of(model, outputs), list_of(reference, expected));
  }
  if (!share_a_layer(reference, model)) {
    fail(ErrorCode::InvalidModel, pair.model.path.string(),
         "layers named as in {} are required, found none of {}; the two must be one network, before and after", path,
         model.nodes().size());
  }
}

}  // namespace

LoadedPair load_pair(const std::string& reference, const std::string& model) {
  LoadedPair pair = {load_model(reference), load_model(model)};
  for (const LoadedModel* each : {&pair.reference, &pair.model}) {
    if (!each->model.graph.outputs().empty()) continue;
    fail(ErrorCode::InvalidModel, each->path.string(), "a model with an output is required");
  }
  require_one_network(pair);
  return pair;
}

}  // namespace halftone::cli
