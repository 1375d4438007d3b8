#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "halftone/train/quantizer.h"

namespace halftone::train::dsq_test {
namespace {

// On a grid from -1 to 2.75.
std::unique_ptr<Quantizer> dsq(const std::string& text) {
  const QuantParams params{DType::UInt8, 0, 15, {0.25f}, {4}};
  return make_quantizer(parse_steps(text).at(0), {params, {}, 0});
}

// Equations 3 to 8 of the paper as they stand there: interval i of [l, u] with its midpoint, and phi's tanh.
double soft_staircase(double x, double l, double step, double alpha) {
  const double i = std::floor((x - l) / step);
  const double s = 1 / (1 - alpha), k = std::log(2 / alpha - 1) / step, m = l + (i + 0.5) * step;
  return l + step * (i + (s * std::tanh(k * (x - m)) + 1) / 2);
}

TEST(Dsq, GradientsAreThoseOfTheSoftStaircase) {
  const auto quantizer = dsq("dsq:alpha=0.3");
  const double factor = 1 / std::sqrt(15.0);  // LSQ's, of one element per sample
  for (const double x : {-0.93, -0.4, -0.01, 0.1, 0.9, 1.62, 2.7}) {
    const at::Tensor input = at::tensor({static_cast<float>(x)}).set_requires_grad(true);
    quantizer->apply(input, Mode::Training).sum().backward();
    constexpr double kStep = 1e-6;
    const auto slope = [&](const std::function<double(double)>& f) { return (f(kStep) - f(-kStep)) / (2 * kStep); };
    EXPECT_NEAR(input.grad().item<float>(), slope([&](double d) { return soft_staircase(x + d, -1, 0.25, 0.3); }),
                1e-3);
    const std::vector<Learned> learned = quantizer->learned();
    EXPECT_NEAR(learned[0].tensor.grad().item<float>() / factor, (soft_staircase(x, -1, 0.25, 0.3) - x) / 0.25, 1e-4);
    EXPECT_NEAR(learned[1].tensor.grad().item<float>() / factor,
                slope([&](double d) { return soft_staircase(x, -1, 0.25, 0.3 + d); }), 1e-3)
        << x;
    for (const Learned& each : learned) each.tensor.grad().zero_();
  }
}

// Over an interval the scale's gradients add up to those of the soft staircase, whose own grow with the distance from
// 0.
TEST(Dsq, TheScalesGradientIsTheSoftStaircasesOnTheAverage) {
  for (int interval = 0; interval < 15; ++interval) {
    const double low = -1 + 0.25 * interval;
    const int64_t count = 1000;
    const at::Tensor x = (low + 0.25 * (at::arange(count, at::kDouble) + 0.5) / count).to(at::kFloat);
    const auto quantizer = dsq("dsq:alpha=0.2");
    quantizer->apply(x.reshape({count, 1}), Mode::Training).sum().backward();
    double exact = 0;
    for (int64_t i = 0; i < count; ++i) {
      constexpr double kStep = 1e-6;
      const double at = low + 0.25 * (static_cast<double>(i) + 0.5) / static_cast<double>(count);
      const auto moved = [&](double d) { return soft_staircase(at, -4 * (0.25 + d), 0.25 + d, 0.2); };
      exact += (moved(kStep) - moved(-kStep)) / (2 * kStep);
    }
    const double found = quantizer->learned()[0].tensor.grad().item<float>() * std::sqrt(15.0);
    EXPECT_NEAR(found / static_cast<double>(count), exact / static_cast<double>(count), 2e-3) << interval;
  }
}

TEST(Dsq, AlphaShrinksTowardsTheEnd) {
  const auto quantizer = dsq("dsq:alpha=0.4:harden_from=0.5");
  quantizer->advance(0.5);
  EXPECT_NEAR(quantizer->learned()[1].tensor.item<float>(), 0.4f, 1e-6);
  quantizer->advance(1);
  EXPECT_NEAR(quantizer->learned()[1].tensor.item<float>(), 1e-3f, 1e-6);
}

// More elements than a block has, and not a whole number of blocks; some beyond either end of the grid.
TEST(Dsq, GradientsOfManyElementsAreThoseOfEach) {
  const auto many = dsq("dsq"), one = dsq("dsq");
  const at::Tensor x = at::linspace(-1.5, 3.5, 601).reshape({601, 1}).set_requires_grad(true);
  const at::Tensor weights = at::linspace(-1, 2, 601).reshape({601, 1});
  (many->apply(x, Mode::Training) * weights).sum().backward();
  for (int64_t i = 0; i < 601; ++i) {
    const at::Tensor element = x.detach().slice(0, i, i + 1).clone().set_requires_grad(true);
    (one->apply(element, Mode::Training) * weights.slice(0, i, i + 1)).sum().backward();
    EXPECT_EQ(element.grad().item<float>(), x.grad()[i].item<float>()) << i;
  }
  for (size_t i = 0; i < 2; ++i) {
    const float sum = one->learned()[i].tensor.grad().item<float>();
    EXPECT_NEAR(many->learned()[i].tensor.grad().item<float>(), sum, 1e-4 * std::abs(sum)) << many->learned()[i].name;
  }
}

}  // namespace
}  // namespace halftone::train::dsq_test
