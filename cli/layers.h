// What stands in a row per layer, for `inspect` and `quantize`.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "halftone/quant/encodings.h"

namespace halftone::cli {

struct Layer {
  std::string name, op;
  std::string output;  // shape of the first output, unknown dimensions counted as 1
  int64_t parameters = 0;
  std::optional<int64_t> macs;
  std::string weights, activations;  // "int8", "uint8", "float"; "" where there are none
  std::string reason;                // why it stays float; empty for what is quantized
};

// One per node. Reasons come from the model's float_reasons.
std::vector<Layer> layers_of(const QuantizedModel& model);

std::string layer_table(const std::vector<Layer>& layers);
nlohmann::ordered_json layers_json(const std::vector<Layer>& layers);

}  // namespace halftone::cli
