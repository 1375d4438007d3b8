// Tensor content into the file beside the model.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "halftone/base/file.h"
#include "halftone/onnx/internal/export_graph.h"

namespace halftone::onnx {

// Decides which initializers of `parts` go to the file `location` and says so in their messages: raw content of at
// least 1 KiB, at offsets that are multiples of 4096 so that it can be mapped.
void place_external_data(ModelParts& parts, const std::string& location);

// Writes the placed initializers, whole or not at all. Runs of zeros take no space, and nothing is gathered in memory.
// Errors: Error{Io}.
class ExternalWriter {
 public:
  explicit ExternalWriter(std::filesystem::path target) : file_(std::move(target)) {}
  void write(const ModelParts& parts);
  void commit() { file_.commit(); }

 private:
  void write_at(size_t offset, std::span<const std::byte> bytes);

  AtomicFile file_;
  size_t written_ = 0;  // where the file's last written byte ends
};

}  // namespace halftone::onnx
