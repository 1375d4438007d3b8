#include "halftone/onnx/internal/subgraph.h"

#include <unordered_set>

namespace halftone::onnx {
namespace {

// Visits every subgraph that the node holds directly.
template <typename Node, typename Visit>
void for_each_subgraph(Node& node, const Visit& visit) {
  for (auto& attribute : *node.mutable_attribute()) {
    if (attribute.has_g()) visit(*attribute.mutable_g());
    for (auto& graph : *attribute.mutable_graphs()) visit(graph);
  }
}

template <typename Visit>
void for_each_subgraph(const pb::NodeProto& node, const Visit& visit) {
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_g()) visit(attribute.g());
    for (const auto& graph : attribute.graphs()) visit(graph);
  }
}

std::unordered_set<std::string> names_made_in(const pb::GraphProto& graph) {
  std::unordered_set<std::string> made;
  for (const auto& input : graph.input()) made.insert(input.name());
  for (const auto& tensor : graph.initializer()) made.insert(tensor.name());
  for (const auto& tensor : graph.sparse_initializer()) made.insert(tensor.values().name());
  for (const auto& node : graph.node()) made.insert(node.output().begin(), node.output().end());
  return made;
}

// Names in the order in which they come, each once.
class NameList {
 public:
  void add(const std::string& name) {
    if (!name.empty() && seen_.insert(name).second) names_.push_back(name);
  }
  std::vector<std::string> take() { return std::move(names_); }

 private:
  std::unordered_set<std::string> seen_;
  std::vector<std::string> names_;
};

std::vector<std::string> reads_around(const pb::GraphProto& graph) {
  const std::unordered_set<std::string> made = names_made_in(graph);
  NameList reads;
  const auto read = [&](const std::string& name) {
    if (!made.contains(name)) reads.add(name);
  };
  for (const auto& node : graph.node()) {
    for (const std::string& input : node.input()) read(input);
    for (const std::string& name : outer_reads(node)) read(name);
  }
  for (const auto& output : graph.output()) read(output.name());
  return reads.take();
}

void rename_around(pb::GraphProto& graph, std::map<std::string, std::string> renames) {
  const std::unordered_set<std::string> made = names_made_in(graph);
  // A name that the subgraph makes itself is another value.
  std::erase_if(renames, [&](const auto& rename) { return made.contains(rename.first); });
  for (const auto& [from, to] : renames) {
    if (made.contains(to)) {
      fail(ErrorCode::Unsupported, "subgraph " + show_name(graph.name()),
           "can't read {} under its new name {}, which the subgraph makes itself", show_name(from), show_name(to));
    }
  }
  const auto rename = [&](std::string& name) {
    const auto found = renames.find(name);
    if (found != renames.end()) name = found->second;
  };
  for (auto& node : *graph.mutable_node()) {
    for (std::string& input : *node.mutable_input()) rename(input);
    rename_outer_reads(node, renames);
  }
  for (auto& output : *graph.mutable_output()) rename(*output.mutable_name());
}

}  // namespace

std::vector<std::string> outer_reads(const pb::NodeProto& node) {
  NameList reads;
  for_each_subgraph(node, [&](const pb::GraphProto& graph) {
    for (const std::string& name : reads_around(graph)) reads.add(name);
  });
  return reads.take();
}

void rename_outer_reads(pb::NodeProto& node, const std::map<std::string, std::string>& renames) {
  for_each_subgraph(node, [&](pb::GraphProto& graph) { rename_around(graph, renames); });
}

}  // namespace halftone::onnx
