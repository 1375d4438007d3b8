// A training in the middle: all that it takes to go on as if it had not stopped.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "halftone/tensor/tensor.h"

namespace halftone::train {

struct Checkpoint {
  // What the run is of (network, data, recipe), by what it is called; to be the same when it goes on.
  std::map<std::string, std::string> of;
  std::map<std::string, double> numbers;
  std::map<std::string, Tensor> tensors;
};

// Whole or not at all, so that the one before survives a full disk. Errors: Error{Io}.
void save(const Checkpoint& checkpoint, const std::filesystem::path& path);

// Errors: Error{Io} where there is none; Error{InvalidModel} for a damaged one.
Checkpoint load_checkpoint(const std::filesystem::path& path);

// Errors: Error{InvalidArgument} naming the first thing that differs, what it was and what it is.
void require_same(const std::map<std::string, std::string>& then, const std::map<std::string, std::string>& now,
                  const std::filesystem::path& path);

}  // namespace halftone::train
