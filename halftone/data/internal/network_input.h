// From a sample to what the network's inputs take. Internal to the room.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "halftone/data/dataset.h"
#include "halftone/data/loader.h"
#include "halftone/data/preprocess.h"

namespace halftone::data {

struct PreparedSample {
  std::string id;
  std::optional<int64_t> label;  // in the model's numbering
  TensorMap inputs;              // by input name, dimension 0 being 1
};

class NetworkInput {
 public:
  NetworkInput(std::optional<Preprocess> recipe, std::vector<InputPort> ports)
      : recipe_(std::move(recipe)), ports_(std::move(ports)) {}

  // Images go through the recipe to the only input; tensors go to the input of their name (an unnamed one to the only
  // input), numbers of another type becoming floats where floats are wanted. Errors: Error{InvalidArgument} for images
  // without a recipe or with several inputs; Error{InvalidData} naming the sample for what does not fit. Thread-safe.
  PreparedSample prepare(Sample sample) const;

 private:
  const InputPort& only_port(const std::string& id, const char* what) const;

  std::optional<Preprocess> recipe_;
  std::vector<InputPort> ports_;
};

}  // namespace halftone::data
