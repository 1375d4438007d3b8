#include "halftone/data/picture.h"

#include <png.h>

#include <algorithm>
#include <cstring>

#include "halftone/base/error.h"
#include "halftone/data/internal/resize.h"

namespace halftone::data {

Image thumbnail(const Image& image, int64_t side) {
  const int64_t longer = std::max(image.height, image.width);
  if (longer <= side) return image;
  const auto scaled = [&](int64_t length) { return std::max((length * side + longer / 2) / longer, int64_t{1}); };
  return resize(image, scaled(image.height), scaled(image.width), Preprocess::Filter::Bilinear, /*antialias=*/true);
}

std::string encode_png(const Image& image) {
  png_image header;
  std::memset(&header, 0, sizeof(header));
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  const auto write = [&](void* memory) {
    return png_image_write_to_memory(&header, memory, &size, /*convert_to_8_bit=*/0, image.pixels.data(),
                                     /*row_stride=*/0, /*colormap=*/nullptr);
  };
  HT_CHECK(write(nullptr) != 0, "no PNG of {} x {}: {}", image.width, image.height, header.message);
  std::string file(size, '\0');
  HT_CHECK(write(file.data()) != 0, "no PNG of {} x {}: {}", image.width, image.height, header.message);
  file.resize(size);
  return file;
}

}  // namespace halftone::data
