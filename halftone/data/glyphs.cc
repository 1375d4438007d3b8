#include "halftone/data/glyphs.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "halftone/base/rng.h"

namespace halftone::data {
namespace {

struct Point {
  float x, y;
};
using Polyline = std::vector<Point>;
using Color = std::array<float, 3>;

// Angles in turns, clockwise from the right (y points down); the radius may change along the way, which makes a spiral.
Polyline arc(float cx, float cy, float from_radius, float to_radius, double from_turn, double to_turn) {
  constexpr double kTwoPi = 6.283185307179586;
  const int pieces = std::max(4, static_cast<int>(std::ceil(std::abs(to_turn - from_turn) * 16)));
  Polyline line;
  for (int i = 0; i <= pieces; ++i) {
    const double t = static_cast<double>(i) / pieces;
    const double angle = kTwoPi * (from_turn + t * (to_turn - from_turn));
    const double radius = from_radius + t * (to_radius - from_radius);
    // On a coarse grid C libraries that differ in the last bit of a cosine give the same picture.
    const auto snap = [](double v) { return static_cast<float>(std::round(v * 4096) / 4096); };
    line.push_back({snap(cx + radius * std::cos(angle)), snap(cy + radius * std::sin(angle))});
  }
  return line;
}

// The designs, in the square [-1, 1] x [-1, 1], in the order of kGlyphNames.
std::vector<std::vector<Polyline>> make_designs() {
  return {
      {arc(0, 0, 0.85f, 0.85f, 0, 1)},
      {arc(0, 0, 0.85f, 0.85f, 0.12, 0.88)},
      {arc(0, 0, 0.15f, 0.95f, 0.25, 2.0)},
      {{{0, -0.9f}, {0.9f, 0.7f}, {-0.9f, 0.7f}, {0, -0.9f}}},
      {{{-0.9f, 0}, {0.9f, 0}}, {{0.3f, -0.6f}, {0.9f, 0}, {0.3f, 0.6f}}},
      {{{0, 0.95f}, {0, -0.9f}}, arc(0, -0.8f, 0.75f, 0.75f, 0, 0.5)},
      {{{-0.8f, -0.8f}, {0.7f, -0.6f}, {-0.7f, 0.6f}, {0.8f, 0.8f}}},
      {arc(-0.45f, 0, 0.45f, 0.45f, 0.5, 1.0), arc(0.45f, 0, 0.45f, 0.45f, 0.5, 0.0)},
      {{{-0.85f, 0}, {0.85f, 0}}, {{0, -0.85f}, {0, 0.85f}}},
      {arc(0, -0.5f, 0.4f, 0.4f, 0, 1), {{0, -0.1f}, {0, 0.95f}}, {{0, 0.6f}, {0.45f, 0.6f}}},
  };
}

struct Affine {
  float xx, xy, yx, yy, cx, cy;
  Point operator()(Point p) const { return {xx * p.x + xy * p.y + cx, yx * p.x + yy * p.y + cy}; }
};

float uniform(Rng& rng, double low, double high) { return static_cast<float>(rng.uniform(low, high)); }

// A rotation whose half-angle has the given tangent: no trigonometry, so the same bits everywhere.
struct Rotation {
  float cosine, sine;
  explicit Rotation(float t) : cosine((1 - t * t) / (1 + t * t)), sine(2 * t / (1 + t * t)) {}
};

Affine random_warp(Rng& rng) {
  constexpr float kCentre = (kGlyphSize - 1) / 2.0f;
  const Rotation turn(uniform(rng, -0.36, 0.36));  // up to 40 degrees either way
  const float scale = uniform(rng, 6, 12), aspect = uniform(rng, 0.7, 1.4), shear = uniform(rng, -0.4, 0.4);
  const float sx = scale * aspect, sy = scale;
  Affine warp;
  warp.xx = turn.cosine * sx;
  warp.xy = turn.cosine * shear * sx - turn.sine * sy;
  warp.yx = turn.sine * sx;
  warp.yy = turn.sine * shear * sx + turn.cosine * sy;
  warp.cx = kCentre + uniform(rng, -4, 4);
  warp.cy = kCentre + uniform(rng, -4, 4);
  return warp;
}

Color random_color(Rng& rng) { return {uniform(rng, 10, 245), uniform(rng, 10, 245), uniform(rng, 10, 245)}; }

float distance(const Color& a, const Color& b) {
  float sum = 0;
  for (size_t i = 0; i < 3; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

// A colour that can be told from `other`.
Color contrasting_color(Rng& rng, const Color& other) {
  Color best = random_color(rng);
  for (int attempt = 0; attempt < 8 && distance(best, other) < 70; ++attempt) {
    const Color candidate = random_color(rng);
    if (distance(candidate, other) > distance(best, other)) best = candidate;
  }
  return best;
}

// 32 x 32 x 3 in float, before rounding.
class Canvas {
 public:
  Canvas() : pixels_(kGlyphSize * kGlyphSize) {}

  void fill_gradient(const Color& from, const Color& to, float direction_x, float direction_y) {
    for_each([&](Color& pixel, float u, float v) {
      const float t = std::clamp(0.5f + u * direction_x + v * direction_y, 0.0f, 1.0f);
      for (size_t c = 0; c < 3; ++c) pixel[c] = from[c] + t * (to[c] - from[c]);
    });
  }

  // Strokes with round ends and a soft edge one pixel wide; where they overlap, the pixel is painted once.
  void draw(std::span<const Polyline> lines, const Affine& warp, float half_width, const Color& color, float opacity) {
    std::array<float, kGlyphSize * kGlyphSize> coverage{};
    for (const Polyline& line : lines) {
      for (size_t i = 0; i + 1 < line.size(); ++i) {
        cover_segment(coverage, warp(line[i]), warp(line[i + 1]), half_width + 0.5f);
      }
    }
    for (size_t i = 0; i < pixels_.size(); ++i) {
      const float alpha = opacity * coverage[i];
      if (alpha == 0) continue;
      for (size_t c = 0; c < 3; ++c) pixels_[i][c] += alpha * (color[c] - pixels_[i][c]);
    }
  }

  void light(float level, float slope_x, float slope_y) {
    for_each([&](Color& pixel, float u, float v) {
      const float gain = level + u * slope_x + v * slope_y;
      for (float& value : pixel) value *= gain;
    });
  }

  // Near-normal noise of the given deviation: the sum of eight random bytes (Irwin-Hall), one draw per value.
  void add_noise(Rng& rng, float deviation) {
    constexpr float kMean = 8 * 127.5f, kDeviation = 209.024f;  // sqrt(8 * (256^2 - 1) / 12)
    constexpr uint64_t kEvenBytes = 0x00ff00ff00ff00ff, kEach = 0x0001000100010001;
    for (Color& pixel : pixels_) {
      for (float& value : pixel) {
        const uint64_t bits = rng.next();
        // Adds neighbouring bytes pairwise, then the four sums at once in the product's top 16 bits.
        const uint64_t pairs = (bits & kEvenBytes) + ((bits >> 8) & kEvenBytes);
        const auto sum = static_cast<float>((pairs * kEach) >> 48);
        value += (sum - kMean) * (deviation / kDeviation);
      }
    }
  }

  Image to_image() const {
    Image image{kGlyphSize, kGlyphSize, {}};
    image.pixels.reserve(pixels_.size() * 3);
    for (const Color& pixel : pixels_) {
      for (const float value : pixel) {
        image.pixels.push_back(static_cast<uint8_t>(std::clamp(value, 0.0f, 255.0f) + 0.5f));
      }
    }
    return image;
  }

 private:
  // visit(pixel, u, v) with u, v in [-0.5, 0.5] across the picture.
  template <typename Visit>
  void for_each(const Visit& visit) {
    for (int64_t y = 0; y < kGlyphSize; ++y) {
      for (int64_t x = 0; x < kGlyphSize; ++x) {
        const auto centred = [](int64_t i) { return (static_cast<float>(i) + 0.5f) / kGlyphSize - 0.5f; };
        visit(pixels_[static_cast<size_t>(y * kGlyphSize + x)], centred(x), centred(y));
      }
    }
  }

  // Raises the coverage to clamp(reach - distance to the segment, 0, 1).
  static void cover_segment(std::array<float, kGlyphSize * kGlyphSize>& coverage, Point a, Point b, float reach) {
    const auto first = [&](float v) { return std::max(0, static_cast<int>(std::ceil(v - reach))); };
    const auto last = [&](float v) { return std::min<int>(kGlyphSize - 1, static_cast<int>(std::floor(v + reach))); };
    const float dx = b.x - a.x, dy = b.y - a.y;
    const float inverse_length2 = 1 / std::max(dx * dx + dy * dy, 1e-6f);
    const int x_end = last(std::max(a.x, b.x)), y_end = last(std::max(a.y, b.y));
    for (int y = first(std::min(a.y, b.y)); y <= y_end; ++y) {
      for (int x = first(std::min(a.x, b.x)); x <= x_end; ++x) {
        const float px = static_cast<float>(x) - a.x, py = static_cast<float>(y) - a.y;
        const float t = std::clamp((px * dx + py * dy) * inverse_length2, 0.0f, 1.0f);
        const float ex = px - t * dx, ey = py - t * dy;
        const float cover = std::min(reach - std::sqrt(ex * ex + ey * ey), 1.0f);
        float& entry = coverage[static_cast<size_t>(y * kGlyphSize + x)];
        entry = std::max(entry, cover);
      }
    }
  }

  std::vector<Color> pixels_;
};

// A stray line of two pieces, somewhere on the picture.
void draw_clutter(Canvas& canvas, Rng& rng, double longest, double widest) {
  const auto anywhere = [&] { return uniform(rng, -2, kGlyphSize + 1); };
  const auto step = [&] { return uniform(rng, -longest, longest); };
  Polyline line{{anywhere(), anywhere()}};
  for (int i = 0; i < 2; ++i) line.push_back({line.back().x + step(), line.back().y + step()});
  constexpr Affine kIdentity{1, 0, 0, 1, 0, 0};
  const float half_width = uniform(rng, 0.3, widest);
  const Color color = random_color(rng);
  canvas.draw({&line, 1}, kIdentity, half_width, color, uniform(rng, 0.5, 0.9));
}

}  // namespace

Glyph draw_glyph(uint64_t seed, uint64_t index) {
  static const std::vector<std::vector<Polyline>> designs = make_designs();
  Rng rng(seed, index);
  Glyph glyph;
  glyph.label = static_cast<int64_t>(rng.below(designs.size()));

  const Color from = random_color(rng);
  Color to = random_color(rng), middle;
  for (size_t c = 0; c < 3; ++c) {
    to[c] = 0.4f * from[c] + 0.6f * to[c];
    middle[c] = (from[c] + to[c]) / 2;
  }
  Canvas canvas;
  const float gradient_x = uniform(rng, -1, 1), gradient_y = uniform(rng, -1, 1);
  canvas.fill_gradient(from, to, gradient_x, gradient_y);
  for (uint64_t i = 0, behind = 2 + rng.below(4); i < behind; ++i) draw_clutter(canvas, rng, 10, 1.1);
  const Affine warp = random_warp(rng);
  const float half_width = uniform(rng, 0.6, 1.4);
  canvas.draw(designs[static_cast<size_t>(glyph.label)], warp, half_width, contrasting_color(rng, middle), 1);
  for (uint64_t i = 0, before = 1 + rng.below(3); i < before; ++i) draw_clutter(canvas, rng, 7, 0.6);
  const float level = uniform(rng, 0.65, 1.15), slope_x = uniform(rng, -0.5, 0.5), slope_y = uniform(rng, -0.5, 0.5);
  canvas.light(level, slope_x, slope_y);
  canvas.add_noise(rng, uniform(rng, 4, 32));
  glyph.image = canvas.to_image();
  return glyph;
}

}  // namespace halftone::data
