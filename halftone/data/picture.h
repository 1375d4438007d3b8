// Pictures for people to look at.
#pragma once

#include <string>

#include "halftone/data/dataset.h"

namespace halftone::data {

// The image with its longer side at most `side` pixels; smaller ones as they are.
Image thumbnail(const Image& image, int64_t side);

// An 8-bit RGB PNG file.
std::string encode_png(const Image& image);

}  // namespace halftone::data
