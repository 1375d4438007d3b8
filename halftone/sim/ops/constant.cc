#include "halftone/sim/ops.h"
#include "halftone/sim/ops/element_writer.h"
#include "halftone/sim/ops/parameters.h"

namespace halftone::sim::ops {

std::vector<Tensor> constant(const OpCall& call) {
  const Node& node = call.node;
  if (const Tensor* value = node.tensor_or_null("value")) return {*value};
  if (node.find_attribute("value_float")) return {Tensor::scalar(node.float_or("value_float", 0))};
  if (node.find_attribute("value_int")) return {Tensor::scalar(node.int_or("value_int", 0))};
  if (node.find_attribute("value_string")) return {Tensor::from_strings({}, {node.string_or("value_string", "")})};
  if (node.find_attribute("value_floats")) {
    const std::vector<float> values = node.floats_or("value_floats", {});
    return {Tensor::from({static_cast<int64_t>(values.size())}, values)};
  }
  if (node.find_attribute("value_ints")) {
    const std::vector<int64_t> values = node.ints_or("value_ints", {});
    return {Tensor::from({static_cast<int64_t>(values.size())}, values)};
  }
  if (const Attribute* attribute = node.find_attribute("value_strings")) {
    const auto* values = std::get_if<std::vector<std::string>>(&attribute->value);
    if (values == nullptr) call.refuse("attribute 'value_strings' must be a list of strings");
    return {Tensor::from_strings({static_cast<int64_t>(values->size())}, *values)};
  }
  if (node.find_attribute("sparse_value")) {
    fail(ErrorCode::Unsupported, describe(call.graph, node), "sparse constants are carried, but not computed");
  }
  call.refuse("an attribute value, value_float(s), value_int(s) or value_string(s) is required");
}

std::vector<Tensor> constant_of_shape(const OpCall& call) {
  const Tensor zero = Tensor::scalar(0.0f);
  const Tensor* value = call.node.tensor_or_null("value");
  if (value == nullptr) value = &zero;
  if (value->size() != 1) call.refuse("attribute 'value' must hold one element, found {}", value->size());
  ElementWriter writer(value->dtype(), integers(call, 0));
  writer.fill(*value);
  return {std::move(writer).finish()};
}

}  // namespace halftone::sim::ops
