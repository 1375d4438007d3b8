#include "halftone/onnx/internal/model_header.h"

#include <map>
#include <string>

namespace halftone::onnx {
namespace {

// "ai.onnx" is another spelling of ONNX's own domain.
const std::string& domain_of(const pb::OperatorSetIdProto& import) {
  static const std::string own;
  return import.domain() == "ai.onnx" ? own : import.domain();
}

void take_opset_imports(pb::ModelProto& model, Graph& graph) {
  graph.opset_imports.clear();
  for (auto& import : *model.mutable_opset_import()) {
    if (import.version() < 1) {
      fail(ErrorCode::InvalidModel, "opset_import",
           "an operator set must be imported with its version, found {} for domain {}", import.version(),
           show_name(import.domain()));
    }
    const auto [known, is_new] = graph.opset_imports.emplace(domain_of(import), import.version());
    if (known->second != import.version()) {
      fail(ErrorCode::InvalidModel, "opset_import", "domain {} must be imported once, found versions {} and {}",
           show_name(import.domain()), known->second, import.version());
    }
    import.clear_version();
  }
  if (graph.opset_imports.empty()) {
    fail(ErrorCode::InvalidModel, "opset_import", "a model must import an operator set, found none");
  }
}

struct OpsetEntry {
  static const std::string& key(const pb::OperatorSetIdProto& entry) { return domain_of(entry); }
  static void set_key(pb::OperatorSetIdProto& entry, const std::string& key) { entry.set_domain(key); }
  static void set_value(pb::OperatorSetIdProto& entry, int64_t version) { entry.set_version(version); }
};

struct MetadataEntry {
  static const std::string& key(const pb::StringStringEntryProto& entry) { return entry.key(); }
  static void set_key(pb::StringStringEntryProto& entry, const std::string& key) { entry.set_key(key); }
  static void set_value(pb::StringStringEntryProto& entry, const std::string& value) {
    if (!value.empty() || entry.has_value()) entry.set_value(value);
  }
};

// Writes the map over the kept entries, in their order, drops those that the map no longer has and appends the new.
template <typename Entry, typename Entries, typename Map>
void put_entries(const Map& map, Entries& entries) {
  Map remaining = map;
  int kept = 0;
  for (int i = 0; i < entries.size(); ++i) {
    const auto found = map.find(Entry::key(entries[i]));
    if (found == map.end()) continue;
    remaining.erase(found->first);
    Entry::set_value(entries[i], found->second);
    entries.SwapElements(kept++, i);
  }
  entries.DeleteSubrange(kept, entries.size() - kept);
  for (const auto& [key, value] : remaining) {
    auto& entry = *entries.Add();
    Entry::set_key(entry, key);
    Entry::set_value(entry, value);
  }
}

}  // namespace

void take_header(pb::ModelProto& model, Graph& graph) {
  if (!model.has_graph()) fail(ErrorCode::InvalidModel, "model", "must hold a graph, found none; is it an ONNX file?");
  if (model.ir_version() < 1) {
    fail(ErrorCode::InvalidModel, "model", "must state its ir_version, found {}", model.ir_version());
  }
  graph.ir_version = model.ir_version();
  model.clear_ir_version();
  take_opset_imports(model, graph);
  for (auto& entry : *model.mutable_metadata_props()) {
    if (!graph.metadata.emplace(entry.key(), entry.value()).second) {
      fail(ErrorCode::InvalidModel, "metadata_props", "each key must stand once, found {} twice",
           show_name(entry.key()));
    }
    if (!entry.value().empty()) entry.clear_value();
  }
}

void put_header(const Graph& graph, pb::ModelProto& model) {
  model.set_ir_version(graph.ir_version);
  put_entries<OpsetEntry>(graph.opset_imports, *model.mutable_opset_import());
  put_entries<MetadataEntry>(graph.metadata, *model.mutable_metadata_props());
}

}  // namespace halftone::onnx
