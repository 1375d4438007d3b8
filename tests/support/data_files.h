// Image and archive files made with the format libraries themselves, for tests of the room data.
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>
#include <png.h>
#include <turbojpeg.h>
#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "halftone/base/file.h"
#include "halftone/base/rng.h"
#include "halftone/data/dataset.h"
#include "tests/support/error_of.h"
#include "tests/support/temp_folder.h"

namespace halftone::test {

// Writes a file into the folder, with the folders below it that its name needs.
inline std::filesystem::path put(const TempFolder& folder, const std::string& name, std::string_view content) {
  std::filesystem::create_directories((folder / name).parent_path());
  write_file(folder / name, content);
  return folder / name;
}

// A picture with structure in every channel: no two neighbours, rows or channels alike.
inline data::Image test_image(int64_t height, int64_t width, uint64_t seed = 1) {
  Rng rng(seed);
  data::Image image{height, width, {}};
  for (int64_t i = 0; i < height * width * 3; ++i) image.pixels.push_back(static_cast<uint8_t>(rng.below(256)));
  return image;
}

// One colour all over, which JPEG keeps nearly exactly.
inline data::Image flat_image(int64_t height, int64_t width, uint8_t r, uint8_t g, uint8_t b) {
  data::Image image{height, width, {}};
  for (int64_t i = 0; i < height * width; ++i) {
    for (const uint8_t value : {r, g, b}) image.pixels.push_back(value);
  }
  return image;
}

inline std::string encode_jpeg(const data::Image& image, int quality = 95, int flags = 0) {
  tjhandle encoder = tjInitCompress();
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const int status = tjCompress2(encoder, image.pixels.data(), static_cast<int>(image.width), 0,
                                 static_cast<int>(image.height), TJPF_RGB, &bytes, &size, TJSAMP_444, quality, flags);
  EXPECT_EQ(status, 0) << tjGetErrorStr2(encoder);
  std::string file(reinterpret_cast<char*>(bytes), size);
  tjFree(bytes);
  tjDestroy(encoder);
  return file;
}

// `samples` are rows of packed samples as the PNG colour type and depth have them (16-bit ones big-endian).
inline std::string encode_png(int64_t height, int64_t width, int color_type, int depth,
                              const std::vector<uint8_t>& samples, std::vector<png_color> palette = {},
                              int interlace = PNG_INTERLACE_NONE) {
  std::string file;
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  const auto append = [](png_structp p, png_bytep bytes, size_t size) {
    static_cast<std::string*>(png_get_io_ptr(p))->append(reinterpret_cast<char*>(bytes), size);
  };
  png_set_write_fn(png, &file, append, nullptr);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), depth, color_type,
               interlace, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (!palette.empty()) png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  png_write_info(png, info);
  std::vector<png_bytep> rows;
  const size_t row_bytes = samples.size() / static_cast<size_t>(height);
  for (size_t y = 0; y < static_cast<size_t>(height); ++y) {
    rows.push_back(const_cast<png_bytep>(samples.data()) + y * row_bytes);
  }
  png_write_image(png, rows.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return file;
}

inline std::string encode_png(const data::Image& image) {
  return encode_png(image.height, image.width, PNG_COLOR_TYPE_RGB, 8, image.pixels);
}

using Members = std::vector<std::pair<std::string, std::string>>;  // name, content

enum class ArchiveKind { Tar, TarGz, Zip, StoredZip };

inline void write_archive(const std::filesystem::path& path, const Members& members, ArchiveKind kind) {
  archive* writer = archive_write_new();
  if (kind == ArchiveKind::TarGz) archive_write_add_filter_gzip(writer);
  if (kind == ArchiveKind::Tar || kind == ArchiveKind::TarGz) {
    archive_write_set_format_ustar(writer);
  } else {
    archive_write_set_format_zip(writer);
    archive_write_set_options(writer, kind == ArchiveKind::Zip ? "zip:compression=deflate" : "zip:compression=store");
  }
  EXPECT_EQ(archive_write_open_filename(writer, path.c_str()), ARCHIVE_OK);
  for (const auto& [name, content] : members) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    archive_write_header(writer, entry);
    archive_write_data(writer, content.data(), content.size());
    archive_entry_free(entry);
  }
  archive_write_free(writer);
}

inline std::string gzip(const std::string& content) {
  TempFolder folder;
  const std::filesystem::path path = folder / "file.gz";
  gzFile file = gzopen(path.c_str(), "wb");
  gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
  gzclose(file);
  return read_file(path);
}

// A .npy file of version 1.0 put together by hand.
inline std::string npy_file(const std::string& descr, bool fortran, const std::string& shape,
                            const std::string& elements, int version = 1) {
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") + ", 'shape': " + shape + ", }";
  header += " \n";  // of no particular length, so the elements are not aligned
  std::string file = "\x93NUMPY";
  file.push_back(static_cast<char>(version));
  file.push_back('\0');
  const size_t length_bytes = version == 1 ? 2 : 4;
  for (size_t i = 0; i < length_bytes; ++i) file.push_back(static_cast<char>(header.size() >> (8 * i) & 0xff));
  return file + header + elements;
}

// The bytes of plain values, little-endian as this machine has them.
template <typename T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

// Every sample of a set, decoded.
inline std::vector<data::Sample> read_all(data::Dataset& dataset) {
  std::vector<data::Sample> samples;
  while (auto record = dataset.next()) samples.push_back(record->decode());
  return samples;
}

}  // namespace halftone::test
