#include "halftone/quant/observers/aciq.h"

#include <algorithm>
#include <array>
#include <boost/math/special_functions/lambert_w.hpp>
#include <cmath>
#include <numbers>

#include "halftone/quant/grid_error.h"
#include "halftone/quant/observer.h"
#include "halftone/quant/observers/parameter.h"

namespace halftone {
namespace {

double codes_squared(int bits, bool one_sided) { return std::ldexp(1.0, 2 * (bits + (one_sided ? 1 : 0))); }

enum class Fit { Best, Gauss, Laplace };

// E|x - mean| and sqrt(E (x - mean)^2) of numbers on both sides of zero; about zero for those of one side, of which the
// zeros are no part: they are what a rectifier made of the other half of the distribution.
struct Spread {
  bool one_sided;
  double mean = 0, laplace = 0, gauss = 0;

  explicit Spread(const Tally& tally) {
    const Extent& extent = tally.extent();
    const std::vector<Mass> masses = tally.masses();
    one_sided = extent.min >= 0 || extent.max <= 0;
    const double zeros = one_sided ? 0 : static_cast<double>(extent.zeros);
    double count = zeros;
    for (const Mass& mass : masses) {
      count += mass.count;
      mean += mass.count * middle(mass);
    }
    mean = one_sided ? 0 : mean / count;
    laplace = zeros * std::abs(mean);
    gauss = zeros * mean * mean;
    for (const Mass& mass : masses) {
      laplace += mass.count * std::abs(middle(mass) - mean);
      gauss += mass.count * std::pow(middle(mass) - mean, 2);
    }
    laplace /= count;
    gauss = std::sqrt(gauss / count);
  }

  static double middle(const Mass& mass) { return (mass.low + mass.high) / 2; }
};

class Analytic final : public Observer {
 public:
  Analytic(Fit fit, const QuantSpec& spec) : fit_(fit), spec_(spec), tally_(spec) {}
  std::unique_ptr<Observer> clone() const override { return std::make_unique<Analytic>(*this); }

 private:
  void absorb(std::span<const float> batch, const Extent& extent) override { tally_.add(batch, extent); }
  void join(const Observer& other) override { tally_.merge(static_cast<const Analytic&>(other).tally_); }

  Range estimate() const override {
    const Extent& extent = tally_.extent();
    if (extent.zeros == extent.count) return {0, 0};
    const Spread spread(tally_);
    const auto bounded = [&](double alpha) -> Range {
      // A number that occurs is never clipped to make room for one that does not.
      const double low = std::max(spread.mean - alpha, double{extent.min});
      const double high = std::min(spread.mean + alpha, double{extent.max});
      return {static_cast<float>(low), static_cast<float>(high)};
    };
    // Half of the codes of a symmetric grid stand where one-sided numbers never are.
    const bool one_sided = spread.one_sided && !spec_.symmetric;
    const Range gauss = bounded(spread.gauss * aciq_gauss(spec_.bits, one_sided));
    const Range laplace = bounded(spread.laplace * aciq_laplace(spec_.bits, one_sided));
    if (fit_ == Fit::Gauss) return gauss;
    if (fit_ == Fit::Laplace) return laplace;
    const GridError error(spec_, tally_.masses());
    return error(gauss) <= error(laplace) ? gauss : laplace;
  }

  Fit fit_;
  QuantSpec spec_;
  Tally tally_;
};

}  // namespace

double aciq_laplace(int bits, bool one_sided) { return boost::math::lambert_w0(3 * codes_squared(bits, one_sided)); }

double aciq_gauss(int bits, bool one_sided) {
  const double rounding = 1 / (3 * codes_squared(bits, one_sided));
  double alpha = 0;
  // Rising and concave: Newton's steps from the left never overshoot.
  for (int i = 0; i < 100; ++i) {
    const double tail = std::erfc(alpha / std::numbers::sqrt2);
    const double bell = std::sqrt(2 / std::numbers::pi) * std::exp(-alpha * alpha / 2);
    const double step = (bell - alpha * (tail + rounding)) / (tail + rounding);
    if (step <= 1e-14 * alpha) break;
    alpha += step;
  }
  return alpha;
}

std::unique_ptr<Observer> make_aciq(std::string_view parameter, const QuantSpec& spec) {
  static constexpr std::array<std::string_view, 2> kWords = {"gauss", "laplace"};
  const std::optional<size_t> word = word_parameter("aciq", parameter, kWords);
  return std::make_unique<Analytic>(!word ? Fit::Best : *word == 0 ? Fit::Gauss : Fit::Laplace, spec);
}

}  // namespace halftone
