#include <cmath>
#include <utility>

#include "halftone/sim/ops.h"

namespace halftone::sim::ops {
namespace {

// Gaussian elimination with partial pivoting, in double; destroys the matrix.
double determinant(double* matrix, int64_t n) {
  double result = 1.0;
  for (int64_t column = 0; column < n; ++column) {
    int64_t pivot = column;
    for (int64_t row = column + 1; row < n; ++row) {
      if (std::fabs(matrix[row * n + column]) > std::fabs(matrix[pivot * n + column])) pivot = row;
    }
    if (matrix[pivot * n + column] == 0.0) return 0.0;
    if (pivot != column) {
      for (int64_t i = 0; i < n; ++i) std::swap(matrix[pivot * n + i], matrix[column * n + i]);
      result = -result;
    }
    result *= matrix[column * n + column];
    for (int64_t row = column + 1; row < n; ++row) {
      const double factor = matrix[row * n + column] / matrix[column * n + column];
      for (int64_t i = column; i < n; ++i) matrix[row * n + i] -= factor * matrix[column * n + i];
    }
  }
  return result;
}

}  // namespace

std::vector<Tensor> det(const OpCall& call) {
  const Tensor& x = call.input(0);
  const int64_t rank = x.rank();
  if (rank < 2 || x.dim(rank - 1) != x.dim(rank - 2)) {
    call.refuse("square matrices are required, found {}", to_string(x.shape()));
  }
  const int64_t n = x.dim(rank - 1);
  Tensor result(DType::Double, Shape(x.shape().begin(), x.shape().end() - 2));
  std::vector<double> elements = to_vector<double>(x);
  double* matrix = elements.data();
  for (double& value : result.mutable_data<double>()) {
    value = determinant(matrix, n);
    matrix += n * n;
  }
  return {convert(result, x.dtype())};
}

}  // namespace halftone::sim::ops
