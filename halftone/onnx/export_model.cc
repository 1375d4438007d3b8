#include <algorithm>
#include <optional>

#include "halftone/base/file.h"
#include "halftone/onnx/internal/export_graph.h"
#include "halftone/onnx/internal/external_writer.h"
#include "halftone/onnx/internal/model_writer.h"
#include "halftone/onnx/onnx.h"

namespace halftone::onnx {
namespace {

size_t approximate_size(const ModelParts& parts) {
  size_t size = parts.model.ByteSizeLong();
  for (const InitializerParts& part : parts.initializers) {
    size += part.proto.ByteSizeLong() + part.tensor.bytes().size();
  }
  return size;
}

}  // namespace

void export_model(const Graph& graph, const std::filesystem::path& path, const ExportOptions& options) {
  ModelParts parts = put_graph(graph);
  std::optional<ExternalWriter> external;
  if (approximate_size(parts) > std::min(options.external_data_threshold_bytes, kMaxMessageBytes)) {
    std::filesystem::path data_path = path;
    data_path += ".data";
    place_external_data(parts, data_path.filename().string());
    external.emplace(data_path);
    external->write(parts);
  }
  const ModelWriter writer(std::move(parts));
  AtomicFile file(path);
  writer.write([&](std::string_view bytes) { file.write(bytes); });
  // The model last: it must not refer to data that isn't there.
  if (external) external->commit();
  file.commit();
}

std::string serialize_model(const Graph& graph) {
  const ModelWriter writer(put_graph(graph));
  std::string bytes;
  bytes.reserve(writer.size());
  writer.write([&](std::string_view part) { bytes.append(part); });
  return bytes;
}

}  // namespace halftone::onnx
