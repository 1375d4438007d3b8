#include "halftone/data/internal/image_codec.h"

#include <algorithm>

#include "halftone/base/error.h"

namespace halftone::data {
namespace {

bool starts_with(Bytes bytes, std::initializer_list<int> magic) {
  return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin(),
                                                    [](int m, std::byte b) { return m == std::to_integer<int>(b); });
}

}  // namespace

bool looks_like_jpeg(Bytes bytes) { return starts_with(bytes, {0xff, 0xd8, 0xff}); }
bool looks_like_png(Bytes bytes) { return starts_with(bytes, {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'}); }

Image decode_image(Bytes bytes, const std::string& where) {
  if (looks_like_jpeg(bytes)) return decode_jpeg(bytes, where);
  if (looks_like_png(bytes)) return decode_png(bytes, where);
  fail(ErrorCode::InvalidData, where, "a JPEG or PNG image is required, found {}",
       bytes.empty() ? "an empty file" : "another format");
}

void check_image_size(int64_t width, int64_t height, int64_t most_pixels, const std::string& where) {
  if (width <= 0 || height <= 0 || width > kMaxPixels / height) {
    fail(ErrorCode::InvalidData, where, "an image of 1 to 2^28 pixels is required, found {} x {}", width, height);
  }
  if (width * height > most_pixels) {
    fail(ErrorCode::InvalidData, where, "the header promises {} x {} pixels, more than so short a file can hold", width,
         height);
  }
}

}  // namespace halftone::data
