// Telling runs of steps apart.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "halftone/ptq/workbench.h"

namespace halftone::ptq {

// Of all that a model step's results depend on: both networks, grids, samples, and its options. See Fingerprint.
uint64_t fingerprint_of(const Workbench& bench, const std::vector<data::Batch>& batches, std::string_view options);

}  // namespace halftone::ptq
