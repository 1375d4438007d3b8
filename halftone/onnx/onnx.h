// The room `onnx`: ONNX files to Graphs and back. The only room that sees protobuf. It sees graph.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "halftone/graph/graph.h"

namespace halftone::onnx {

// Reads a model. Weights in external files are memory-mapped and not read; the others share the message's storage.
// Every opset is read (the op table describes 7 and later); nodes, types, functions and fields that Halftone does not
// understand are carried. The graph is checked for structure (names, order, cycles) but not verified against the op
// table: see verify. Errors: Error{Io} when the file can't be read; Error{InvalidModel} with the place for anything
// damaged.
Graph import_model(const std::filesystem::path& path);

// The same from memory. External data is looked for in `folder`; with an empty folder it is refused.
Graph import_model(std::span<const std::byte> bytes, const std::filesystem::path& folder = {});

struct ExportOptions {
  // Initializers go to a file beside the model ("NAME.data", or "NAME.data.1" ... while another model's data are there)
  // when the message would otherwise exceed this; protobuf's own limit is 2 GiB.
  size_t external_data_threshold_bytes = size_t{1} << 30;
};

// Writes a model, whole or not at all. export(import(m)) is the same message as m, apart from the canonicalizations
// listed in docs/onnx.md. Errors: Error{Io}.
void export_model(const Graph& graph, const std::filesystem::path& path, const ExportOptions& options = {});

// The serialized ModelProto, with every initializer inside. Errors: Error{Unsupported} beyond 2 GiB.
std::string serialize_model(const Graph& graph);

// A TensorProto file (.pb), as ONNX's test data has them.
Tensor import_tensor(const std::filesystem::path& path);

}  // namespace halftone::onnx
