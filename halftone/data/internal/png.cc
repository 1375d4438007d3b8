#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>

#include "halftone/base/error.h"
#include "halftone/data/internal/image_codec.h"

namespace halftone::data {
namespace {

// What libpng's callbacks need. libpng reports errors by longjmp, so the functions that call it hold nothing with a
// destructor.
struct Input {
  Bytes rest;
  char message[120] = "";
};

void read_bytes(png_structp png, png_bytep to, size_t count) {
  auto* input = static_cast<Input*>(png_get_io_ptr(png));
  if (count > input->rest.size()) png_error(png, "the file is cut short");
  std::memcpy(to, input->rest.data(), count);
  input->rest = input->rest.subspan(count);
}

void on_error(png_structp png, png_const_charp message) {
  auto* input = static_cast<Input*>(png_get_error_ptr(png));
  std::strncpy(input->message, message, sizeof(input->message) - 1);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

struct Decoder {
  explicit Decoder(Bytes bytes) : input{bytes} {
    png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &input, on_error, on_warning);
    HT_CHECK(png != nullptr, "no PNG decoder");
    info = png_create_info_struct(png);
    HT_CHECK(info != nullptr, "no PNG decoder");
  }
  ~Decoder() { png_destroy_read_struct(&png, &info, nullptr); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  Input input;
  png_structp png = nullptr;
  png_infop info = nullptr;
};

// Everything before the pixels; false on an error.
bool read_header(Decoder& decoder) {
  if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
  png_set_read_fn(decoder.png, &decoder.input, read_bytes);
  png_set_chunk_malloc_max(decoder.png, 8 << 20);
  png_read_info(decoder.png, decoder.info);
  png_set_expand(decoder.png);  // palettes and 1, 2, 4 bits to 8
  png_set_scale_16(decoder.png);
  png_set_strip_alpha(decoder.png);
  png_set_gray_to_rgb(decoder.png);
  png_set_interlace_handling(decoder.png);
  png_read_update_info(decoder.png, decoder.info);
  return true;
}

bool read_pixels(Decoder& decoder, png_bytepp rows) {
  if (setjmp(png_jmpbuf(decoder.png)) != 0) return false;
  png_read_image(decoder.png, rows);
  png_read_end(decoder.png, nullptr);
  return true;
}

[[noreturn]] void fail_damaged(const Decoder& decoder, const std::string& where) {
  fail(ErrorCode::InvalidData, where, "damaged PNG: {}", decoder.input.message);
}

}  // namespace

Image decode_png(Bytes bytes, const std::string& where) {
  Decoder decoder(bytes);
  if (!read_header(decoder)) fail_damaged(decoder, where);
  const auto width = static_cast<int64_t>(png_get_image_width(decoder.png, decoder.info));
  const auto height = static_cast<int64_t>(png_get_image_height(decoder.png, decoder.info));
  // Deflate packs at most 1032 bytes into one, and a byte holds eight pixels of one bit.
  check_image_size(width, height, static_cast<int64_t>(bytes.size()) * 1032 * 8, where);
  const auto row_bytes = static_cast<size_t>(3 * width);
  if (png_get_rowbytes(decoder.png, decoder.info) != row_bytes) {
    fail(ErrorCode::InvalidData, where, "a PNG of 8 or 16 bits a sample is required, found another kind");
  }
  Image image{height, width, std::vector<uint8_t>(row_bytes * static_cast<size_t>(height))};
  std::vector<png_bytep> rows(static_cast<size_t>(height));
  for (size_t y = 0; y < rows.size(); ++y) rows[y] = image.pixels.data() + y * row_bytes;
  if (!read_pixels(decoder, rows.data())) fail_damaged(decoder, where);
  return image;
}

}  // namespace halftone::data
