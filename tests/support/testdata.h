// Where the suites find test data that lies outside the repository.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

namespace halftone::test {

// ONNX's backend node tests, from Debian's libonnx-testdata; one folder per test.
inline std::filesystem::path onnx_node_tests() { return "/usr/share/libonnx-testdata/data/node"; }

// All of ONNX's test models: node tests, and those that PyTorch's exporter is tested with.
inline std::filesystem::path onnx_test_models() { return "/usr/share/libonnx-testdata/data"; }

// The folder of shared models and images: HALFTONE_SHARED, else ../shared beside the repository. May not exist.
inline std::filesystem::path shared_folder() {
  const char* folder = std::getenv("HALFTONE_SHARED");
  return folder != nullptr ? std::filesystem::path(folder) : std::filesystem::path("../shared");
}

// Every .onnx file below `folder`, sorted; none when the folder does not exist.
inline std::vector<std::filesystem::path> models_below(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> models;
  if (!std::filesystem::is_directory(folder)) return models;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".onnx") models.push_back(entry.path());
  }
  std::sort(models.begin(), models.end());
  return models;
}

}  // namespace halftone::test
