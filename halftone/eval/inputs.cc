#include "halftone/eval/inputs.h"

namespace halftone::eval {

std::vector<data::InputPort> input_ports(const Graph& graph) {
  std::vector<data::InputPort> ports;
  for (ValueId id : graph.required_inputs()) {
    const Value& value = graph.value(id);
    data::InputPort port{value.name, value.type.dtype, {}};
    if (value.type.ranked()) {
      for (const Dim& dim : *value.type.shape) port.shape.push_back(dim.value);
    }
    ports.push_back(std::move(port));
  }
  return ports;
}

}  // namespace halftone::eval
