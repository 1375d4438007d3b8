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

// NAME.data, or NAME.data.1 ... where an earlier export has left files.
std::filesystem::path data_path(const std::filesystem::path& model, int number) {
  std::filesystem::path path = model;
  path += number == 0 ? ".data" : fmt::format(".data.{}", number);
  return path;
}

bool is_taken(const std::filesystem::path& path) {
  std::error_code none;
  return std::filesystem::exists(std::filesystem::symlink_status(path, none));
}

}  // namespace

void export_model(const Graph& graph, const std::filesystem::path& path, const ExportOptions& options) {
  ModelParts parts = put_graph(graph);
  std::optional<ExternalWriter> external;
  int number = 0;
  if (approximate_size(parts) > std::min(options.external_data_threshold_bytes, kMaxMessageBytes)) {
    // A model that is there already keeps its data until the new one, which reads another file, has taken its place.
    while (is_taken(data_path(path, number))) ++number;
    const std::filesystem::path target = data_path(path, number);
    place_external_data(parts, target.filename().string());
    external.emplace(target);
    external->write(parts);
  }
  const ModelWriter writer(std::move(parts));
  AtomicFile file(path);
  writer.write([&](std::string_view bytes) { file.write(bytes); });
  if (!external) return file.commit();
  external->commit();
  file.commit();
  std::error_code left;
  while (--number >= 0) {
    const std::filesystem::path old = data_path(path, number);
    if (!std::filesystem::is_directory(old, left)) std::filesystem::remove(old, left);
  }
}

std::string serialize_model(const Graph& graph) {
  const ModelWriter writer(put_graph(graph));
  std::string bytes;
  bytes.reserve(writer.size());
  writer.write([&](std::string_view part) { bytes.append(part); });
  return bytes;
}

}  // namespace halftone::onnx
