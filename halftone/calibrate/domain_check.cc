#include "halftone/calibrate/domain_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace halftone {
namespace {

double median(std::vector<double> numbers) {
  const auto middle = numbers.begin() + static_cast<ptrdiff_t>(numbers.size() / 2);
  std::nth_element(numbers.begin(), middle, numbers.end());
  return *middle;
}

}  // namespace

void DomainCheck::observe(std::string_view value, const Tensor& content) {
  const auto moments = moments_->find(value);
  if (moments == moments_->end() || content.rank() < 2 || content.size() == 0) return;
  const size_t channels = moments->second.size();
  if (content.dim(1) != static_cast<int64_t>(channels)) return;
  const auto slices = static_cast<size_t>(content.dim(0)) * channels;
  const auto inner = static_cast<size_t>(content.size()) / slices;
  Sums& sums = seen_.try_emplace(std::string(value)).first->second;
  sums.sum.resize(channels);
  for (size_t i = 0; i < slices; ++i) {
    double sum = 0;
    for (float x : content.data<float>().subspan(i * inner, inner)) sum += double{x};
    sums.sum[i % channels] += sum;
  }
  sums.samples += content.dim(0);
  sums.count += static_cast<double>(static_cast<size_t>(content.dim(0)) * inner);
}

void DomainCheck::merge(const DomainCheck& later) {
  for (const auto& [name, sums] : later.seen_) {
    Sums& mine = seen_.try_emplace(name).first->second;
    mine.sum.resize(sums.sum.size());
    for (size_t c = 0; c < sums.sum.size(); ++c) mine.sum[c] += sums.sum[c];
    mine.count += sums.count;
    mine.samples += sums.samples;
  }
}

std::optional<double> DomainCheck::distance() const {
  std::vector<double> distances;
  for (const auto& [name, sums] : seen_) {
    const std::vector<ClippedNormal>& expected = moments_->at(name);
    std::vector<double> channels;
    for (size_t c = 0; c < expected.size(); ++c) {
      const double deviation = expected[c].deviation();
      // A channel that is clipped nearly always says nothing.
      if (deviation > 1e-3 * expected[c].spread)
        channels.push_back(std::abs(sums.sum[c] / sums.count - expected[c].mean()) / deviation);
    }
    if (!channels.empty()) distances.push_back(median(std::move(channels)));
  }
  return distances.empty() ? std::nullopt : std::optional(median(std::move(distances)));
}

int64_t DomainCheck::samples() const {
  int64_t most = 1;
  for (const auto& [name, sums] : seen_) most = std::max(most, sums.samples);
  return most;
}

std::optional<std::string> DomainCheck::remark() const {
  const std::optional<double> far = distance();
  if (!far || *far <= 0.25 + 0.1 / std::sqrt(static_cast<double>(samples()))) return std::nullopt;
  return fmt::format(
      "the calibration data look unlike what the network was trained on: a typical channel's mean is {:.1f} deviations "
      "away from what batch normalization knows; check the data and their preprocessing",
      *far);
}

}  // namespace halftone
