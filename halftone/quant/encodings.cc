#include "halftone/quant/encodings.h"

namespace halftone {

const Encoding* find_encoding(const QuantizedModel& model, ValueId id) {
  if (id == ValueId::None) return nullptr;
  const auto found = model.encodings.find(model.graph.value(id).name);
  return found == model.encodings.end() ? nullptr : &found->second;
}

std::optional<DynamicRange> find_dynamic(const QuantizedModel& model, const Node& node) {
  if (model.dynamic.empty() || node.output(0) == ValueId::None) return std::nullopt;
  const auto found = model.dynamic.find(model.graph.value(node.output(0)).name);
  return found == model.dynamic.end() ? std::nullopt : std::optional(found->second);
}

std::set<std::string, std::less<>> names_in_use(const QuantizedModel& model) {
  std::set<std::string, std::less<>> names;
  for (const auto& [name, encoding] : model.encodings) names.insert(name);
  for (const auto& [name, range] : model.dynamic) names.insert(name);
  return names;
}

}  // namespace halftone
