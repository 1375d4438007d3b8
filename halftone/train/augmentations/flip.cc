#include <algorithm>

#include "halftone/quant/step_words.h"
#include "halftone/train/augment.h"

namespace halftone::train {
namespace {

class Flip : public Augmentation {
 public:
  explicit Flip(double probability) : probability_(probability) {}

  void apply(data::Image& image, Rng& rng) const override {
    if (rng.uniform() >= probability_) return;
    for (int64_t y = 0; y < image.height; ++y) {
      uint8_t* left = image.pixels.data() + 3 * y * image.width;
      uint8_t* right = left + 3 * (image.width - 1);
      for (; left < right; left += 3, right -= 3) std::swap_ranges(left, left + 3, right);
    }
  }

 private:
  double probability_;
};

}  // namespace

std::unique_ptr<Augmentation> make_flip_augmentation(StepWords& words) {
  return std::make_unique<Flip>(words.number("probability", 0.5, 0, 1));
}

}  // namespace halftone::train
