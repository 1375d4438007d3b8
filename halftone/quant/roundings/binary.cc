#include "halftone/quant/rounding.h"
#include "halftone/quant/roundings/neighbours.h"
#include "halftone/quant/roundings/seed.h"

namespace halftone {
namespace {

class Binary final : public Rounding {
 public:
  Tensor round(const Tensor& real, const QuantParams& params) const override {
    return map_elements(real, params, [](float x, const ScaleNumbers& numbers, size_t) {
      return x < 0 ? numbers.lowest() : numbers.highest();
    });
  }
};

}  // namespace

std::unique_ptr<Rounding> make_binary(std::string_view parameter) {
  no_seed("binary", parameter);
  return std::make_unique<Binary>();
}

}  // namespace halftone
