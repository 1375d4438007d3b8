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
// How much of a mapped source may be in memory at once.
constexpr size_t kResident = size_t{16} << 20;

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
  size_t end = 0;
  for (const InitializerParts& part : parts.initializers) {
    if (!part.external_offset) continue;
    write_at(*part.external_offset, part.tensor.bytes());
    end = *part.external_offset + part.tensor.bytes().size();
  }
  // A file that ends in skipped zeros gets its length from its last byte.
  if (written_ < end) {
    file_.seek(end - 1);
    file_.write(std::string_view("\0", 1));
  }
}

void ExternalWriter::write_at(size_t offset, std::span<const std::byte> bytes) {
  size_t forgotten = 0;
  for (size_t at = 0; at < bytes.size();) {
    const auto stored = skip_hole(bytes.subspan(at));
    const auto piece = stored.first(std::min(kPiece, stored.size()));
    at = bytes.size() - stored.size();
    if (!piece.empty() && !all_zero(piece)) {
      if (offset + at != written_) file_.seek(offset + at);
      file_.write(piece.data(), piece.size());
      written_ = offset + at + piece.size();
    }
    at += piece.size();
    if (at - forgotten >= kResident || at == bytes.size()) {
      forget_pages(bytes.subspan(forgotten, at - forgotten));
      forgotten = at;
    }
  }
}

}  // namespace halftone::onnx
