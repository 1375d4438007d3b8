#include "halftone/quant/observer.h"
#include "halftone/quant/observers/parameter.h"

namespace halftone {
namespace {

class MinMax final : public Observer {
 public:
  std::unique_ptr<Observer> clone() const override { return std::make_unique<MinMax>(*this); }

 private:
  void absorb(std::span<const float>, const Extent& extent) override { extent_.merge(extent); }
  void join(const Observer& other) override { extent_.merge(static_cast<const MinMax&>(other).extent_); }
  Range estimate() const override { return {extent_.min, extent_.max}; }

  Extent extent_;
};

}  // namespace

std::unique_ptr<Observer> make_min_max(std::string_view parameter, const QuantSpec&) {
  no_parameter("min_max", parameter);
  return std::make_unique<MinMax>();
}

}  // namespace halftone
