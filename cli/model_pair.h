// Two models that are held against each other.
#pragma once

#include <string>

#include "halftone/runtime/load_model.h"

namespace halftone::cli {

// A float model and what was made of it, or any two of one network.
struct LoadedPair {
  LoadedModel reference, model;
};

// Errors: as load_model, and Error{InvalidModel} where they can't be two states of one network: one has no output,
// their inputs or first outputs differ, or no layer of one is called as a layer of the other.
LoadedPair load_pair(const std::string& reference, const std::string& model);

}  // namespace halftone::cli
