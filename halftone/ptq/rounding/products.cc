#include "halftone/ptq/rounding/products.h"

#include <algorithm>
#include <array>

namespace halftone::ptq {
namespace {

constexpr int64_t kRun = 256;  // rows whose products are summed in float32
constexpr int64_t kTall = 4;   // columns of a to a panel
constexpr int64_t kWide = 8;   // columns of b to a panel: 4 x 8 sums fit the registers
constexpr int64_t kTile = 64;  // columns of a that a thread takes at a time

// Columns side by side in panels of `Width`, row after row, zero beyond the last column.
template <int64_t Width>
void pack(const MatrixView& m, int64_t first_row, int64_t rows, std::vector<float>& panels) {
  const int64_t count = (m.columns + Width - 1) / Width;
  panels.assign(static_cast<size_t>(count * rows * Width), 0.0F);
  for (int64_t p = 0; p < count; ++p) {
    const int64_t width = std::min(Width, m.columns - p * Width);
    float* to = panels.data() + p * rows * Width;
    const float* from = m.data + first_row * m.row_step + p * Width * m.column_step;
    for (int64_t r = 0; r < rows; ++r, to += Width, from += m.row_step) {
      for (int64_t c = 0; c < width; ++c) to[c] = from[c * m.column_step];
    }
  }
}

using PanelSums = std::array<std::array<float, kWide>, kTall>;

PanelSums multiply_panels(const float* a, const float* b, int64_t rows) {
  PanelSums sums{};
  for (int64_t r = 0; r < rows; ++r, a += kTall, b += kWide) {
    for (size_t i = 0; i < kTall; ++i) {
      for (size_t j = 0; j < kWide; ++j) sums[i][j] += a[i] * b[j];
    }
  }
  return sums;
}

int64_t tiles_of(const MatrixView& a) { return (a.columns + kTile - 1) / kTile; }

MatrixView tile_of(const MatrixView& a, int64_t tile) {
  return a.columns_from(tile * kTile, std::min(kTile, a.columns - tile * kTile));
}

}  // namespace

void sum_products(const MatrixView& a, const MatrixView& b, double* out, int64_t out_step) {
  for (int64_t i = 0; i < a.columns; ++i) std::fill_n(out + i * out_step, b.columns, 0.0);
  std::vector<float> tall, wide;
  for (int64_t first = 0; first < a.rows; first += kRun) {
    const int64_t rows = std::min(kRun, a.rows - first);
    pack<kTall>(a, first, rows, tall);
    pack<kWide>(b, first, rows, wide);
    for (int64_t j = 0; j < b.columns; j += kWide) {
      const int64_t width = std::min(kWide, b.columns - j);
      for (int64_t i = 0; i < a.columns; i += kTall) {
        const PanelSums sums = multiply_panels(tall.data() + i * rows, wide.data() + j * rows, rows);
        for (int64_t row = 0; row < std::min(kTall, a.columns - i); ++row) {
          double* to = out + (i + row) * out_step + j;
          for (int64_t c = 0; c < width; ++c) to[c] += double{sums[static_cast<size_t>(row)][static_cast<size_t>(c)]};
        }
      }
    }
  }
}

void sum_products(const MatrixView& a, const MatrixView& b, double* out, int64_t out_step, ThreadTeam& team) {
  team.run(tiles_of(a),
           [&](int64_t tile) { sum_products(tile_of(a, tile), b, out + tile * kTile * out_step, out_step); });
}

void sum_gram(const MatrixView& a, double* out, ThreadTeam& team) {
  const int64_t tiles = tiles_of(a);
  team.run(tiles, [&](int64_t i) {
    // The longest first, so that threads finish together.
    const int64_t tile = tiles - 1 - i;
    const MatrixView part = tile_of(a, tile);
    sum_products(part, a.columns_from(0, tile * kTile + part.columns), out + tile * kTile * a.columns, a.columns);
  });
  for (int64_t i = 0; i < a.columns; ++i) {
    for (int64_t j = 0; j < i; ++j) out[j * a.columns + i] = out[i * a.columns + j];
  }
}

}  // namespace halftone::ptq
