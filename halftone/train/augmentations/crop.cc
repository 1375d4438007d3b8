#include <algorithm>
#include <array>
#include <cstring>

#include "halftone/quant/step_words.h"
#include "halftone/train/augment.h"

namespace halftone::train {
namespace {

constexpr std::string_view kPaddings[] = {"zeros", "reflect"};

// Where position i, which may lie beyond either edge, falls when an axis of `size` is mirrored at its first and last
// positions, as often as it takes.
int64_t reflected(int64_t i, int64_t size) {
  if (size == 1) return 0;
  const int64_t period = 2 * (size - 1);
  i = (i % period + period) % period;
  return std::min(i, period - i);
}

class Crop : public Augmentation {
 public:
  Crop(int64_t padding, bool reflect) : padding_(padding), reflect_(reflect) {}

  void apply(data::Image& image, Rng& rng) const override {
    const auto draw = [&] {
      return static_cast<int64_t>(rng.below(static_cast<uint64_t>(2 * padding_ + 1))) - padding_;
    };
    const int64_t top = draw(), left = draw();
    if (top == 0 && left == 0) return;
    data::Image window{image.height, image.width, std::vector<uint8_t>(image.pixels.size())};
    for (int64_t y = 0; y < image.height; ++y) {
      int64_t row = y + top;
      if (reflect_) row = reflected(row, image.height);
      if (row < 0 || row >= image.height) continue;
      const uint8_t* from = image.pixels.data() + 3 * row * image.width;
      uint8_t* to = window.pixels.data() + 3 * y * image.width;
      // Columns that fall inside the image are one run; the others are looked up, or stay zeros.
      const int64_t first = std::clamp(-left, int64_t{0}, image.width);
      const int64_t last = std::clamp(image.width - left, first, image.width);
      if (last > first) std::memcpy(to + 3 * first, from + 3 * (first + left), static_cast<size_t>(3 * (last - first)));
      if (!reflect_) continue;
      const auto mirror = [&](int64_t begin, int64_t end) {
        for (int64_t x = begin; x < end; ++x) std::copy_n(from + 3 * reflected(x + left, image.width), 3, to + 3 * x);
      };
      mirror(0, first);
      mirror(last, image.width);
    }
    image = std::move(window);
  }

 private:
  int64_t padding_;
  bool reflect_;
};

}  // namespace

std::unique_ptr<Augmentation> make_crop_augmentation(StepWords& words) {
  const int64_t padding = words.count("padding", 4, 0, 1 << 14);
  return std::make_unique<Crop>(padding, words.choice("fill", kPaddings) == "reflect");
}

}  // namespace halftone::train
