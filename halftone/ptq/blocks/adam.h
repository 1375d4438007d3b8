// Adam (Kingma and Ba 2015, arXiv 1412.6980), for numbers that are learned.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace halftone::ptq {

class Adam {
 public:
  explicit Adam(size_t size) : mean_(size, 0.0), square_(size, 0.0) {}

  // Begins the next update of all numbers.
  void begin() {
    ++count_;
    mean_bias_ = 1 - std::pow(kDecay1, static_cast<double>(count_));
    square_bias_ = 1 - std::pow(kDecay2, static_cast<double>(count_));
  }
  // How far number i goes against its slope, in units of the learning rate.
  double move(size_t i, double slope) {
    mean_[i] = kDecay1 * mean_[i] + (1 - kDecay1) * slope;
    square_[i] = kDecay2 * square_[i] + (1 - kDecay2) * slope * slope;
    return mean_[i] / mean_bias_ / (std::sqrt(square_[i] / square_bias_) + 1e-12);
  }

 private:
  static constexpr double kDecay1 = 0.9, kDecay2 = 0.999;
  std::vector<double> mean_, square_;
  int64_t count_ = 0;
  double mean_bias_ = 1, square_bias_ = 1;
};

}  // namespace halftone::ptq
