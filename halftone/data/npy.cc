#include "halftone/data/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/data/internal/bytes.h"
#include "halftone/data/internal/strided_copy.h"

namespace halftone::data {
namespace {

constexpr size_t kMostHeaderBytes = 64 * 1024;

struct Descriptor {
  std::string_view text;
  DType dtype;
};
constexpr std::array kDescriptors = {
    Descriptor{"<f4", DType::Float},  Descriptor{"<f8", DType::Double}, Descriptor{"<f2", DType::Float16},
    Descriptor{"|u1", DType::UInt8},  Descriptor{"|i1", DType::Int8},   Descriptor{"|b1", DType::Bool},
    Descriptor{"<i2", DType::Int16},  Descriptor{"<i4", DType::Int32},  Descriptor{"<i8", DType::Int64},
    Descriptor{"<u2", DType::UInt16}, Descriptor{"<u4", DType::UInt32}, Descriptor{"<u8", DType::UInt64},
};

uint32_t little_endian(Bytes bytes, size_t offset, size_t count) {
  uint32_t value = 0;
  for (size_t i = count; i > 0; --i) value = value << 8 | std::to_integer<uint32_t>(bytes[offset + i - 1]);
  return value;
}

// Reads the header's Python dictionary, e.g. {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }.
class DictionaryParser {
 public:
  DictionaryParser(std::string_view text, const std::string& where) : rest_(text), where_(where) {}

  NpyHeader parse() {
    NpyHeader header;
    bool has_descr = false, has_order = false, has_shape = false;
    expect("{");
    while (!accept("}")) {
      const std::string_view key = quoted();
      expect(":");
      if (key == "descr") {
        header.dtype = dtype();
        has_descr = true;
      } else if (key == "fortran_order") {
        header.fortran_order = boolean();
        has_order = true;
      } else if (key == "shape") {
        header.shape = shape();
        has_shape = true;
      } else {
        fail(ErrorCode::InvalidData, where_, "damaged npy header: unknown key '{}'", key.substr(0, 40));
      }
      if (!accept(",")) {
        expect("}");
        break;
      }
    }
    if (!has_descr || !has_order || !has_shape) {
      fail(ErrorCode::InvalidData, where_, "damaged npy header: descr, fortran_order and shape are required");
    }
    return header;
  }

 private:
  void skip_blanks() { rest_.remove_prefix(std::min(rest_.size(), rest_.find_first_not_of(" \t\r\n"))); }

  bool accept(std::string_view token) {
    skip_blanks();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  void expect(std::string_view token) {
    if (!accept(token)) {
      fail(ErrorCode::InvalidData, where_, "damaged npy header: '{}' is required, found '{}'", token,
           rest_.substr(0, 20));
    }
  }

  std::string_view quoted() {
    skip_blanks();
    const char quote = rest_.empty() ? '\0' : rest_.front();
    const size_t end = quote == '\'' || quote == '"' ? rest_.find(quote, 1) : std::string_view::npos;
    if (end == std::string_view::npos) {
      // A list here describes a structure of several fields.
      if (quote == '[') fail(ErrorCode::Unsupported, where_, "an array of numbers is required, found structures");
      fail(ErrorCode::InvalidData, where_, "damaged npy header: a quoted word is required, found '{}'",
           rest_.substr(0, 20));
    }
    const std::string_view word = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return word;
  }

  DType dtype() {
    const std::string_view text = quoted();
    const auto* found = std::ranges::find(kDescriptors, text, &Descriptor::text);
    if (found == kDescriptors.end()) {
      fail(ErrorCode::Unsupported, where_,
           "little-endian f2 f4 f8, i1 i2 i4 i8, u1 u2 u4 u8 or b1 is required, found '{}'; convert it with numpy's "
           "astype",
           text.substr(0, 40));
    }
    return found->dtype;
  }

  bool boolean() {
    if (accept("True")) return true;
    expect("False");
    return false;
  }

  Shape shape() {
    constexpr size_t kMostDimensions = 32;  // as numpy
    Shape dims;
    expect("(");
    while (!accept(")")) {
      skip_blanks();
      int64_t dim = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), dim);
      if (error != std::errc() || dim < 0 || dims.size() == kMostDimensions) {
        fail(ErrorCode::InvalidData, where_, "damaged npy header: up to 32 dimensions >= 0 are required, found '{}'",
             rest_.substr(0, 20));
      }
      rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
      dims.push_back(dim);
      if (!accept(",")) {
        expect(")");
        break;
      }
    }
    return dims;
  }

