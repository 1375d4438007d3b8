#include "halftone/data/internal/image_codec.h"

#include <cstdlib>

#include "tests/support/data_files.h"

namespace halftone::data::image_codec_test {
namespace {

using test::encode_jpeg;
using test::encode_png;
using test::error_of;

Image decode(const std::string& file) { return decode_image(std::as_bytes(std::span(file)), "file"); }

using Pixels = std::vector<uint8_t>;

TEST(ImageCodec, PngOfEveryKindBecomesRgb) {
  EXPECT_EQ(decode(encode_png(1, 2, PNG_COLOR_TYPE_RGB, 8, {1, 2, 3, 4, 5, 6})).pixels, (Pixels{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(decode(encode_png(1, 2, PNG_COLOR_TYPE_RGBA, 8, {1, 2, 3, 0, 4, 5, 6, 128})).pixels,
            (Pixels{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(decode(encode_png(2, 1, PNG_COLOR_TYPE_GRAY, 8, {7, 200})).pixels, (Pixels{7, 7, 7, 200, 200, 200}));
  EXPECT_EQ(decode(encode_png(1, 1, PNG_COLOR_TYPE_GRAY_ALPHA, 8, {9, 0})).pixels, (Pixels{9, 9, 9}));
  // Samples 1, 0, 1 and 3, 1 in the highest bits of a byte.
  EXPECT_EQ(decode(encode_png(1, 3, PNG_COLOR_TYPE_GRAY, 1, {0b10100000})).pixels,
            (Pixels{255, 255, 255, 0, 0, 0, 255, 255, 255}));
  EXPECT_EQ(decode(encode_png(1, 2, PNG_COLOR_TYPE_GRAY, 2, {0b11010000})).pixels, (Pixels{255, 255, 255, 85, 85, 85}));
  EXPECT_EQ(decode(encode_png(1, 2, PNG_COLOR_TYPE_PALETTE, 4, {0x10}, {{1, 2, 3}, {4, 5, 6}})).pixels,
            (Pixels{4, 5, 6, 1, 2, 3}));
  // 16 bits: v * 255 / 65535, rounded: 0x1234 -> 18.13, 0xff7e -> 254.498, 0xff7f -> 254.502.
  EXPECT_EQ(decode(encode_png(1, 1, PNG_COLOR_TYPE_RGB, 16, {0x12, 0x34, 0xff, 0x7e, 0xff, 0x7f})).pixels,
            (Pixels{18, 254, 255}));
}

TEST(ImageCodec, InterlacedPng) {
  const Image image = test::test_image(11, 13);
  const Image decoded = decode(encode_png(11, 13, PNG_COLOR_TYPE_RGB, 8, image.pixels, {}, PNG_INTERLACE_ADAM7));
  EXPECT_EQ(decoded.height, 11);
  EXPECT_EQ(decoded.width, 13);
  EXPECT_EQ(decoded.pixels, image.pixels);
}

TEST(ImageCodec, Jpeg) {
  for (const int flags : {0, TJFLAG_PROGRESSIVE}) {
    const Image decoded = decode(encode_jpeg(test::flat_image(17, 9, 200, 100, 50), 95, flags));
    ASSERT_EQ(decoded.height, 17);
    ASSERT_EQ(decoded.width, 9);
    ASSERT_EQ(decoded.pixels.size(), 17u * 9 * 3);
    for (size_t i = 0; i < decoded.pixels.size(); ++i) {
      EXPECT_NEAR(decoded.pixels[i], (std::array{200, 100, 50})[i % 3], 2);
    }
  }
}

TEST(ImageCodec, AFileCutAnywhereIsAnError) {
  for (const std::string& file : {encode_jpeg(test::test_image(24, 24)), encode_png(test::test_image(24, 24))}) {
    const Image whole = decode(file);
    for (size_t size = 0; size < file.size() - 2; size += 7) EXPECT_THROW(decode(file.substr(0, size)), Error) << size;
    EXPECT_EQ(decode(file).pixels, whole.pixels) << "damage must not reach the next file";
  }
}

TEST(ImageCodec, RefusesSizesTheFileCannotHold) {
  std::string png = encode_png(test::test_image(4, 4));
  // Width and height stand at bytes 16 and 20; the check is that no memory is taken before the size is looked at, so
  // the checksum must be right.
  const auto set_size = [&](uint32_t width, uint32_t height) {
    for (int i = 0; i < 4; ++i) {
      png[static_cast<size_t>(16 + i)] = static_cast<char>(width >> (24 - 8 * i));
      png[static_cast<size_t>(20 + i)] = static_cast<char>(height >> (24 - 8 * i));
    }
    const auto crc = static_cast<uint32_t>(crc32(0, reinterpret_cast<const Bytef*>(png.data()) + 12, 17));
    for (int i = 0; i < 4; ++i) png[static_cast<size_t>(29 + i)] = static_cast<char>(crc >> (24 - 8 * i));
  };
  set_size(900000, 900000);
  EXPECT_CONTAINS(error_of([&] { decode(png); }), "2^28 pixels");
  set_size(16000, 16000);
  EXPECT_CONTAINS(error_of([&] { decode(png); }), "more than so short a file can hold");
  std::string jpeg = encode_jpeg(test::test_image(8, 8));
  const size_t frame = jpeg.find("\xff\xc0");
  ASSERT_NE(frame, std::string::npos);
  for (size_t i = 5; i < 9; ++i) jpeg[frame + i] = '\x3f';
  EXPECT_CONTAINS(error_of([&] { decode(jpeg); }), "more than so short a file can hold");
}

TEST(ImageCodec, RefusesOtherFormats) {
  EXPECT_CONTAINS(error_of([] { decode("GIF89a"); }), "file: a JPEG or PNG image is required, found another format");
  EXPECT_CONTAINS(error_of([] { decode(""); }), "found an empty file");
}

}  // namespace
}  // namespace halftone::data::image_codec_test
