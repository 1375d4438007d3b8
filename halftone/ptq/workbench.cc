#include "halftone/ptq/workbench.h"

#include "halftone/base/error.h"

namespace halftone::ptq {

Samples& Workbench::required_samples(std::string_view step) const {
  if (samples == nullptr) {
    fail(ErrorCode::InvalidArgument, fmt::format("step '{}'", step),
         "it looks at calibration samples, found none; give some, or leave the step out");
  }
  return *samples;
}

Graph with_rounded_weights(const QuantizedModel& model) {
  Graph graph = model.graph;
  for (const auto& [name, encoding] : model.encodings) {
    const ValueId id = graph.find(name);
    if (id == ValueId::None || !graph.value(id).constant) continue;
    graph.value(id).constant = fake_quantize(*graph.value(id).constant, encoding.params);
  }
  return graph;
}

}  // namespace halftone::ptq
