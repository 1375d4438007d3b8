#include "halftone/quant/rounding.h"
#include "halftone/quant/roundings/neighbours.h"
#include "halftone/quant/roundings/seed.h"

namespace halftone {
namespace {

class StochasticBinary final : public Rounding {
 public:
  explicit StochasticBinary(uint64_t seed) : seed_(seed) {}

  Tensor round(const Tensor& real, const QuantParams& params) const override {
    return map_elements(real, params, [&](float x, const ScaleNumbers& numbers, size_t i) {
      // The hard sigmoid: beyond the ends the draw, which is at least 0 and below 1, decides nothing.
      const double chance = (double{x} / double{numbers.highest()} + 1) / 2;
      return uniform_at(seed_, i) < chance ? numbers.highest() : numbers.lowest();
    });
  }

 private:
  uint64_t seed_;
};

}  // namespace

std::unique_ptr<Rounding> make_stochastic_binary(std::string_view parameter) {
  return std::make_unique<StochasticBinary>(seed_parameter("stochastic_binary", parameter));
}

}  // namespace halftone
