// What a layer's rows come to: means, Gram matrices of the inputs, and their products with targets.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/base/thread_team.h"
#include "halftone/ptq/rounding/layer_rows.h"
#include "halftone/ptq/rounding/products.h"

namespace halftone::ptq {

// A run of rows.
struct RowRange {
  int64_t first = 0, count = 0;
};

// Column means of `matrix` (row-major, rows x columns), in double; subtracts them from it.
std::vector<double> centre(std::vector<float>& matrix, int64_t rows, int64_t columns);

// The inputs of a layer's rows, group by group, with the features of each group in an order of its own: those that
// matter most last, for rounding settles the last one first, and the others make up for it.
class LayerSums {
 public:
  // `inputs` as in LayerRows. With `centred` their means are taken out of them.
  LayerSums(const LayerShape& shape, std::vector<float> inputs, int64_t rows, bool centred, ThreadTeam& team);

  int64_t rows() const { return rows_; }
  // Features of each group in their order.
  const std::vector<std::vector<int64_t>>& order() const { return order_; }
  // The mean that was taken out of the group's input at this place of the order.
  double mean(size_t group, size_t place) const;
  // Inputs of a group: rows x features, features as they came.
  MatrixView inputs(int64_t group) const;

  // By group, means over the rows of the range:
  //   grams     features x features: input i times input j
  //   products  features x channels: input i times target c, `targets` being rows x groups x channels
  // Cost: range * groups * features * (features / 2, or channels) multiplications. Deterministic for any number of
  // threads.
  std::vector<std::vector<double>> grams(RowRange range) const;
  std::vector<std::vector<double>> products(const std::vector<float>& targets, RowRange range) const;

 private:
  std::vector<std::vector<int64_t>> find_order() const;

  const LayerShape& shape_;
  const int64_t rows_;
  std::vector<float> inputs_;
  std::vector<double> means_;  // empty: nothing was taken out
  std::vector<std::vector<int64_t>> order_;
  ThreadTeam& team_;
};

}  // namespace halftone::ptq
