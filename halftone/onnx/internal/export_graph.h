// Graph to ModelProto.
#pragma once

#include <optional>
#include <vector>

#include "halftone/graph/graph.h"
#include "halftone/onnx/internal/proto.h"

namespace halftone::onnx {

// An initializer whose content is still only in the tensor; `proto` says everything else.
struct InitializerParts {
  pb::TensorProto proto;
  Tensor tensor;
  std::optional<size_t> external_offset;  // where the content stands in the file beside the model
};

struct ModelParts {
  pb::ModelProto model;  // without initializers
  std::vector<InitializerParts> initializers;
};

// The model's messages; big tensors are shared, not copied.
ModelParts put_graph(const Graph& graph);

}  // namespace halftone::onnx
