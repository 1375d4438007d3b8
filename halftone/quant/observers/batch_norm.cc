#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/quant/observer.h"
#include "halftone/quant/observers/parameter.h"
#include "halftone/quant/value_moments.h"

namespace halftone {
namespace {

class BatchNorm final : public Observer {
 public:
  explicit BatchNorm(double deviations) : deviations_(deviations) {}
  std::unique_ptr<Observer> clone() const override { return std::make_unique<BatchNorm>(*this); }
  bool needs_data() const override { return false; }

 private:
  void absorb(std::span<const float>, const Extent&) override {
    fail(ErrorCode::InvalidArgument, "batch_norm",
         "it knows activations that batch normalization made, not weights; use another observer for those");
  }
  void learn(std::span<const ClippedNormal> channels) override {
    for (const ClippedNormal& channel : channels) include(channel.range(deviations_));
  }
  void join(const Observer& other) override { include(static_cast<const BatchNorm&>(other).range_); }
  Range estimate() const override { return range_; }

  void include(const Range& range) { range_ = {std::min(range_.low, range.low), std::max(range_.high, range.high)}; }

  double deviations_;
  Range range_;
};

}  // namespace

std::unique_ptr<Observer> make_batch_norm(std::string_view parameter, const QuantSpec&) {
  return std::make_unique<BatchNorm>(number_parameter("batch_norm", parameter, 6, 0.1, 100));
}

}  // namespace halftone
