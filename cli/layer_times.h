// The table of `benchmark --per-layer`.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "halftone/eval/profile.h"
#include "halftone/kernels/peak/peak.h"

namespace halftone::cli {

// Holds a profile against what this processor can do, which is measured here, in a tenth of a second or two.
class LayerTimes {
 public:
  explicit LayerTimes(eval::Profile profile);

  std::string to_string() const;
  // Adds "layers" and "peaks".
  void add_to(nlohmann::ordered_json& json) const;

 private:
  const NodeNote* note_of(const eval::StepTime& step) const;
  const kernels::Peak& peak_of(const eval::StepTime& step) const;

  eval::Profile profile_;
  kernels::Peak int8_, float_;
  double memory_ = 0;  // GB/s
  double sum_ = 0;     // microseconds
};

}  // namespace halftone::cli
