#include "halftone/onnx/internal/external_data.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace halftone::onnx {
namespace {

namespace fs = std::filesystem;

// TensorProto.external_data, see ONNX's ExternalData.md. `checksum` and keys of the future are not needed to read.
struct Reference {
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};

uint64_t parse_number(const pb::StringStringEntryProto& entry, std::string_view where) {
  const std::string& text = entry.value();
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    fail(ErrorCode::InvalidModel, where, "external data's {} must be a number of bytes, found {}", entry.key(),
         show_name(text));
  }
  return number;
}

Reference parse_reference(const pb::TensorProto& proto, std::string_view where) {
  Reference reference;
  for (const auto& entry : proto.external_data()) {
    if (entry.key() == "location") reference.location = entry.value();
    if (entry.key() == "offset") reference.offset = parse_number(entry, where);
    if (entry.key() == "length") reference.length = parse_number(entry, where);
  }
  if (reference.location.empty()) {
    fail(ErrorCode::InvalidModel, where, "external data must name its file (the key 'location'), found none");
  }
  return reference;
}

bool lies_in(const fs::path& file, const fs::path& folder) {
  return std::mismatch(folder.begin(), folder.end(), file.begin(), file.end()).first == folder.end();
}

}  // namespace

Tensor ExternalData::read(const pb::TensorProto& proto, DType dtype, Shape shape, std::string_view where) {
  if (dtype == DType::String) fail(ErrorCode::InvalidModel, where, "strings can't stand in external data");
  const Reference reference = parse_reference(proto, where);
  std::shared_ptr<const MappedFile> file = map(reference.location, where);
  const std::span<const std::byte> all = file->bytes();
  if (reference.offset > all.size()) {
    fail(ErrorCode::InvalidModel, where, "external data at offset {} must lie in its file, but {} has {} bytes",
         reference.offset, show_name(reference.location), all.size());
  }
  const uint64_t available = all.size() - reference.offset;
  const bool known_size = bits_of(dtype) > 0;
  const uint64_t needed = known_size ? bytes_for(dtype, element_count(shape)) : reference.length.value_or(available);
  if (reference.length.value_or(needed) != needed) {
    fail(ErrorCode::InvalidModel, where, "{} of shape {} requires {} bytes, but its external data has length {}",
         name_of(dtype), to_string(shape), needed, *reference.length);
  }
  if (needed > available) {
    fail(ErrorCode::InvalidModel, where, "{} bytes of external data at offset {} must lie in its file, but {} has {}",
         needed, reference.offset, show_name(reference.location), all.size());
  }
  return Tensor::view(dtype, std::move(shape), all.subspan(reference.offset, needed), std::move(file));
}

std::shared_ptr<const MappedFile> ExternalData::map(const std::string& location, std::string_view where) {
  const fs::path relative(location);
  const bool climbs = std::any_of(relative.begin(), relative.end(), [](const fs::path& part) { return part == ".."; });
  if (relative.is_absolute() || climbs || location.find('\0') != std::string::npos) {
    fail(ErrorCode::InvalidModel, where, "external data must lie in the model's folder, found the path {}",
         show_name(location));
  }
  if (folder_.empty()) {
    fail(ErrorCode::InvalidModel, where,
         "external data stands in {}, but the model was read from memory and has no folder; import it from its file",
         show_name(location));
  }
  std::error_code error;
  const fs::path folder = fs::canonical(folder_, error);
  if (error) fail(ErrorCode::Io, folder_.string(), "can't look into the model's folder: {}", error.message());
  const fs::path path = fs::weakly_canonical(folder / relative, error);
  if (error || !lies_in(path, folder)) {
    fail(ErrorCode::InvalidModel, where, "external data must lie in the model's folder, but {} leads out of it",
         show_name(location));
  }
  const auto known = files_.find(path);
  if (known != files_.end()) return known->second;
  // Before opening: a named pipe would wait for its writer.
  if (!fs::is_regular_file(path, error)) {
    fail(ErrorCode::Io, path.string(), "the external data of {} must be a file, found {}", where,
         fs::exists(path, error) ? "something else" : "nothing");
  }
  return files_.emplace(path, MappedFile::open(path)).first->second;
}

}  // namespace halftone::onnx
