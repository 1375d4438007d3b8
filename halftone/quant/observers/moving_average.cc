#include <cmath>

#include "halftone/quant/observer.h"
#include "halftone/quant/observers/parameter.h"

namespace halftone {
namespace {

// After batches x_1 ... x_n the average is sum_i (1 - c) c^(n-i) x_i / (1 - c^n). The division corrects the bias
// towards the start at zero (Kingma and Ba 2015, arXiv 1412.6980, section 3), so that the first batch counts in full.
class MovingAverage final : public Observer {
 public:
  explicit MovingAverage(double momentum) : momentum_(momentum) {}
  std::unique_ptr<Observer> clone() const override { return std::make_unique<MovingAverage>(*this); }
  bool order_matters() const override { return true; }

 private:
  void absorb(std::span<const float>, const Extent& extent) override {
    append(momentum_, (1 - momentum_) * extent.min, (1 - momentum_) * extent.max, 1 - momentum_);
  }
  void join(const Observer& other) override {
    const auto& later = static_cast<const MovingAverage&>(other);
    append(1 - later.weight_, later.low_, later.high_, later.weight_);
  }
  Range estimate() const override { return {static_cast<float>(low_ / weight_), static_cast<float>(high_ / weight_)}; }

  // Ages what was seen by `decay` and adds sums of the given total weight.
  void append(double decay, double low, double high, double weight) {
    low_ = low_ * decay + low;
    high_ = high_ * decay + high;
    weight_ = weight_ * decay + weight;
  }

  double momentum_;
  double low_ = 0, high_ = 0;
  double weight_ = 0;  // 1 - c^n
};

}  // namespace

std::unique_ptr<Observer> make_moving_average(std::string_view parameter, const QuantSpec&) {
  return std::make_unique<MovingAverage>(number_parameter("moving_average", parameter, 0.99, 0, 0.999999));
}

}  // namespace halftone
