#include "halftone/runtime/load_model.h"

#include "halftone/graph/op_table.h"
#include "halftone/onnx/onnx.h"
#include "halftone/runtime/compiled.h"
#include "halftone/transform/fold_qdq.h"

namespace halftone {
namespace {

// Constants that are larger than the message itself must lie beside it.
int64_t stored_bytes(const Graph& graph, int64_t message) {
  int64_t constants = 0;
  for (ValueId id : graph.live_values()) {
    const auto& constant = graph.value(id).constant;
    if (constant) constants += static_cast<int64_t>(constant->bytes().size());
  }
  return constants > message ? message + constants : message;
}

LoadedModel make_model(const std::filesystem::path& path, Graph graph, int64_t message) {
  verify(graph);
  infer_shapes(graph);
  const int64_t size = stored_bytes(graph, message);
  return {path, fold_qdq(std::move(graph)), size};
}

}  // namespace

LoadedModel load_model(const std::filesystem::path& path) {
  if (runtime::is_compiled(path)) {
    fail(
        ErrorCode::Unsupported, path.string(),
        "a model is required, found a compiled program; sessions run those, but their networks can't be read any more");
  }
  Graph graph = onnx::import_model(path);
  std::error_code none;
  return make_model(path, std::move(graph), static_cast<int64_t>(std::filesystem::file_size(path, none)));
}

LoadedModel load_model(std::span<const std::byte> bytes, const std::filesystem::path& folder) {
  return make_model({}, onnx::import_model(bytes, folder), static_cast<int64_t>(bytes.size()));
}

}  // namespace halftone
