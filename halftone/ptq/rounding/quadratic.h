// The error of a layer's outputs as a function of the weights that make them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace halftone::ptq {

// E(w) = (w - w*)^T Q (w - w*): the mean squared error of an output channel with weights w whose best weights are w*.
// Q is the Gram matrix of the channel's inputs, the same for all channels of a group, made positive definite:
//   Q = H + damping * mean(diag H) * I    (H = 0, e.g. constant inputs: Q = I)
// which also keeps inputs that are always 0 and sample counts below the number of inputs harmless.
class Quadratic {
 public:
  // `gram` is H, size x size, symmetric, positive semidefinite; damping > 0. Cost: size^3 / 6 multiplications.
  Quadratic(int64_t size, std::vector<double> gram, double damping);

  int64_t size() const { return size_; }
  double added() const { return added_; }  // to H's diagonal
  // Row i of Q.
  std::span<const double> row(int64_t i) const { return {q_.data() + i * size_, static_cast<size_t>(size_)}; }
  // Row i, columns [0, i], of the lower triangular C with Q = C C^T. E is the sum over i of
  // (sum over j >= i of C(j, i) (w - w*)(j))^2, so a back substitution settles the last coordinate first.
  std::span<const double> factor_row(int64_t i) const {
    return {factor_.data() + i * size_, static_cast<size_t>(i + 1)};
  }
  // Solves Q x = b in place.
  void solve(std::span<double> b) const;
  // Q d. Cost: size^2.
  void multiply(std::span<const double> d, std::span<double> result) const;
  // d^T Q d. Cost: size^2 / 2.
  double error(std::span<const double> d) const;

 private:
  int64_t size_;
  double added_ = 1;
  std::vector<double> q_, factor_;
};

}  // namespace halftone::ptq
