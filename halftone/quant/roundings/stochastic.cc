#include "halftone/quant/rounding.h"
#include "halftone/quant/roundings/neighbours.h"
#include "halftone/quant/roundings/seed.h"

namespace halftone {
namespace {

class Stochastic final : public Rounding {
 public:
  explicit Stochastic(uint64_t seed) : seed_(seed) {}

  Tensor round(const Tensor& real, const QuantParams& params) const override {
    return map_elements(real, params, [&](float x, const ScaleNumbers& numbers, size_t i) {
      const auto [lower, upper] = numbers.around(x);
      const double way = (double{x} - lower) / (double{upper} - lower);
      return lower < upper && uniform_at(seed_, i) < way ? upper : lower;
    });
  }

 private:
  uint64_t seed_;
};

}  // namespace

std::unique_ptr<Rounding> make_stochastic(std::string_view parameter) {
  return std::make_unique<Stochastic>(seed_parameter("stochastic", parameter));
}

}  // namespace halftone
