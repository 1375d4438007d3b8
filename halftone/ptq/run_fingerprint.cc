#include "halftone/ptq/run_fingerprint.h"

#include "halftone/ptq/rounding/journal.h"

namespace halftone::ptq {

uint64_t fingerprint_of(const Workbench& bench, const std::vector<data::Batch>& batches, std::string_view options) {
  Fingerprint fingerprint;
  for (const Graph* graph : {&bench.reference, &bench.model.graph}) {
    for (ValueId id : graph->live_values()) {
      const Value& value = graph->value(id);
      fingerprint.add(value.name);
      if (value.constant) fingerprint.add(value.constant->bytes());
    }
    for (const Node& node : graph->nodes()) {
      fingerprint.add(node.op_type);
      fingerprint.add_numbers(std::span<const ValueId>(node.inputs));
    }
  }
  for (const auto& [name, encoding] : bench.model.encodings) {
    const QuantParams& params = encoding.params;
    fingerprint.add(name);
    fingerprint.add_numbers(std::span<const float>(params.scale));
    fingerprint.add_numbers(std::span<const int32_t>(params.zero_point));
    fingerprint.add_numbers(std::span<const int8_t>(params.channel_bits));
    fingerprint.add(fmt::format("{} {} {} {}", params.q_min, params.q_max, params.axis, params.block_size));
  }
  for (const data::Batch& batch : batches) {
    for (const auto& [name, tensor] : batch.inputs) {
      fingerprint.add(name);
      fingerprint.add(tensor.bytes());
    }
  }
  fingerprint.add(options);
  return fingerprint.value();
}

}  // namespace halftone::ptq
