// JPEG and PNG files to pixels. Internal to the room.
#pragma once

#include <cstdint>
#include <string>

#include "halftone/data/dataset.h"
#include "halftone/data/internal/bytes.h"

namespace halftone::data {

// More than any camera makes; keeps a forged header from asking for terabytes.
constexpr int64_t kMaxPixels = int64_t{1} << 28;

bool looks_like_jpeg(Bytes bytes);
bool looks_like_png(Bytes bytes);

// Decodes whichever of the two `bytes` are. Errors: Error{InvalidData} at `where` for anything else, for damage, a file
// cut short, and sizes beyond kMaxPixels or beyond what so few bytes can hold. Thread-safe.
Image decode_image(Bytes bytes, const std::string& where);

// Baseline and progressive, grey or YCbCr; the accurate DCT and smooth chroma upsampling (libjpeg's defaults). Warnings
// of the decoder about damaged data are errors.
Image decode_jpeg(Bytes bytes, const std::string& where);

// Every PNG as 8-bit RGB: 16-bit samples are rounded to 8 bits, palettes and grey expanded, alpha dropped, gamma left.
Image decode_png(Bytes bytes, const std::string& where);

// Errors unless width x height is within kMaxPixels and `most_pixels`, what the format can press into the file.
void check_image_size(int64_t width, int64_t height, int64_t most_pixels, const std::string& where);

}  // namespace halftone::data
