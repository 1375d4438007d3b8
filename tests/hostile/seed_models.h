// Small valid models, to be damaged.
#pragma once

#include <string>
#include <vector>

namespace halftone::test {

struct SeedModel {
  std::string name;
  std::string bytes;
};

// Models that together use everything the importer reads: a classifier, Q/DQ nodes with int8 and int4 weights, external
// data (in the file "weights" of the model's folder, kExternalBytes long), subgraphs, functions, sparse initializers,
// every attribute type and typed field; and a dozen of ONNX's node tests where they are installed.
std::vector<SeedModel> seed_models();

inline constexpr size_t kExternalBytes = 8192;

}  // namespace halftone::test
