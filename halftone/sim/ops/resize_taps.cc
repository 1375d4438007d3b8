#include "halftone/sim/ops/resize_taps.h"

#include <algorithm>
#include <cmath>

namespace halftone::sim::ops {
namespace {

template <typename T>
struct Word {
  const char* word;
  T meaning;
};

template <typename T, size_t N>
T look_up(const OpCall& call, const char* what, const std::string& word, const Word<T> (&words)[N]) {
  for (const Word<T>& entry : words) {
    if (word == entry.word) return entry.meaning;
  }
  call.refuse("{} '{}' is unknown", what, word);
}

// The weight of an element at distance x, in elements.
double kernel_at(const ResizeMode& mode, double x) {
  x = std::abs(x);
  if (mode.interpolation == Interpolation::Linear) return std::max(0.0, 1.0 - x);
  // Keys, "Cubic convolution interpolation for digital image processing", 1981, equation 4 with a free coefficient.
  const auto a = static_cast<double>(mode.cubic_coefficient);
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return 0;
}

}  // namespace

Interpolation interpolation_of(const OpCall& call, const std::string& word) {
  static constexpr Word<Interpolation> kWords[] = {
      {"nearest", Interpolation::Nearest}, {"linear", Interpolation::Linear}, {"cubic", Interpolation::Cubic}};
  return look_up(call, "mode", word, kWords);
}

CoordinateMode coordinate_mode_of(const OpCall& call, const std::string& word) {
  static constexpr Word<CoordinateMode> kWords[] = {{"half_pixel", CoordinateMode::HalfPixel},
                                                    {"half_pixel_symmetric", CoordinateMode::HalfPixelSymmetric},
                                                    {"pytorch_half_pixel", CoordinateMode::PytorchHalfPixel},
                                                    {"align_corners", CoordinateMode::AlignCorners},
                                                    {"asymmetric", CoordinateMode::Asymmetric},
                                                    {"tf_half_pixel_for_nn", CoordinateMode::TfHalfPixelForNn},
                                                    {"tf_crop_and_resize", CoordinateMode::TfCropAndResize}};
  return look_up(call, "coordinate_transformation_mode", word, kWords);
}

NearestMode nearest_mode_of(const OpCall& call, const std::string& word) {
  static constexpr Word<NearestMode> kWords[] = {{"round_prefer_floor", NearestMode::RoundPreferFloor},
                                                 {"round_prefer_ceil", NearestMode::RoundPreferCeil},
                                                 {"floor", NearestMode::Floor},
                                                 {"ceil", NearestMode::Ceil}};
  return look_up(call, "nearest_mode", word, kWords);
}

float source_coordinate(const ResizeAxis& axis, CoordinateMode mode, int64_t o) {
  const auto x = static_cast<float>(o);
  const auto in = static_cast<float>(axis.in);
  const auto out = static_cast<float>(axis.out);
  const float resized = in * axis.scale;
  switch (mode) {
    case CoordinateMode::HalfPixel:
      return (x + 0.5f) / axis.scale - 0.5f;
    case CoordinateMode::HalfPixelSymmetric:
      return in / 2 * (1 - out / resized) + (x + 0.5f) / axis.scale - 0.5f;
    case CoordinateMode::PytorchHalfPixel:
      return axis.out > 1 ? (x + 0.5f) / axis.scale - 0.5f : 0;
    case CoordinateMode::AlignCorners:
      return axis.out > 1 ? x * (in - 1) / (resized - 1) : 0;
    case CoordinateMode::Asymmetric:
      return x / axis.scale;
    case CoordinateMode::TfHalfPixelForNn:
      return (x + 0.5f) / axis.scale;
    case CoordinateMode::TfCropAndResize:
      if (axis.out == 1) return 0.5f * (axis.roi_begin + axis.roi_end) * (in - 1);
      return axis.roi_begin * (in - 1) + x * (axis.roi_end - axis.roi_begin) * (in - 1) / (out - 1);
  }
  return 0;
}

int64_t nearest_element(const ResizeAxis& axis, const ResizeMode& mode, int64_t o) {
  const float x = source_coordinate(axis, mode.coordinates, o);
  float nearest = 0;
  switch (mode.nearest) {
    case NearestMode::RoundPreferFloor:
      nearest = std::ceil(x - 0.5f);
      break;
    case NearestMode::RoundPreferCeil:
      nearest = std::floor(x + 0.5f);
      break;
    case NearestMode::Floor:
      nearest = std::floor(x);
      break;
    case NearestMode::Ceil:
      nearest = std::ceil(x);
      break;
    case NearestMode::CeilWhenShrinking:
      nearest = axis.scale < 1 ? std::ceil(x) : std::floor(x);
      break;
  }
  return std::clamp<int64_t>(static_cast<int64_t>(std::clamp(nearest, -1.0f, static_cast<float>(axis.in))), 0,
                             axis.in - 1);
}

std::vector<Tap> taps_of(const ResizeAxis& axis, const ResizeMode& mode, int64_t o) {
  // Far outside (tf_crop_and_resize) every element is the edge.
  const double limit = static_cast<double>(axis.in) + 4;
  const double x = std::clamp(static_cast<double>(source_coordinate(axis, mode.coordinates, o)), -limit, 2 * limit);
  const double stretch = mode.antialias ? std::max(1.0, 1.0 / static_cast<double>(axis.scale)) : 1.0;
  const double support = (mode.interpolation == Interpolation::Linear ? 1 : 2) * stretch;
  const auto first = static_cast<int64_t>(std::floor(x - support)) + 1;
  const auto last = static_cast<int64_t>(std::ceil(x + support)) - 1;

  std::vector<Tap> taps;
  double sum = 0;
  for (int64_t i = first; i <= last; ++i) {
    if (mode.exclude_outside && (i < 0 || i >= axis.in)) continue;
    const double weight = kernel_at(mode, (static_cast<double>(i) - x) / stretch);
    taps.push_back({std::clamp<int64_t>(i, 0, axis.in - 1), weight});
    sum += weight;
  }
  // Unless stretched or cut, the weights' sum is 1.
  if (mode.antialias || mode.exclude_outside) {
    for (Tap& tap : taps) tap.weight /= sum;
  }
  return taps;
}

}  // namespace halftone::sim::ops
