#include <google/protobuf/io/zero_copy_stream_impl.h>

#include <fstream>

#include "halftone/onnx/internal/external_data.h"
#include "halftone/onnx/internal/import_graph.h"
#include "halftone/onnx/internal/tensor_proto.h"
#include "halftone/onnx/onnx.h"

namespace halftone::onnx {
namespace {

namespace fs = std::filesystem;

// Small enough to cost nothing, large enough that weights arrive in few reads.
constexpr int kReadBlock = 256 * 1024;

void check_size(uint64_t size) {
  if (size == 0) fail(ErrorCode::InvalidModel, "file", "must hold an ONNX message, found no bytes");
  if (size > kMaxMessageBytes) {
    fail(ErrorCode::InvalidModel, "file",
         "an ONNX message must be at most 2 GiB, found {} bytes; larger models keep "
         "their weights in external data",
         size);
  }
}

void check_parsed(bool parsed) {
  if (!parsed)
    fail(ErrorCode::InvalidModel, "file",
         "must be an ONNX message, but it is cut short, damaged or another kind of file");
}

// Straight from the file into the message, so that the file's bytes are never all in memory beside it.
template <typename Message>
void parse_file(const fs::path& path, Message& message) {
  std::error_code error;
  // Before opening: a named pipe would wait for its writer.
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status))
    fail(ErrorCode::Io, "file", "can't be opened: {}", error ? error.message() : "it does not exist");
  if (!fs::is_regular_file(status)) fail(ErrorCode::Io, "file", "a file is required, found a folder or device");
  check_size(fs::file_size(path));
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(ErrorCode::Io, "file", "can't be opened: {}", std::generic_category().message(errno));
  google::protobuf::io::IstreamInputStream stream(&file, kReadBlock);
  check_parsed(message.ParseFromZeroCopyStream(&stream));
}

// Runs `f`; an Error says which file it is about.
template <typename F>
auto naming(const fs::path& path, const F& f) {
  try {
    return f();
  } catch (const Error& error) {
    throw Error(error.code(), path.string(), error.what());
  }
}

}  // namespace

Graph import_model(const fs::path& path) {
  return naming(path, [&] {
    pb::ModelProto model;
    parse_file(path, model);
    ExternalData external(path.has_parent_path() ? path.parent_path() : fs::path("."));
    return take_graph(model, external);
  });
}

Graph import_model(std::span<const std::byte> bytes, const fs::path& folder) {
  pb::ModelProto model;
  check_size(bytes.size());
  check_parsed(model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  ExternalData external(folder);
  return take_graph(model, external);
}

Tensor import_tensor(const fs::path& path) {
  return naming(path, [&] {
    pb::TensorProto proto;
    parse_file(path, proto);
    ExternalData external(path.has_parent_path() ? path.parent_path() : fs::path("."));
    return take_tensor(proto, external, "tensor");
  });
}

}  // namespace halftone::onnx
