#include "halftone/data/glyphs.h"

#include <gtest/gtest.h>

#include <set>

namespace halftone::data::glyphs_test {
namespace {

TEST(Glyphs, DependOnSeedAndIndexAlone) {
  const Glyph glyph = draw_glyph(5, 17);
  draw_glyph(6, 1);
  EXPECT_EQ(draw_glyph(5, 17).image.pixels, glyph.image.pixels);
  EXPECT_EQ(draw_glyph(5, 17).label, glyph.label);
  EXPECT_NE(draw_glyph(5, 18).image.pixels, glyph.image.pixels);
  EXPECT_NE(draw_glyph(6, 17).image.pixels, glyph.image.pixels);
  EXPECT_EQ(glyph.image.height, kGlyphSize);
  EXPECT_EQ(glyph.image.pixels.size(), static_cast<size_t>(3 * kGlyphSize * kGlyphSize));
}

TEST(Glyphs, ClassesAreEquallyLikely) {
  std::array<int, 10> counts{};
  constexpr int kDraws = 3000;
  for (uint64_t i = 0; i < kDraws; ++i) ++counts.at(static_cast<size_t>(draw_glyph(1, i).label));
  // Five standard deviations of a binomial with p = 1/10.
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 10, 83);
}

TEST(Glyphs, PicturesVaryInBrightnessAndUseTheRange) {
  std::set<int> means;
  int dark = 0, bright = 0;
  for (uint64_t i = 0; i < 200; ++i) {
    const Image image = draw_glyph(2, i).image;
    int64_t sum = 0;
    for (const uint8_t value : image.pixels) {
      sum += value;
      dark += value < 20;
      bright += value > 235;
    }
    means.insert(static_cast<int>(sum / static_cast<int64_t>(image.pixels.size()) / 16));
  }
  EXPECT_GE(means.size(), 6u);
  EXPECT_GT(dark, 1000);
  EXPECT_GT(bright, 1000);
}

}  // namespace
}  // namespace halftone::data::glyphs_test
