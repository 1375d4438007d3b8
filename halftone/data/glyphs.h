// The procedural picture set: ten stroke-drawn glyphs on busy backgrounds, for demos and tests that need labelled
// images and have only the repository.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "halftone/data/dataset.h"

namespace halftone::data {

constexpr int64_t kGlyphSize = 32;  // pixels on each side

// The classes, in the order of their labels.
constexpr std::array<std::string_view, 10> kGlyphNames = {"ring",    "crescent", "spiral", "triangle", "arrow",
                                                          "trident", "zigzag",   "wave",   "cross",    "key"};

struct Glyph {
  Image image;  // 32 x 32
  int64_t label = 0;
};

// Picture `index` of the set `seed`: a glyph under a random affine warp, in random colours on a colour gradient, among
// stray strokes behind and before it, under a lighting gradient, with noise. It depends on (seed, index) alone and is
// the same on every machine. Cost: some 30 microseconds.
Glyph draw_glyph(uint64_t seed, uint64_t index);

}  // namespace halftone::data
