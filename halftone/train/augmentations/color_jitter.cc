#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "halftone/quant/step_words.h"
#include "halftone/train/augment.h"

namespace halftone::train {
namespace {

uint8_t to_byte(double value) { return static_cast<uint8_t>(std::clamp(value, 0.0, 255.0) + 0.5); }

// Luma of ITU-R BT.601.
double grey_of(const uint8_t* pixel) { return 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2]; }

// Every byte moved to base + factor * (byte - base), rounded.
void stretch(data::Image& image, double base, double factor) {
  std::array<uint8_t, 256> moved;
  for (size_t v = 0; v < moved.size(); ++v) moved[v] = to_byte(base + factor * (static_cast<double>(v) - base));
  for (uint8_t& value : image.pixels) value = moved[value];
}

// Turns the pixel's colour around its own grey, in the plane of the colour differences U and V of ITU-R BT.601.
void turn(uint8_t* pixel, double cosine, double sine) {
  constexpr double kU = 0.492, kV = 0.877;
  const double grey = grey_of(pixel), u = kU * (pixel[2] - grey), v = kV * (pixel[0] - grey);
  const double red = grey + (cosine * v - sine * u) / kV, blue = grey + (cosine * u + sine * v) / kU;
  pixel[0] = to_byte(red);
  pixel[1] = to_byte((grey - 0.299 * red - 0.114 * blue) / 0.587);
  pixel[2] = to_byte(blue);
}

// Brightness stretches from black, contrast from the image's mean grey, saturation each pixel from its own grey; each
// by a factor that is uniform in [1 - amount, 1 + amount]; hue turns all colours by the same part of a full circle,
// uniform in [-amount, amount]; in this order.
class ColorJitter : public Augmentation {
 public:
  ColorJitter(double brightness, double contrast, double saturation, double hue)
      : brightness_(brightness), contrast_(contrast), saturation_(saturation), hue_(hue) {}

  void apply(data::Image& image, Rng& rng) const override {
    const auto factor = [&](double amount) { return rng.uniform(1 - amount, 1 + amount); };
    const double brightness = factor(brightness_), contrast = factor(contrast_), saturation = factor(saturation_);
    const double angle = 2 * std::numbers::pi * rng.uniform(-hue_, hue_);
    const size_t size = image.pixels.size();
    if (size == 0) return;
    if (brightness_ > 0) stretch(image, 0, brightness);
    if (contrast_ > 0) {
      double sum = 0;
      for (size_t i = 0; i < size; i += 3) sum += grey_of(&image.pixels[i]);
      stretch(image, sum / (static_cast<double>(size) / 3), contrast);
    }
    if (saturation_ > 0) {
      for (size_t i = 0; i < size; i += 3) {
        const double grey = grey_of(&image.pixels[i]);
        for (size_t c = 0; c < 3; ++c) {
          image.pixels[i + c] = to_byte(grey + saturation * (image.pixels[i + c] - grey));
        }
      }
    }
    if (hue_ > 0) {
      const double cosine = std::cos(angle), sine = std::sin(angle);
      for (size_t i = 0; i < size; i += 3) turn(&image.pixels[i], cosine, sine);
    }
  }

 private:
  double brightness_, contrast_, saturation_, hue_;
};

}  // namespace

std::unique_ptr<Augmentation> make_color_jitter_augmentation(StepWords& words) {
  const double brightness = words.number("brightness", 0.4, 0, 1), contrast = words.number("contrast", 0.4, 0, 1);
  const double saturation = words.number("saturation", 0.4, 0, 1);
  return std::make_unique<ColorJitter>(brightness, contrast, saturation, words.number("hue", 0, 0, 0.5));
}

}  // namespace halftone::train
