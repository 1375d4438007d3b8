#include "halftone/search/work_name.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace halftone::search {
namespace {

struct AttributeText {
  std::string operator()(int64_t value) const { return fmt::format("{}", value); }
  std::string operator()(float value) const { return fmt::format("{}", value); }
  std::string operator()(const std::string& value) const { return value; }
  template <typename T>
  std::string operator()(const std::vector<T>& values) const {
    return fmt::format("{}", fmt::join(values, " "));
  }
  // Constants have no influence on speed but by their shape.
  std::string operator()(const Tensor& value) const { return fmt::format("{}", fmt::join(value.shape(), "x")); }
  std::string operator()(const OpaqueAttribute&) const { return "..."; }
};

std::string shape_text(const Graph& graph, ValueId id) {
  if (id == ValueId::None) return "-";
  const std::optional<Shape> shape = graph.value(id).type.fixed_shape();
  return shape ? fmt::format("{}", fmt::join(*shape, "x")) : "?";
}

}  // namespace

std::string work_name(const Graph& graph, const Node& node) {
  std::vector<std::string> attributes, inputs, outputs;
  for (const Attribute& attribute : node.attributes) {
    attributes.push_back(attribute.name + "=" + std::visit(AttributeText(), attribute.value));
  }
  std::sort(attributes.begin(), attributes.end());
  for (ValueId id : node.inputs) inputs.push_back(shape_text(graph, id));
  for (ValueId id : node.outputs) outputs.push_back(shape_text(graph, id));
  return fmt::format("{}({}) {} -> {}", node.op_type, fmt::join(attributes, ","), fmt::join(inputs, " "),
                     fmt::join(outputs, " "));
}

}  // namespace halftone::search
