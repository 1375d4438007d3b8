#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "halftone/graph/op_table.h"
#include "halftone/graph/value_index.h"

namespace halftone {
namespace {

// Walks the graph in its order and knows which values exist at each point.
class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph), exists_(graph.value_count()) {}

  void run() {
    check_interface(graph_.inputs(), "input");
    for (ValueId id : graph_.inputs()) exists_[index_of(id)] = true;
    for (ValueId id : graph_.live_values()) {
      if (graph_.value(id).constant) exists_[index_of(id)] = true;
    }
    for (const Node& node : graph_.nodes()) check_node(node);
    check_interface(graph_.outputs(), "output");
    for (ValueId id : graph_.outputs()) {
      if (exists_[index_of(id)]) continue;
      fail(ErrorCode::InvalidModel, fmt::format("output '{}'", graph_.value(id).name),
           "must be computed by a node, be an input or be an initializer, found none of them");
    }
  }

 private:
  void check_interface(const std::vector<ValueId>& ids, std::string_view what) const {
    std::set<ValueId> seen;
    for (ValueId id : ids) {
      if (id == ValueId::None || graph_.value(id).name.empty()) {
        fail(ErrorCode::InvalidModel, graph_.name, "every {} must be a value with a name", what);
      }
      if (seen.insert(id).second) continue;
      fail(ErrorCode::InvalidModel, fmt::format("{} '{}'", what, graph_.value(id).name), "must be listed once");
    }
  }

  void check_node(const Node& node) {
    if (node.op_type.empty()) refuse(node, "a node must name its operator");
    if (!graph_.opset_imports.contains(node.domain)) {
      refuse(node, "the model must import the operator set '{}', found {} others", node.domain,
             graph_.opset_imports.size());
    }
    for (ValueId id : node.inputs) check_read(node, id);
    for (ValueId id : node.captures) check_read(node, id);
    for (ValueId id : node.outputs) {
      if (id == ValueId::None) continue;
      if (exists_[index_of(id)]) {
        refuse(node, "a value must have one origin, but '{}' is an input, an initializer or another node's output too",
               graph_.value(id).name);
      }
      exists_[index_of(id)] = true;
    }
    std::set<std::string_view> attributes;
    for (const Attribute& attribute : node.attributes) {
      if (!attributes.insert(attribute.name).second) refuse(node, "attribute '{}' must be given once", attribute.name);
    }
    check_old_broadcast(node);
    if (const OpRow* row = find_op(node)) check_operands(graph_, node, *row);
  }

  // Before opset 7 an axis said where a smaller operand is laid against the larger one. The op table follows numpy's
  // rule, which lays the last dimensions against each other.
  void check_old_broadcast(const Node& node) const {
    if (graph_.opset() >= 7 || !node.domain.empty() || node.inputs.size() != 2) return;
    if (node.find_attribute("axis") == nullptr || node.find_attribute("broadcast") == nullptr) return;
    const std::optional<int64_t> a = rank_of(node.inputs[0]), b = rank_of(node.inputs[1]);
    const int64_t axis = node.int_or("axis", 0);
    const bool as_numpy = a && b && (axis < 0 ? axis + *a : axis) == *a - *b;
    if (node.int_or("broadcast", 0) == 0 || as_numpy) return;
    fail(ErrorCode::Unsupported, describe(graph_, node),
         "broadcasting along an axis is opset {}'s; opset 7 or newer is required: convert the model", graph_.opset());
  }

  std::optional<int64_t> rank_of(ValueId id) const {
    if (id == ValueId::None) return std::nullopt;
    const Value& value = graph_.value(id);
    if (value.constant) return value.constant->rank();
    if (!value.type.ranked()) return std::nullopt;
    return value.type.rank();
  }

  void check_read(const Node& node, ValueId id) const {
    if (id == ValueId::None || exists_[index_of(id)]) return;
    const std::string& name = graph_.value(id).name;
    const bool made_later = std::any_of(graph_.nodes().begin(), graph_.nodes().end(), [&](const Node& other) {
      return std::find(other.outputs.begin(), other.outputs.end(), id) != other.outputs.end();
    });
    if (made_later) refuse(node, "nodes must stand after what they read, but '{}' is computed later", name);
    refuse(node, "reads '{}', which no node, input or initializer provides", name);
  }

  template <typename... Args>
  [[noreturn]] void refuse(const Node& node, fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorCode::InvalidModel, describe(graph_, node), format, std::forward<Args>(args)...);
  }

  const Graph& graph_;
  std::vector<bool> exists_;
};

}  // namespace

void verify(const Graph& graph) {
  Verifier(graph).run();
  // Types against the shape rules, and constants against their types: inference on a copy, which shares the tensors.
  Graph copy = graph;
  infer_shapes(copy);
}

}  // namespace halftone