  std::string_view rest_;
  const std::string& where_;
};

}  // namespace

size_t NpyHeader::data_bytes() const { return bytes_for(dtype, element_count(shape)); }

bool NpyHeader::is_row_major() const {
  return !fortran_order || std::ranges::count_if(shape, [](int64_t d) { return d > 1; }) <= 1;
}

size_t npy_header_bytes(Bytes bytes, const std::string& where) {
  constexpr size_t kVersionAt = 6, kLengthAt = 8;
  if (bytes.size() < 12 || std::memcmp(bytes.data(), kNpyMagic.data(), kNpyMagic.size()) != 0) {
    fail(ErrorCode::InvalidData, where, "a npy file is required, found something else");
  }
  const auto version = std::to_integer<int>(bytes[kVersionAt]);
  if (version < 1 || version > 3) {
    fail(ErrorCode::Unsupported, where, "npy version 1, 2 or 3 is required, found {}", version);
  }
  const size_t length_bytes = version == 1 ? 2 : 4;
  const size_t total = kLengthAt + length_bytes + little_endian(bytes, kLengthAt, length_bytes);
  if (total > kMostHeaderBytes + 12) {
    fail(ErrorCode::InvalidData, where, "a npy header of at most 64 KiB is required, found {} bytes", total);
  }
  return total;
}

NpyHeader parse_npy_header(Bytes bytes, const std::string& where) {
  const size_t total = npy_header_bytes(bytes.first(std::min<size_t>(bytes.size(), 12)), where);
  if (bytes.size() < total) fail(ErrorCode::InvalidData, where, "the npy header is cut short");
  const size_t begin = std::to_integer<int>(bytes[6]) == 1 ? 10 : 12;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + begin, total - begin);
  NpyHeader header = DictionaryParser(text, where).parse();
  header.data_offset = total;
  // The shape's product may overflow; say so here, naming the file.
  try {
    (void)header.data_bytes();
  } catch (const Error&) {
    fail(ErrorCode::InvalidData, where, "damaged npy header: the shape {} overflows", to_string(header.shape));
  }
  return header;
}

std::span<const std::byte> npy_elements(const NpyHeader& header, std::span<const std::byte> file,
                                        const std::string& where) {
  const std::span<const std::byte> elements = file.subspan(header.data_offset);
  if (elements.size() < header.data_bytes()) {
    fail(ErrorCode::InvalidData, where, "{} of shape {} requires {} bytes of elements, found {}", name_of(header.dtype),
         to_string(header.shape), header.data_bytes(), elements.size());
  }
  return elements.first(header.data_bytes());
}

Tensor load_npy(const std::filesystem::path& path) {
  const auto file = MappedFile::open(path);
  const NpyHeader header = parse_npy_header(file->bytes(), path.string());
  const Bytes elements = npy_elements(header, file->bytes(), path.string());
  if (header.is_row_major()) return Tensor::view(header.dtype, header.shape, elements, file);
  Tensor tensor(header.dtype, header.shape);
  copy_fortran_slice(elements, header.shape, bytes_for(header.dtype, 1), 0, header.shape[0], tensor.mutable_bytes());
  return tensor;
}

void save_npy(const std::filesystem::path& path, const Tensor& tensor) {
  if (tensor.dtype() == DType::BFloat16) return save_npy(path, convert(tensor, DType::Float));
  const auto* descriptor = std::ranges::find(kDescriptors, tensor.dtype(), &Descriptor::dtype);
  if (descriptor == kDescriptors.end()) {
    fail(ErrorCode::Unsupported, path.string(), "a type that numpy has is required, found {}", name_of(tensor.dtype()));
  }
  std::string shape;
  for (const int64_t dim : tensor.shape()) shape += fmt::format("{}, ", dim);
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descriptor->text, shape);
  // The elements start at a multiple of 64 bytes; the header ends with a line break.
  constexpr size_t kPreamble = 10, kAlignment = 64;
  header.append(kAlignment - (kPreamble + header.size() + 1) % kAlignment, ' ').push_back('\n');
  AtomicFile file(path);
  file.write(kNpyMagic);
  const std::array<char, 4> version_and_length = {1, 0, static_cast<char>(header.size() & 0xff),
                                                  static_cast<char>(header.size() >> 8)};
  file.write(version_and_length.data(), version_and_length.size());
  file.write(header);
  file.write(tensor.bytes().data(), tensor.bytes().size());
  file.commit();
}

}  // namespace halftone::data
