#include <algorithm>
#include <array>

#include "halftone/quant/step_words.h"
#include "halftone/train/augment.h"

namespace halftone::train {
namespace {

constexpr std::string_view kHoles[] = {"mean", "grey"};

// The image's mean colour, rounded.
std::array<uint8_t, 3> mean_of(const data::Image& image) {
  std::array<uint64_t, 3> sums = {};
  for (size_t i = 0; i < image.pixels.size(); ++i) sums[i % 3] += image.pixels[i];
  const uint64_t count = image.pixels.size() / 3;
  std::array<uint8_t, 3> mean;
  for (size_t c = 0; c < 3; ++c) mean[c] = static_cast<uint8_t>((sums[c] + count / 2) / count);
  return mean;
}

// The square's centre is anywhere in the image, so that parts of it may lie outside: the paper found that this matters.
class Cutout : public Augmentation {
 public:
  Cutout(int64_t size, bool mean) : size_(size), mean_(mean) {}

  void apply(data::Image& image, Rng& rng) const override {
    if (image.pixels.empty()) return;
    const auto draw = [&](int64_t extent) {
      return static_cast<int64_t>(rng.below(static_cast<uint64_t>(extent))) - size_ / 2;
    };
    const int64_t top = draw(image.height), left = draw(image.width);
    const std::array<uint8_t, 3> color = mean_ ? mean_of(image) : std::array<uint8_t, 3>{128, 128, 128};
    for (int64_t y = std::max(top, int64_t{0}); y < std::min(top + size_, image.height); ++y) {
      for (int64_t x = std::max(left, int64_t{0}); x < std::min(left + size_, image.width); ++x) {
        std::ranges::copy(color, image.pixels.data() + 3 * (y * image.width + x));
      }
    }
  }

 private:
  int64_t size_;
  bool mean_;
};

}  // namespace

std::unique_ptr<Augmentation> make_cutout_augmentation(StepWords& words) {
  const int64_t size = words.count("size", 16, 1, 1 << 14);
  return std::make_unique<Cutout>(size, words.choice("fill", kHoles) == "mean");
}

}  // namespace halftone::train
