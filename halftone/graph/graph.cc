#include "halftone/graph/graph.h"

#include <algorithm>
#include <queue>

#include "halftone/base/error.h"
#include "halftone/graph/value_index.h"

namespace halftone {
namespace {

template <typename T>
const T* typed_attribute(const Node& node, std::string_view name, std::string_view required) {
  const Attribute* attribute = node.find_attribute(name);
  if (attribute == nullptr) return nullptr;
  const T* value = std::get_if<T>(&attribute->value);
  if (value == nullptr) {
    fail(ErrorCode::InvalidModel, fmt::format("{} '{}'", node.op_type, node.name), "attribute '{}' must be {}", name,
         required);
  }
  return value;
}

template <typename F>
void for_each_read(const Node& node, const F& f) {
  for (ValueId id : node.inputs) {
    if (id != ValueId::None) f(id);
  }
  for (ValueId id : node.captures) f(id);
}

}  // namespace

const Attribute* Node::find_attribute(std::string_view attribute_name) const {
  for (const Attribute& attribute : attributes) {
    if (attribute.name == attribute_name) return &attribute;
  }
  return nullptr;
}

int64_t Node::int_or(std::string_view attribute_name, int64_t fallback) const {
  const auto* value = typed_attribute<int64_t>(*this, attribute_name, "an integer");
  return value == nullptr ? fallback : *value;
}

float Node::float_or(std::string_view attribute_name, float fallback) const {
  const auto* value = typed_attribute<float>(*this, attribute_name, "a float");
  return value == nullptr ? fallback : *value;
}

std::string Node::string_or(std::string_view attribute_name, std::string fallback) const {
  const auto* value = typed_attribute<std::string>(*this, attribute_name, "a string");
  return value == nullptr ? fallback : *value;
}

std::vector<int64_t> Node::ints_or(std::string_view attribute_name, std::vector<int64_t> fallback) const {
  const auto* value = typed_attribute<std::vector<int64_t>>(*this, attribute_name, "a list of integers");
  return value == nullptr ? fallback : *value;
}

std::vector<float> Node::floats_or(std::string_view attribute_name, std::vector<float> fallback) const {
  const auto* value = typed_attribute<std::vector<float>>(*this, attribute_name, "a list of floats");
  return value == nullptr ? fallback : *value;
}

const Tensor* Node::tensor_or_null(std::string_view attribute_name) const {
  return typed_attribute<Tensor>(*this, attribute_name, "a tensor");
}

void Node::set_attribute(std::string_view attribute_name, AttributeValue value) {
  for (Attribute& attribute : attributes) {
    if (attribute.name == attribute_name) {
      attribute.value = std::move(value);
      return;
    }
  }
  attributes.push_back({std::string(attribute_name), std::move(value), {}});
}

void Node::remove_attribute(std::string_view attribute_name) {
  std::erase_if(attributes, [&](const Attribute& a) { return a.name == attribute_name; });
}

std::string describe(const Graph& graph, const Node& node) {
  if (!node.name.empty()) return fmt::format("{} '{}'", node.op_type, node.name);
  for (ValueId id : node.outputs) {
    if (id != ValueId::None) return fmt::format("{} making '{}'", node.op_type, graph.value(id).name);
  }
  return node.op_type;
}

Graph::Graph() = default;
Graph::Graph(const Graph& other) = default;
Graph::Graph(Graph&& other) noexcept = default;
Graph& Graph::operator=(const Graph& other) = default;
Graph& Graph::operator=(Graph&& other) noexcept = default;
Graph::~Graph() = default;

Value& Graph::value(ValueId id) {
  HT_CHECK(id != ValueId::None && index_of(id) < values_.size(), "value {} of {}", static_cast<int>(id),
           values_.size());
  return values_[index_of(id)];
}

const Value& Graph::value(ValueId id) const { return const_cast<Graph*>(this)->value(id); }

ValueId Graph::find(std::string_view value_name) const {
  const auto found = by_name_.find(std::string(value_name));
  return found == by_name_.end() ? ValueId::None : found->second;
}

ValueId Graph::add_value(std::string value_name, TensorType type) {
  const auto id = static_cast<ValueId>(values_.size());
  if (value_name.empty()) fail(ErrorCode::InvalidModel, name, "a value must have a name");
  if (!by_name_.emplace(value_name, id).second) {
    fail(ErrorCode::InvalidModel, name, "value names must be unique, found '{}' twice", value_name);
  }
  values_.push_back({std::move(value_name), std::move(type), std::nullopt, false, {}});
  return id;
}

ValueId Graph::add_constant(std::string value_name, Tensor tensor) {
  TensorType type{tensor.dtype(), to_dims(tensor.shape())};
  const ValueId id = add_value(std::move(value_name), std::move(type));
  values_.back().constant = std::move(tensor);
  return id;
}

std::string Graph::fresh_name(std::string_view stem) const {
  std::string candidate(stem);
  for (int i = 1; by_name_.contains(candidate); ++i) candidate = fmt::format("{}_{}", stem, i);
  return candidate;
}

void Graph::rename_value(ValueId id, std::string new_name) {
  Value& renamed = value(id);
  if (renamed.name == new_name) return;
  if (new_name.empty() || !by_name_.emplace(new_name, id).second) {
    fail(ErrorCode::InvalidModel, name, "can't rename '{}' to '{}': that name is empty or taken", renamed.name,
         new_name);
  }
  by_name_.erase(renamed.name);
  renamed.name = std::move(new_name);
}

std::vector<ValueId> Graph::required_inputs() const {
  std::vector<ValueId> required;
  for (ValueId id : inputs_) {
    if (!value(id).constant) required.push_back(id);
  }
  return required;
}

int64_t Graph::opset() const {
  const auto found = opset_imports.find("");
  return found == opset_imports.end() ? 1 : found->second;
}

void Graph::replace_uses(ValueId from, ValueId to) {
  for (Node& node : nodes_) std::replace(node.inputs.begin(), node.inputs.end(), from, to);
}

void Graph::remove_dead() {
  std::vector<bool> used(values_.size());
  for (ValueId id : outputs_) used[index_of(id)] = true;
  for (size_t i = nodes_.size(); i-- > 0;) {
    const Node& node = nodes_[i];
    const bool alive = std::any_of(node.outputs.begin(), node.outputs.end(),
                                   [&](ValueId id) { return id != ValueId::None && used[index_of(id)]; });
    if (alive) {
      for_each_read(node, [&](ValueId id) { used[index_of(id)] = true; });
    }
  }
  std::erase_if(nodes_, [&](const Node& node) {
    return std::none_of(node.outputs.begin(), node.outputs.end(),
                        [&](ValueId id) { return id != ValueId::None && used[index_of(id)]; });
  });
  // A living node keeps even the outputs that nobody reads, and inputs are the caller's business.
  for (const Node& node : nodes_) {
    for (ValueId id : node.outputs) {
      if (id != ValueId::None) used[index_of(id)] = true;
    }
  }
  for (ValueId id : inputs_) used[index_of(id)] = true;
  for (size_t i = 0; i < values_.size(); ++i) {
    if (used[i] || values_[i].name.empty()) continue;
    by_name_.erase(values_[i].name);
    values_[i] = Value{};
  }
}

void Graph::sort() {
  const GraphIndex index(*this);
  const size_t n = nodes_.size();
  std::vector<int> waiting(n, 0);
  std::vector<std::vector<int>> readers(n);
  for (size_t i = 0; i < n; ++i) {
    for_each_read(nodes_[i], [&](ValueId id) {
      const int producer = index.producer(id);
      if (producer < 0) return;
      readers[static_cast<size_t>(producer)].push_back(static_cast<int>(i));
      ++waiting[i];
    });
  }
  // The smallest ready position first keeps today's order wherever it is valid.
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (size_t i = 0; i < n; ++i) {
    if (waiting[i] == 0) ready.push(static_cast<int>(i));
  }
  std::vector<Node> sorted;
  sorted.reserve(n);
  while (!ready.empty()) {
    const auto i = static_cast<size_t>(ready.top());
    ready.pop();
    sorted.push_back(nodes_[i]);
    for (int reader : readers[i]) {
      if (--waiting[static_cast<size_t>(reader)] == 0) ready.push(reader);
    }
  }
  if (sorted.size() != n) {
    const size_t stuck = static_cast<size_t>(std::find_if(waiting.begin(), waiting.end(), [](int w) { return w > 0; }) -
                                             waiting.begin());
    fail(ErrorCode::InvalidModel, describe(*this, nodes_[stuck]),
         "a network must be acyclic, but this node waits for a cycle");
  }
  nodes_ = std::move(sorted);
}

std::vector<ValueId> Graph::live_values() const {
  std::vector<ValueId> live;
  for (size_t i = 0; i < values_.size(); ++i) {
    if (!values_[i].name.empty()) live.push_back(static_cast<ValueId>(i));
  }
  return live;
}

GraphIndex::GraphIndex(const Graph& graph)
    : producers_(graph.value_count(), -1),
      consumers_(graph.value_count()),
      is_input_(graph.value_count()),
      is_output_(graph.value_count()),
      is_captured_(graph.value_count()) {
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    for_each_read(node, [&](ValueId id) { consumers_[index_of(id)].push_back(static_cast<int>(i)); });
    for (ValueId id : node.captures) is_captured_[index_of(id)] = true;
    for (ValueId id : node.outputs) {
      if (id != ValueId::None) producers_[index_of(id)] = static_cast<int>(i);
    }
  }
  for (ValueId id : graph.inputs()) is_input_[index_of(id)] = true;
  for (ValueId id : graph.outputs()) is_output_[index_of(id)] = true;
}

int GraphIndex::sole_consumer(ValueId id) const {
  const std::vector<int>& readers = consumers(id);
  const bool sole = readers.size() == 1 && !is_output_[index_of(id)] && !is_captured_[index_of(id)];
  return sole ? readers.front() : -1;
}

}  // namespace halftone
