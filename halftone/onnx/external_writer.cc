#include "halftone/onnx/internal/external_writer.h"

#include <algorithm>
#include <cstring>

#include "halftone/onnx/internal/tensor_proto.h"

namespace halftone::onnx {
namespace {

// A page, which is what mmap aligns to; ONNX's ExternalData.md recommends the same.
constexpr size_t kAlignment = 4096;
// Below this a reference costs about as much as the content. Also the default of ONNX's own tools.
constexpr size_t kMinBytes = 1024;
// Zeros are looked for in pieces of this size; a multiple of every common file system's block.
constexpr size_t kPiece = 64 * 1024;

bool all_zero(std::span<const std::byte> bytes) {
  return bytes.front() == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

void add_entry(pb::TensorProto& proto, const char* key, std::string value) {
  auto& entry = *proto.add_external_data();
  entry.set_key(key);
  entry.set_value(std::move(value));
}

}  // namespace

void place_external_data(ModelParts& parts, const std::string& location) {
  size_t end = 0;
  for (InitializerParts& part : parts.initializers) {
    const size_t size = part.tensor.bytes().size();
    if (size < kMinBytes || !has_raw_content(part.tensor, part.proto)) continue;
    const size_t offset = (end + kAlignment - 1) / kAlignment * kAlignment;
    end = offset + size;
    part.external_offset = offset;
    part.proto.set_data_location(pb::TensorProto::EXTERNAL);
    part.proto.clear_external_data();
    add_entry(part.proto, "location", location);
    add_entry(part.proto, "offset", std::to_string(offset));
    add_entry(part.proto, "length", std::to_string(size));
  }
}

void ExternalWriter::write(const ModelParts& parts) {
  size_t written_end = 0;
  size_t end = 0;
  for (const InitializerParts& part : parts.initializers) {
    if (!part.external_offset) continue;
    const std::span<const std::byte> bytes = part.tensor.bytes();
    for (size_t at = 0; at < bytes.size(); at += kPiece) {
      const auto piece = bytes.subspan(at, std::min(kPiece, bytes.size() - at));
      if (all_zero(piece)) continue;
      const size_t offset = *part.external_offset + at;
      if (offset != written_end) file_.seek(offset);
      file_.write(piece.data(), piece.size());
      written_end = offset + piece.size();
    }
    end = *part.external_offset + bytes.size();
  }
  // A file that ends in skipped zeros gets its length from its last byte.
  if (written_end < end) {
    file_.seek(end - 1);
    file_.write(std::string_view("\0", 1));
  }
}

}  // namespace halftone::onnx
