#include "halftone/ptq/rounding/layer_sums.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace halftone::ptq {
namespace {

MatrixView rows_of(MatrixView matrix, RowRange range) {
  matrix.data += range.first * matrix.row_step;
  matrix.rows = range.count;
  return matrix;
}

}  // namespace

std::vector<double> centre(std::vector<float>& matrix, int64_t rows, int64_t columns) {
  std::vector<double> mean(static_cast<size_t>(columns), 0.0);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c)
      mean[static_cast<size_t>(c)] += double{matrix[static_cast<size_t>(r * columns + c)]};
  }
  for (double& value : mean) value /= static_cast<double>(rows);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      float& value = matrix[static_cast<size_t>(r * columns + c)];
      value = static_cast<float>(double{value} - mean[static_cast<size_t>(c)]);
    }
  }
  return mean;
}

LayerSums::LayerSums(const LayerShape& shape, std::vector<float> inputs, int64_t rows, bool centred, ThreadTeam& team)
    : shape_(shape), rows_(rows), inputs_(std::move(inputs)), team_(team) {
  if (centred) means_ = centre(inputs_, rows_, shape_.groups * shape_.features);
  order_ = find_order();
}

double LayerSums::mean(size_t group, size_t place) const {
  if (means_.empty()) return 0;
  return means_[group * static_cast<size_t>(shape_.features) + static_cast<size_t>(order_[group][place])];
}

MatrixView LayerSums::inputs(int64_t group) const {
  return {inputs_.data() + group * shape_.features, rows_, shape_.features, shape_.groups * shape_.features, 1};
}

std::vector<std::vector<int64_t>> LayerSums::find_order() const {
  const int64_t width = shape_.groups * shape_.features;
  std::vector<double> energy(static_cast<size_t>(width), 0.0);
  for (int64_t r = 0; r < rows_; ++r) {
    for (int64_t f = 0; f < width; ++f) {
      const double x = inputs_[static_cast<size_t>(r * width + f)];
      energy[static_cast<size_t>(f)] += x * x;
    }
  }
  std::vector<std::vector<int64_t>> order(static_cast<size_t>(shape_.groups));
  for (size_t g = 0; g < order.size(); ++g) {
    order[g].resize(static_cast<size_t>(shape_.features));
    std::iota(order[g].begin(), order[g].end(), int64_t{0});
    const double* own = energy.data() + static_cast<int64_t>(g) * shape_.features;
    std::stable_sort(order[g].begin(), order[g].end(), [&](int64_t a, int64_t b) { return own[a] < own[b]; });
  }
  return order;
}

std::vector<std::vector<double>> LayerSums::grams(RowRange range) const {
  const int64_t k = shape_.features;
  std::vector<std::vector<double>> all(static_cast<size_t>(shape_.groups));
  const auto sum = [&](int64_t group, const std::function<void(const MatrixView&, double*)>& sum_inputs) {
    const std::vector<int64_t>& order = order_[static_cast<size_t>(group)];
    std::vector<double> plain(static_cast<size_t>(k * k)), &sorted = all[static_cast<size_t>(group)];
    sum_inputs(rows_of(inputs(group), range), plain.data());
    sorted.resize(plain.size());
    for (int64_t i = 0; i < k; ++i) {
      const double* row = plain.data() + order[static_cast<size_t>(i)] * k;
      for (int64_t j = 0; j < k; ++j) {
        sorted[static_cast<size_t>(i * k + j)] = row[order[static_cast<size_t>(j)]] / static_cast<double>(range.count);
      }
    }
  };
  if (shape_.groups == 1) {
    sum(0, [&](const MatrixView& x, double* out) { sum_gram(x, out, team_); });
  } else {
    team_.run(shape_.groups, [&](int64_t group) {
      sum(group, [&](const MatrixView& x, double* out) { sum_products(x, x, out, k); });
    });
  }
  return all;
}

std::vector<std::vector<double>> LayerSums::products(const std::vector<float>& targets, RowRange range) const {
  const int64_t k = shape_.features, n = shape_.channels;
  std::vector<std::vector<double>> all(static_cast<size_t>(shape_.groups));
  using Sum = std::function<void(const MatrixView&, const MatrixView&, double*)>;
  const auto sum = [&](int64_t group, const Sum& multiply) {
    const MatrixView t{targets.data() + group * n, rows_, n, shape_.groups * n, 1};
    const std::vector<int64_t>& order = order_[static_cast<size_t>(group)];
    std::vector<double> plain(static_cast<size_t>(k * n)), &sorted = all[static_cast<size_t>(group)];
    multiply(rows_of(inputs(group), range), rows_of(t, range), plain.data());
    sorted.resize(plain.size());
    for (int64_t i = 0; i < k; ++i) {
      const double* row = plain.data() + order[static_cast<size_t>(i)] * n;
      for (int64_t c = 0; c < n; ++c) {
        sorted[static_cast<size_t>(i * n + c)] = row[c] / static_cast<double>(range.count);
      }
    }
  };
  if (shape_.groups == 1) {
    sum(0, [&](const MatrixView& x, const MatrixView& t, double* out) { sum_products(x, t, out, n, team_); });
  } else {
    team_.run(shape_.groups, [&](int64_t group) {
      sum(group, [&](const MatrixView& x, const MatrixView& t, double* out) { sum_products(x, t, out, n); });
    });
  }
  return all;
}

}  // namespace halftone::ptq
