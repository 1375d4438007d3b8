#include "halftone/train/quantizers/affine.h"

#include <cmath>

namespace halftone::train {
namespace {

template <typename T>
at::Tensor listed(const std::vector<T>& numbers) {
  at::Tensor list = at::empty({static_cast<int64_t>(numbers.size())});
  for (size_t i = 0; i < numbers.size(); ++i) list.data_ptr<float>()[i] = static_cast<float>(numbers[i]);
  return list;
}

}  // namespace

at::Tensor to_list(const std::vector<float>& numbers) { return listed(numbers); }
at::Tensor to_list(const std::vector<int32_t>& numbers) { return listed(numbers); }

std::vector<float> to_floats(const at::Tensor& list) {
  const at::Tensor dense = list.detach().contiguous();
  return {dense.data_ptr<float>(), dense.data_ptr<float>() + dense.numel()};
}

std::vector<int64_t> dimensions_but(const at::Tensor& real, int64_t axis) {
  std::vector<int64_t> others;
  for (int64_t d = 0; d < real.dim(); ++d) {
    if (d != axis) others.push_back(d);
  }
  return others;
}

at::Tensor along_axis(const at::Tensor& list, const at::Tensor& real, int64_t axis) {
  std::vector<int64_t> shape(static_cast<size_t>(real.dim()), 1);
  if (axis >= 0 && list.numel() > 1) shape[static_cast<size_t>(axis)] = -1;
  return list.reshape(shape);
}

AffineGrid::AffineGrid(const QuantParams& start)
    : params(start),
      codes{static_cast<double>(start.q_min), static_cast<double>(start.q_max), start.axis},
      scale(to_list(start.scale)),
      zero_point(to_list(start.zero_point)) {}

QuantParams AffineGrid::now(const at::Tensor& scales, const at::Tensor& zero_points) const {
  QuantParams result = params;
  result.scale = to_floats(scales);
  result.zero_point.clear();
  const std::vector<float> zeros = to_floats(zero_points);
  for (size_t i = 0; i < result.scale.size(); ++i) {
    const auto low = static_cast<float>(codes.low), high = static_cast<float>(codes.high);
    const float zero = std::clamp(std::nearbyintf(zeros[zeros.size() == 1 ? 0 : i]), low, high);
    result.zero_point.push_back(static_cast<int32_t>(zero));
  }
  return result;
}

double AffineGrid::gradient_scale(const at::Tensor& real, bool weights) const {
  const double shared = static_cast<double>(real.numel()) / static_cast<double>(scale.numel());
  const double elements = weights ? shared : shared / static_cast<double>(std::max<int64_t>(1, real.size(0)));
  return 1 / std::sqrt(std::max(1.0, elements) * std::max(1.0, codes.high));
}

void require_affine(std::string_view quantizer, const QuantParams& params) {
  std::string_view found;
  if (!params.levels.empty()) found = "levels that are not evenly spaced";
  if (!params.channel_bits.empty()) found = "channels of different widths";
  if (params.block_size != 0) found = "a scale per block";
  if (found.empty()) return;
  fail(ErrorCode::InvalidArgument, fmt::format("quantizer '{}'", quantizer),
       "requires an affine grid with scales per tensor or channel, found {}", found);
}

}  // namespace halftone::train
