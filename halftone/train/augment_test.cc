#include "halftone/train/augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <complex>
#include <numbers>
#include <set>
#include <string>

#include "halftone/data/loader.h"
#include "tests/support/error_of.h"

namespace halftone::train::augment_test {
namespace {

using data::Image;
using test::error_of;

Image noise(int64_t height, int64_t width, uint64_t seed) {
  Rng rng(seed);
  Image image{height, width, std::vector<uint8_t>(static_cast<size_t>(3 * height * width))};
  for (uint8_t& value : image.pixels) value = static_cast<uint8_t>(rng.below(256));
  return image;
}

Image flat(int64_t height, int64_t width, std::vector<uint8_t> color) {
  Image image{height, width, {}};
  for (int64_t i = 0; i < height * width; ++i) image.pixels.insert(image.pixels.end(), color.begin(), color.end());
  return image;
}

int at(const Image& image, int64_t y, int64_t x, int64_t c) {
  return image.pixels[static_cast<size_t>(3 * (y * image.width + x) + c)];
}

// What `text` makes of the image with the numbers of stream `draw`.
Image after(const std::string& text, Image image, uint64_t draw = 0) {
  const auto augmentation = make_augmentation(parse_steps(text).at(0));
  Rng rng(1, draw);
  const int64_t height = image.height, width = image.width;
  augmentation->apply(image, rng);
  EXPECT_EQ(image.height, height);
  EXPECT_EQ(image.width, width);
  EXPECT_EQ(image.pixels.size(), static_cast<size_t>(3 * height * width));
  return image;
}

const std::vector<std::pair<int64_t, int64_t>> kSizes = {{1, 1}, {1, 7}, {5, 1}, {32, 32}, {9, 20}};

TEST(Augmentation, FlipMirrorsRowsAndTwiceIsNothing) {
  for (const auto& [height, width] : kSizes) {
    const Image image = noise(height, width, 3);
    const Image flipped = after("flip:probability=1", image);
    for (int64_t y = 0; y < height; ++y) {
      for (int64_t x = 0; x < width; ++x) {
        for (int64_t c = 0; c < 3; ++c) ASSERT_EQ(at(flipped, y, x, c), at(image, y, width - 1 - x, c));
      }
    }
    EXPECT_EQ(after("flip:probability=1", flipped).pixels, image.pixels);
    EXPECT_EQ(after("flip:probability=0", image).pixels, image.pixels);
  }
}

TEST(Augmentation, FlipHappensAsOftenAsItShould) {
  const Image image = noise(2, 5, 3);
  for (const auto& [text, probability] : {std::pair{"flip", 0.5}, {"flip:probability=0.2", 0.2}}) {
    int flips = 0;
    for (uint64_t draw = 0; draw < 2000; ++draw) flips += after(text, image, draw).pixels != image.pixels;
    EXPECT_NEAR(flips / 2000.0, probability, 0.05);
  }
}

// The image laid into a larger one; positions beyond its edges are 0, or walked to by turning round at the edges.
Image padded(const Image& image, int64_t padding, bool reflect) {
  Image large = flat(image.height + 2 * padding, image.width + 2 * padding, {0, 0, 0});
  const auto walk = [](int64_t steps, int64_t size) {
    int64_t position = 0, direction = 1;
    for (int64_t k = 0; k < std::abs(steps) && size > 1; ++k) {
      if (position + direction < 0 || position + direction >= size) direction = -direction;
      position += direction;
    }
    return position;
  };
  for (int64_t y = -padding; y < image.height + padding; ++y) {
    for (int64_t x = -padding; x < image.width + padding; ++x) {
      const bool inside = y >= 0 && y < image.height && x >= 0 && x < image.width;
      for (int64_t c = 0; c < 3 && (inside || reflect); ++c) {
        large.pixels[static_cast<size_t>(3 * ((y + padding) * large.width + x + padding) + c)] =
            static_cast<uint8_t>(at(image, walk(y, image.height), walk(x, image.width), c));
      }
    }
  }
  return large;
}

TEST(Augmentation, CropIsASliceOfThePaddedImageAndEverySliceOccurs) {
  for (const bool reflect : {false, true}) {
    for (const auto& [height, width] : kSizes) {
      const int64_t padding = 2;
      const Image image = noise(height, width, 4), large = padded(image, padding, reflect);
      std::set<std::string> slices, seen;
      for (int64_t top = 0; top <= 2 * padding; ++top) {
        for (int64_t left = 0; left <= 2 * padding; ++left) {
          std::string slice;
          for (int64_t y = 0; y < height; ++y) {
            const auto row = large.pixels.begin() + 3 * ((top + y) * large.width + left);
            slice.insert(slice.end(), row, row + 3 * width);
          }
          slices.insert(slice);
        }
      }
      for (uint64_t draw = 0; draw < 400; ++draw) {
        const Image window = after(reflect ? "crop:padding=2:fill=reflect" : "crop:padding=2", image, draw);
        seen.emplace(window.pixels.begin(), window.pixels.end());
      }
      EXPECT_EQ(seen, slices) << height << " x " << width << (reflect ? " reflect" : " zeros");
    }
  }
}

TEST(Augmentation, CropPadsByFourUnlessTold) {
  const Image image = flat(3, 11, {9, 9, 9});
  int64_t widest = 0;
  for (uint64_t draw = 0; draw < 300; ++draw) {
    const Image window = after("crop", image, draw);
    widest = std::max(widest, std::ranges::count(window.pixels.begin(), window.pixels.begin() + 33, 0) / 3 % 11);
  }
  EXPECT_EQ(widest, 4);
  EXPECT_EQ(after("crop:padding=0", image).pixels, image.pixels);
}

TEST(Augmentation, CutoutTakesASquareAroundAPixelOfTheImage) {
  const Image image = flat(12, 17, {10, 20, 30});
  std::set<std::pair<int64_t, int64_t>> centres;
  for (uint64_t draw = 0; draw < 4000; ++draw) {
    const Image cut = after("cutout:size=5:fill=grey", image, draw);
    int64_t top = 12, bottom = -1, left = 17, right = -1, area = 0;
    for (int64_t y = 0; y < 12; ++y) {
      for (int64_t x = 0; x < 17; ++x) {
        if (at(cut, y, x, 0) == 10 && at(cut, y, x, 1) == 20 && at(cut, y, x, 2) == 30) continue;
        for (int64_t c = 0; c < 3; ++c) ASSERT_EQ(at(cut, y, x, c), 128);
        ++area;
        top = std::min(top, y), bottom = std::max(bottom, y), left = std::min(left, x), right = std::max(right, x);
      }
    }
    const int64_t height = bottom - top + 1, width = right - left + 1;
    ASSERT_EQ(area, height * width);
    ASSERT_TRUE(height == 5 || (height >= 3 && (top == 0 || bottom == 11)));
    ASSERT_TRUE(width == 5 || (width >= 3 && (left == 0 || right == 16)));
    centres.emplace(top == 0 ? bottom - 2 : top + 2, left == 0 ? right - 2 : left + 2);
  }
  EXPECT_EQ(centres.size(), 12U * 17U);
}

TEST(Augmentation, CutoutFillsWithTheMean) {
  const Image even = flat(6, 6, {7, 200, 91});
  EXPECT_EQ(after("cutout:size=3", even).pixels, even.pixels);
  Image halves = flat(2, 1, {0, 100, 255});
  std::fill_n(halves.pixels.begin(), 3, uint8_t{201});
  EXPECT_EQ(after("cutout:size=100", halves).pixels, (std::vector<uint8_t>{101, 151, 228, 101, 151, 228}));
}

TEST(Augmentation, ColorJitterChangesOneThingAtATime) {
  const auto grey = [](const Image& image, int64_t y, int64_t x) {
    return 0.299 * at(image, y, x, 0) + 0.587 * at(image, y, x, 1) + 0.114 * at(image, y, x, 2);
  };
  Image image = noise(8, 8, 5);
  for (uint8_t& value : image.pixels) value = static_cast<uint8_t>(80 + value / 4);  // nothing saturates
  double mean = 0;
  for (int64_t i = 0; i < 64; ++i) mean += grey(image, i / 8, i % 8) / 64;
  double least = 2, most = 0;
  for (uint64_t draw = 0; draw < 300; ++draw) {
    const Image bright = after("color_jitter:brightness=0.3:contrast=0:saturation=0", image, draw);
    const double factor = at(bright, 0, 0, 0) / static_cast<double>(at(image, 0, 0, 0));
    least = std::min(least, factor), most = std::max(most, factor);
    const Image hard = after("color_jitter:brightness=0:contrast=0.3:saturation=0", image, draw);
    const Image vivid = after("color_jitter:brightness=0:contrast=0:saturation=0.3", image, draw);
    double hard_mean = 0;
    for (int64_t i = 0; i < 64; ++i) {
      hard_mean += grey(hard, i / 8, i % 8) / 64;
      for (int64_t c = 0; c < 3; ++c) ASSERT_NEAR(at(bright, i / 8, i % 8, c), factor * at(image, i / 8, i % 8, c), 2);
      ASSERT_NEAR(grey(vivid, i / 8, i % 8), grey(image, i / 8, i % 8), 0.51);
    }
    ASSERT_NEAR(hard_mean, mean, 0.51);
  }
  EXPECT_NEAR(least, 0.7, 0.02);
  EXPECT_NEAR(most, 1.3, 0.02);
  EXPECT_EQ(after("color_jitter:brightness=0:contrast=0:saturation=0", image).pixels, image.pixels);
  EXPECT_NE(after("color_jitter:brightness=0:contrast=0", image).pixels, image.pixels);
  EXPECT_NE(after("color_jitter:brightness=0:saturation=0", image).pixels, image.pixels);
  const Image grays = flat(2, 2, {90, 90, 90});
  EXPECT_EQ(after("color_jitter:brightness=0:saturation=1", grays).pixels, grays.pixels);
  EXPECT_EQ(std::ranges::max(after("color_jitter:brightness=1", flat(1, 1, {255, 255, 255}), 2).pixels) / 256, 0);
}

TEST(Augmentation, HueTurnsAllColoursAroundTheirGreyByOneAngle) {
  const auto grey = [](const Image& image, int64_t x) {
    return 0.299 * at(image, 0, x, 0) + 0.587 * at(image, 0, x, 1) + 0.114 * at(image, 0, x, 2);
  };
  // Where a colour stands around its grey, as a complex number.
  const auto colour = [&](const Image& image, int64_t x) {
    return std::complex<double>(0.492 * (at(image, 0, x, 2) - grey(image, x)),
                                0.877 * (at(image, 0, x, 0) - grey(image, x)));
  };
  Image image = flat(1, 3, {150, 100, 120});
  std::copy_n(std::array<uint8_t, 6>{90, 130, 100, 110, 110, 110}.begin(), 6, image.pixels.begin() + 3);
  double least = 0, most = 0;
  for (uint64_t draw = 0; draw < 300; ++draw) {
    const Image turned = after("color_jitter:brightness=0:contrast=0:saturation=0:hue=0.1", image, draw);
    double angles[2];
    for (int64_t x = 0; x < 2; ++x) {
      ASSERT_NEAR(grey(turned, x), grey(image, x), 0.51);
      ASSERT_NEAR(std::abs(colour(turned, x)), std::abs(colour(image, x)), 1);
      angles[x] = std::arg(colour(turned, x) / colour(image, x)) / (2 * std::numbers::pi);
    }
    ASSERT_NEAR(angles[0], angles[1], 0.02) << "all colours turn by the same angle";
    for (int64_t c = 0; c < 3; ++c) ASSERT_EQ(at(turned, 0, 2, c), 110) << "grey has no hue";
    least = std::min(least, angles[0]), most = std::max(most, angles[0]);
  }
  EXPECT_NEAR(least, -0.1, 0.01);
  EXPECT_NEAR(most, 0.1, 0.01);
}

TEST(Augmentation, WordsAreChecked) {
  EXPECT_CONTAINS(error_of([] { make_augmentation(parse_steps("flop")[0]); }), "did you mean 'flip'?");
  EXPECT_CONTAINS(error_of([] { make_augmentation(parse_steps("crop:pading=2")[0]); }), "padding");
  EXPECT_CONTAINS(error_of([] { make_augmentation(parse_steps("crop:fill=edge")[0]); }), "reflect");
  EXPECT_THROW(make_augmentation(parse_steps("flip:probability=2")[0]), Error);
  for (const AugmentationInfo& info : all_augmentations()) {
    const Image image = noise(6, 5, 2);
    bool changes = false;
    for (uint64_t draw = 0; draw < 20; ++draw)
      changes |= after(std::string(info.name), image, draw).pixels != image.pixels;
    EXPECT_TRUE(changes) << info.name;
  }
}

data::Preprocess as_it_is() { return {}; }

// All pixels of the set, through the loader.
std::vector<float> loaded(int64_t skip, uint64_t seed, int threads) {
  auto set = data::open_dataset("synthetic:glyphs?count=60", {.limit = 0, .shuffle_seed = 5, .skip = skip});
  set = augmented(std::move(set), parse_steps("flip, crop, color_jitter, cutout"), seed, skip);
  data::Loader loader(std::move(set), as_it_is(), {{"x", DType::Float, {-1, 3, 32, 32}}},
                      {.batch_size = 7, .threads = threads, .queue = 2});
  std::vector<float> all;
  while (const auto batch = loader.next()) {
    const auto part = batch->inputs.at("x").data<float>();
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

TEST(Augmented, SeedAndPositionDecideAlone) {
  const std::vector<float> once = loaded(0, 9, 1);
  ASSERT_EQ(once.size(), 60U * 3 * 32 * 32);
  EXPECT_EQ(loaded(0, 9, 4), once);
  EXPECT_NE(loaded(0, 8, 1), once);
  EXPECT_EQ(loaded(13, 9, 3), std::vector<float>(once.begin() + 13 * 3 * 32 * 32, once.end()));
}

TEST(Augmented, RewindRepeatsAndSamplesDiffer) {
  const auto set = augmented(data::open_dataset("synthetic:glyphs?count=2"), parse_steps("crop"), 3);
  EXPECT_EQ(set->size(), 2);
  const Image first = *set->next()->decode().image;
  set->rewind();
  const auto record = set->next();
  EXPECT_EQ(record->decode().image->pixels, first.pixels);
  EXPECT_EQ(record->decode().image->pixels, first.pixels) << "decoding twice";
  const auto other = augmented(data::open_dataset("synthetic:glyphs?count=2"), parse_steps("crop"), 3, 1);
  EXPECT_NE(other->next()->decode().image->pixels, first.pixels);
}

class Arrays : public data::Dataset {
 public:
  std::optional<int64_t> size() const override { return 1; }
  std::optional<data::Record> next() override {
    return data::Record{"array 0", [] { return data::Sample{"array 0", 1, std::nullopt, {}}; }};
  }
  void rewind() override {}
};

TEST(Augmented, ArraysAreRefused) {
  const auto set = augmented(std::make_unique<Arrays>(), parse_steps("cutout"), 3);
  const auto record = set->next();
  const std::string message = error_of([&] { record->decode(); });
  EXPECT_CONTAINS(message, "array 0");
  EXPECT_CONTAINS(message, "'cutout'");
  EXPECT_NO_THROW(augmented(std::make_unique<Arrays>(), {}, 3)->next()->decode());
}

}  // namespace
}  // namespace halftone::train::augment_test
