// Sums of products over samples, as learned rounding needs them: Gram matrices and layers' outputs.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/base/thread_team.h"

namespace halftone::ptq {

// A view of a matrix: element (r, c) is data[r * row_step + c * column_step].
struct MatrixView {
  const float* data = nullptr;
  int64_t rows = 0, columns = 0;
  int64_t row_step = 0, column_step = 1;

  MatrixView columns_from(int64_t first, int64_t count) const {
    return {data + first * column_step, rows, count, row_step, column_step};
  }
  MatrixView transposed() const { return {data, columns, rows, column_step, row_step}; }
};

// out[i * out_step + j] = sum over r of a(r, i) * b(r, j), for every column i of a and j of b. Runs of 256 rows are
// summed in float32 and the runs' sums in double. Cost: a.rows * a.columns * b.columns multiplications.
void sum_products(const MatrixView& a, const MatrixView& b, double* out, int64_t out_step);

// The same over the team, a tile of a's columns to a thread. Deterministic for any number of threads.
void sum_products(const MatrixView& a, const MatrixView& b, double* out, int64_t out_step, ThreadTeam& team);

// a's Gram matrix: sum_products(a, a), of which half is computed and mirrored; exactly symmetric.
void sum_gram(const MatrixView& a, double* out, ThreadTeam& team);

}  // namespace halftone::ptq
