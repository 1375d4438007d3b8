// Tensor content that stands in files beside the model.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string_view>

#include "halftone/base/file.h"
#include "halftone/onnx/internal/proto.h"
#include "halftone/tensor/tensor.h"

namespace halftone::onnx {

// The files that the tensors of one model refer to. Each is mapped once, and pages are read only when touched.
class ExternalData {
 public:
  // `folder`: the model's; empty when the model has none, so that every reference is refused.
  explicit ExternalData(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // The content that `proto` refers to, sharing the mapping. The file must lie in the model's folder, also once
  // symbolic links are followed, and hold the bytes asked for. Errors: Error{InvalidModel} at `where`, Error{Io}.
  Tensor read(const pb::TensorProto& proto, DType dtype, Shape shape, std::string_view where);

 private:
  std::shared_ptr<const MappedFile> map(const std::string& location, std::string_view where);

  std::filesystem::path folder_;
  std::map<std::filesystem::path, std::shared_ptr<const MappedFile>> files_;
};

}  // namespace halftone::onnx
