// Whether calibration data look like what the network was trained on.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/quant/value_moments.h"
#include "halftone/tensor/tensor.h"

namespace halftone {

// Compares the channels of activations with what batch normalization knows of them (propagate_moments). A few samples
// are enough. Not thread-safe: give each thread its own and merge.
class DomainCheck {
 public:
  // Values by name that may be observed. `moments` must outlive the check.
  explicit DomainCheck(const ValueMoments& moments) : moments_(&moments) {}

  // A check of the same values that has seen none.
  DomainCheck empty_copy() const { return DomainCheck(*moments_); }

  // Values without moments are passed over.
  void observe(std::string_view value, const Tensor& content);
  void merge(const DomainCheck& later);

  // How far a typical channel's mean lies from where it was in training, in deviations of the channel: the median over
  // the channels of each value, and the median over the values. nullopt where nothing is known.
  std::optional<double> distance() const;

  // A remark for the user when the distance is more than 0.25 + 0.1 / sqrt(samples). Measured on networks of the
  // MobileNet and ResNet families: single photographs from 0.1 to 0.33, eight of them 0.1, a hundred 0.04 to 0.09;
  // noise, grey, black and white images from 0.35 up, one or many.
  std::optional<std::string> remark() const;

 private:
  struct Sums {
    std::vector<double> sum;
    double count = 0;  // of numbers per channel
    int64_t samples = 0;
  };
  // Of the value that was observed most often.
  int64_t samples() const;

  const ValueMoments* moments_;
  std::map<std::string, Sums, std::less<>> seen_;
};

}  // namespace halftone
