#include "halftone/quant/observers/aciq.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "halftone/base/rng.h"
#include "halftone/quant/observer.h"

namespace halftone::aciq_test {
namespace {

// Printed values, by bits from 1 to 8: Banner et al. 2019, arXiv 1810.05723, with more digits.
constexpr double kLaplace[] = {1.86282, 2.83068, 3.89723, 5.02864, 6.20477, 7.41313, 8.64562, 9.89676};
constexpr double kLaplaceRelu[] = {2.83068, 3.89723, 5.02864, 6.20477, 7.41313, 8.64562, 9.89676, 11.16269};
constexpr double kGauss[] = {1.23991, 1.71064, 2.15159, 2.55914, 2.93620, 3.28691, 3.61511, 3.92404};
constexpr double kGaussRelu[] = {1.71064, 2.15159, 2.55914, 2.93620, 3.28691, 3.61512, 3.92404, 4.21633};
constexpr double kLaplaceError[] = {.599643, .284878, .119702, .0460215, .0165718, .00567877, .00187252, .000598853};
constexpr double kGaussError[] = {.21501, .0871485, .0314294, .0104933, .00332259, .00101292, .000300215, 8.70779e-5};

double laplace_error(double alpha, int bits) { return 2 * std::exp(-alpha) + alpha * alpha / (3 * std::pow(4, bits)); }
double gauss_error(double alpha, int bits) {
  return (alpha * alpha + 1) * (1 - std::erf(alpha / std::numbers::sqrt2)) -
         std::sqrt(2 / std::numbers::pi) * alpha * std::exp(-alpha * alpha / 2) +
         alpha * alpha / (3 * std::pow(4, bits));
}

TEST(Aciq, PrintedBoundsAndErrors) {
  for (int bits = 1; bits <= 8; ++bits) {
    const int i = bits - 1;
    EXPECT_NEAR(aciq_laplace(bits, false), kLaplace[i], 1.01e-5) << bits;
    EXPECT_NEAR(aciq_laplace(bits, true), kLaplaceRelu[i], 1.01e-5) << bits;
    EXPECT_NEAR(aciq_gauss(bits, false), kGauss[i], 1.01e-5) << bits;
    EXPECT_NEAR(aciq_gauss(bits, true), kGaussRelu[i], 1.01e-5) << bits;
    EXPECT_NEAR(laplace_error(aciq_laplace(bits, false), bits) / kLaplaceError[i], 1, 1e-5) << bits;
    EXPECT_NEAR(gauss_error(aciq_gauss(bits, false), bits) / kGaussError[i], 1, 1e-5) << bits;
  }
}

TEST(Aciq, BoundsAreMinimaAtEveryWidth) {
  for (int bits = 1; bits <= 16; ++bits) {
    for (double factor : {0.99, 1.01}) {
      const double laplace = aciq_laplace(bits, false), gauss = aciq_gauss(bits, false);
      EXPECT_LT(laplace_error(laplace, bits), laplace_error(factor * laplace, bits)) << bits;
      EXPECT_LT(gauss_error(gauss, bits), gauss_error(factor * gauss, bits)) << bits;
    }
  }
}

double laplace_number(Rng& rng) {
  const double u = rng.uniform() - 0.5;
  return -std::copysign(std::log1p(-2 * std::abs(u)), u);
}

Range range_of(std::string_view observer, const QuantSpec& spec, double mean, bool laplace, bool rectified) {
  Rng rng(11);
  std::vector<float> values(100000);
  for (float& v : values) {
    const double x = mean + (laplace ? laplace_number(rng) : rng.normal());
    v = static_cast<float>(rectified ? std::max(x, 0.0) : x);
  }
  const auto made = make_observer(observer, spec);
  made->observe(values, "x");
  return made->range();
}

TEST(Aciq, FindsSpreadAndDistribution) {
  QuantSpec spec;
  spec.bits = 4;
  for (bool laplace : {false, true}) {
    for (std::string_view observer :
         {std::string_view("aciq"), std::string_view(laplace ? "aciq:laplace" : "aciq:gauss")}) {
      const double alpha = laplace ? aciq_laplace(4, false) : aciq_gauss(4, false);
      const Range both = range_of(observer, spec, 0.5, laplace, false);
      EXPECT_NEAR(both.low, 0.5 - alpha, 0.05) << observer << laplace;
      EXPECT_NEAR(both.high, 0.5 + alpha, 0.05) << observer << laplace;
      const Range rectified = range_of(observer, spec, 0, laplace, true);
      EXPECT_EQ(rectified.low, 0);
      EXPECT_NEAR(rectified.high, laplace ? aciq_laplace(4, true) : aciq_gauss(4, true), 0.08) << observer << laplace;
    }
  }
}

TEST(Aciq, SymmetricGridsWasteTheCodesOfTheOtherSide) {
  QuantSpec spec;
  spec.bits = 4;
  spec.is_signed = spec.symmetric = true;
  EXPECT_NEAR(range_of("aciq:gauss", spec, 0, false, true).high, aciq_gauss(4, false), 0.05);
}

}  // namespace
}  // namespace halftone::aciq_test
