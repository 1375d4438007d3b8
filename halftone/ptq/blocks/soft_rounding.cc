#include "halftone/ptq/blocks/soft_rounding.h"
#include "halftone/ptq/rounding/rectified_sigmoid.h"

#include <algorithm>
#include <cmath>

namespace halftone::ptq {
namespace {

constexpr double kNearHalf = 0.45;

}  // namespace

SoftRounding::SoftRounding(const LayerShape& shape, const Tensor& content, const QuantParams& params,
                           const Tensor& real)
    : shape_(shape),
      tensor_(content.shape()),
      scale_(static_cast<size_t>(content.size())),
      base_(scale_.size()),
      v_(scale_.size()),
      fixed_(scale_.size()),
      adam_(scale_.size()) {
  const std::vector<float> codes = to_vector<float>(fake_quantize(content, params));
  const int64_t outputs = shape.groups * shape.channels;
  int64_t behind = 1;  // elements to one step along the axis of the scales
  for (size_t i = static_cast<size_t>(params.axis + 1); i < tensor_.size(); ++i) behind *= tensor_[i];
  for (int64_t c = 0; c < outputs; ++c) {
    for (int64_t f = 0; f < shape.features; ++f) {
      const auto i = static_cast<size_t>(c * shape.features + f);
      const auto at = static_cast<size_t>(shape.weight_offset(c, f));
      const auto slice = static_cast<size_t>(
          params.per_tensor() ? 0 : static_cast<int64_t>(at) / behind % tensor_[static_cast<size_t>(params.axis)]);
      scale_[i] = params.scale[slice];
      const auto steps = static_cast<double>(std::nearbyint(codes[at] / scale_[i]));
      const double away = double{real.data<float>()[at]} / scale_[i] - steps;
      const bool up = away >= 0;
      const double low = static_cast<double>(params.q_min - params.zero_point[slice]);
      const double high = static_cast<double>(params.q_max - params.zero_point[slice]);
      fixed_[i] = up ? steps + 1 > high : steps - 1 < low;
      base_[i] = static_cast<float>(up ? steps : steps - 1);
      const double near = std::min(std::abs(away), kNearHalf);
      const double h = std::clamp(up ? near : 1 - near, 0.01, 0.99);
      v_[i] = static_cast<float>(inverse_rectified_sigmoid(h));
      if (fixed_[i]) base_[i] = static_cast<float>(steps);
    }
  }
}

void SoftRounding::soft(std::span<float> weights) const {
  for (size_t i = 0; i < v_.size(); ++i) {
    weights[i] = scale_[i] * (base_[i] + (fixed_[i] ? 0.0F : static_cast<float>(rectified_sigmoid(double{v_[i]}))));
  }
}

void SoftRounding::hard(std::span<float> weights) const {
  for (size_t i = 0; i < v_.size(); ++i) weights[i] = scale_[i] * (base_[i] + (!fixed_[i] && v_[i] >= 0 ? 1.0F : 0.0F));
}

Tensor SoftRounding::content() const {
  std::vector<float> rows(v_.size());
  hard(rows);
  Tensor tensor(DType::Float, tensor_);
  const auto to = tensor.mutable_data<float>();
  for (int64_t c = 0; c < shape_.groups * shape_.channels; ++c) {
    for (int64_t f = 0; f < shape_.features; ++f) {
      to[static_cast<size_t>(shape_.weight_offset(c, f))] = rows[static_cast<size_t>(c * shape_.features + f)];
    }
  }
  return tensor;
}

void SoftRounding::update(std::span<const double> slopes, double rate, double push, double beta) {
  adam_.begin();
  for (size_t i = 0; i < v_.size(); ++i) {
    if (fixed_[i]) continue;
    const double share = sigmoid(double{v_[i]});
    double slope = slopes[i] * double{scale_[i]};
    if (push > 0) {
      const double side = 2 * rectified_sigmoid(double{v_[i]}) - 1;
      slope -= push * 2 * beta * std::copysign(std::pow(std::abs(side), beta - 1), side);
    }
    // Where the sigmoid is cut off its slope is kept, so that a decision can still be taken back.
    slope *= kStretch * share * (1 - share);
    v_[i] -= static_cast<float>(rate * adam_.move(i, slope));
  }
}

}  // namespace halftone::ptq
