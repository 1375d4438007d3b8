#include "halftone/ptq/staged_run.h"

#include <algorithm>
#include <optional>
#include <set>

#include "halftone/base/error.h"
#include "halftone/graph/op_table.h"
#include "halftone/runtime/session.h"

namespace halftone::ptq {
StagedRun::StagedRun(const Graph& graph, std::vector<data::Batch> batches, ThreadTeam& team, int64_t kept_bytes)
    : graph_(graph), batches_(std::move(batches)), team_(team), kept_bytes_(kept_bytes), typed_(graph) {
  HT_CHECK(!batches_.empty(), "no samples to run");
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : batches_.front().inputs) shapes[name] = tensor.shape();
  infer_shapes(typed_, shapes);
  for (const data::Batch& batch : batches_) store_.push_back(batch.inputs);
}

// The nodes that lead from some values to others as a network of their own, whose inputs are those of `from` that it
// needs.
Graph StagedRun::part_of(const std::vector<std::string>& from, const std::vector<ValueId>& to) const {
  const GraphIndex index(graph_);
  std::set<ValueId> known, read;
  for (const std::string& name : from) known.insert(graph_.find(name));
  std::set<int> needed;
  std::vector<ValueId> open = to;
  while (!open.empty()) {
    const ValueId id = open.back();
    open.pop_back();
    if (id == ValueId::None || !read.insert(id).second || known.contains(id)) continue;
    const int producer = index.producer(id);
    if (producer < 0 || !needed.insert(producer).second) continue;
    const Node& node = graph_.nodes()[static_cast<size_t>(producer)];
    open.insert(open.end(), node.inputs.begin(), node.inputs.end());
    open.insert(open.end(), node.captures.begin(), node.captures.end());
  }
  Graph part = graph_;
  part.nodes().clear();
  for (int position : needed) part.nodes().push_back(graph_.nodes()[static_cast<size_t>(position)]);
  part.inputs().clear();
  part.outputs() = to;
  for (ValueId id : graph_.live_values()) {
    Value& value = part.value(id);
    if (value.constant) continue;
    // Declarations speak of the whole network's inputs; the last batch may be smaller than the first one.
    value.declared = known.contains(id);
    value.type = known.contains(id) ? typed_.value(id).type : TensorType{};
    if (!known.contains(id) || !read.contains(id)) continue;
    if (value.type.ranked() && value.type.rank() > 0 && batches_.size() > 1) value.type.shape->front() = Dim("N");
    part.inputs().push_back(id);
  }
  part.remove_dead();
  return part;
}

void StagedRun::compute(const std::vector<std::string>& names, const Look& look) const {
  compute(names, batches_.size(), look);
}

void StagedRun::compute(const std::vector<std::string>& names, size_t batches, const Look& look) const {
  std::vector<std::string> stored, at_hand;
  for (const auto& [name, tensor] : store_.front()) {
    if (graph_.find(name) != ValueId::None) stored.push_back(name);
  }
  std::vector<ValueId> wanted;
  for (const std::string& name : names) {
    HT_CHECK(graph_.find(name) != ValueId::None, "value '{}' is not in the graph", name);
    if (store_.front().contains(name)) {
      at_hand.push_back(name);
    } else {
      wanted.push_back(graph_.find(name));
    }
  }
  std::optional<Session> session;
  if (!wanted.empty()) session.emplace(part_of(stored, wanted));
  team_.run(static_cast<int64_t>(batches), [&](int64_t i) {
    const auto batch = static_cast<size_t>(i);
    const TensorMap& known = store_[batch];
    TensorMap values;
    if (session) {
      TensorMap feed;
      for (const Session::Port& port : session->inputs()) feed.emplace(port.name, known.at(port.name));
      values = session->run(feed);
    }
    for (const std::string& name : at_hand) values.emplace(name, known.at(name));
    look(batch, values);
  });
}

Graph StagedRun::network_behind(int node) const { return part_of(values_behind(node), graph_.outputs()); }

std::vector<std::string> StagedRun::values_behind(int node) const {
  const GraphIndex index(graph_);
  const auto read_later = [&](ValueId id) {
    const auto& readers = index.consumers(id);
    return std::any_of(readers.begin(), readers.end(), [&](int reader) { return reader > node; });
  };
  std::vector<std::string> names;
  for (const auto& [name, tensor] : batches_.front().inputs) {
    const ValueId id = graph_.find(name);
    if (id != ValueId::None && read_later(id)) names.push_back(name);
  }
  for (int position = 0; position <= node; ++position) {
    for (ValueId id : graph_.nodes()[static_cast<size_t>(position)].outputs) {
      if (id != ValueId::None && read_later(id)) names.push_back(graph_.value(id).name);
    }
  }
  return names;
}

int64_t StagedRun::bytes_of(const std::vector<std::string>& names) const {
  int64_t bytes = 0;
  for (const std::string& name : names) {
    if (batches_.front().inputs.contains(name)) continue;  // kept anyway
    const TensorType& type = typed_.value(typed_.find(name)).type;
    const std::optional<Shape> shape = type.fixed_shape();
    if (!shape) return INT64_MAX;
    bytes += static_cast<int64_t>(bytes_for(type.dtype, element_count(*shape)));
  }
  return bytes;
}

void StagedRun::finish(int node) {
  if (node <= stored_) return;
  const std::vector<std::string> names = values_behind(node);
  const int64_t bytes = bytes_of(names);
  if (bytes > kept_bytes_ / static_cast<int64_t>(batches_.size())) return;
  std::vector<TensorMap>& store = store_;
  // One batch at a time gives up what it had: never more than both stages' values of the batches under way.
  compute(names, [&](size_t batch, const TensorMap& values) { store[batch] = values; });
  stored_ = node;
}

}  // namespace halftone::ptq
