#include "halftone/quant/histogram.h"
#include "halftone/quant/observer.h"
#include "halftone/quant/observers/parameter.h"
#include "halftone/quant/tally.h"

namespace halftone {
namespace {

class Percentile final : public Observer {
 public:
  Percentile(double percent, const QuantSpec& spec) : kept_(percent / 100), histogram_(histogram_bins(spec)) {}
  std::unique_ptr<Observer> clone() const override { return std::make_unique<Percentile>(*this); }

 private:
  void absorb(std::span<const float> batch, const Extent& extent) override { histogram_.add(batch, extent); }
  void join(const Observer& other) override { histogram_.merge(static_cast<const Percentile&>(other).histogram_); }
  Range estimate() const override { return {histogram_.quantile(1 - kept_), histogram_.quantile(kept_)}; }

  double kept_;
  Histogram histogram_;
};

}  // namespace

std::unique_ptr<Observer> make_percentile(std::string_view parameter, const QuantSpec& spec) {
  return std::make_unique<Percentile>(number_parameter("percentile", parameter, 99.99, 50, 100), spec);
}

}  // namespace halftone
