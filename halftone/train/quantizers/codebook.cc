// Han et al., "Deep Compression", ICLR 2016, section 3.2: the numbers of a codebook are trained, each by the sum of the
// gradients of its weights.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "halftone/train/quantizers/affine.h"

namespace halftone::train {
namespace {

class Codebook : public Quantizer {
 public:
  explicit Codebook(const Start& start) : params_(start.params) {
    const Tensor codes = quantize(from_content(start.content), params_);
    const std::vector<int64_t> numbers = to_vector<int64_t>(codes);
    const auto slices = static_cast<int64_t>(params_.scale.size());
    per_slice_ = params_.levels.size() > 0 ? entries_per_list() : 0;
    levels_ = at::empty({slices * per_slice_});
    keep_ = at::ones({slices * per_slice_});
    for (int64_t slice = 0; slice < slices; ++slice) {
      for (int64_t e = 0; e < per_slice_; ++e) {
        const float level = params_.levels[static_cast<size_t>(lists() == 1 ? e : slice * per_slice_ + e)];
        levels_.data_ptr<float>()[slice * per_slice_ + e] = params_.scale[static_cast<size_t>(slice)] * level;
        if (level == 0) keep_.data_ptr<float>()[slice * per_slice_ + e] = 0;
      }
    }
    levels_.set_requires_grad(true);
    index_ = at::empty(start.content.sizes(), at::kLong);
    const int64_t inner = inner_of(start.content);
    for (size_t i = 0; i < numbers.size(); ++i) {
      const int64_t slice = slices == 1 ? 0 : static_cast<int64_t>(i) / inner % slices;
      index_.data_ptr<int64_t>()[i] = slice * per_slice_ + numbers[i];
    }
  }

  // Which number a weight has is settled at the start: the numbers move, zero stays.
  at::Tensor apply(const at::Tensor&, Mode) override {
    const at::Tensor numbers = levels_ * keep_;
    return numbers.index_select(0, index_.reshape({-1})).reshape(index_.sizes());
  }
  // Numbers may have passed each other on their way: lists are sorted, those that met are pushed apart by the least
  // step.
  QuantParams params() const override {
    QuantParams result = params_;
    const std::vector<float> numbers = to_floats(levels_ * keep_);
    result.levels.assign(numbers.begin(), numbers.end());
    for (float& scale : result.scale) scale = 1;
    for (auto list = result.levels.begin(); list != result.levels.end(); list += per_slice_) {
      std::sort(list, list + per_slice_);
      const auto zero = std::upper_bound(list, list + per_slice_, 0.0f) - 1;  // the last of them, if there are several
      for (auto at = zero; at > list; --at) {
        if (at[-1] >= at[0]) at[-1] = std::nextafter(at[0], -INFINITY);
      }
      for (auto at = list + 1; at != list + per_slice_; ++at) {
        if (at[0] <= at[-1]) at[0] = std::nextafter(at[-1], INFINITY);
      }
    }
    return result;
  }
  std::vector<Learned> learned() override { return {{"levels", levels_}}; }

 private:
  static Tensor from_content(const at::Tensor& content) {
    const at::Tensor dense = content.detach().contiguous();
    const float* data = dense.data_ptr<float>();
    return Tensor::from<float>(dense.sizes().vec(), std::span<const float>(data, static_cast<size_t>(dense.numel())));
  }
  int64_t entries_per_list() const { return params_.q_max - params_.q_min + 1; }
  int64_t lists() const { return static_cast<int64_t>(params_.levels.size()) / entries_per_list(); }
  int64_t inner_of(const at::Tensor& content) const {
    int64_t inner = 1;
    for (int64_t d = std::max<int64_t>(params_.axis, 0) + 1; d < content.dim(); ++d) inner *= content.size(d);
    return inner;
  }

  QuantParams params_;
  int64_t per_slice_ = 0;
  at::Tensor levels_, keep_, index_;
};

}  // namespace

std::unique_ptr<Quantizer> make_codebook(const Start& start, ptq::StepWords&) {
  if (start.params.levels.empty()) {
    fail(ErrorCode::InvalidArgument, "quantizer 'codebook'",
         "requires weights on a grid of listed numbers, found evenly spaced ones; ask for \"grid\": \"codebook\"");
  }
  return std::make_unique<Codebook>(start);
}

}  // namespace halftone::train
