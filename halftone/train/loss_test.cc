#include "halftone/train/loss.h"

#include <gtest/gtest.h>

#include <cmath>

namespace halftone::train::loss_test {
namespace {

StepRequest request(const std::string& text) { return parse_steps(text).at(0); }

struct Fixture {
  Answers student, teacher;
  NamedTensors weights, scales;
  at::Tensor targets;
  double operator()(const std::string& text) {
    return make_loss(request(text))->of({student, &teacher, targets, weights, scales}).item<double>();
  }
};

Fixture fixture() {
  Fixture f;
  f.student.logits = at::tensor({1.0f, 2.0f, 0.0f, -1.0f, 0.5f, 3.0f}).reshape({2, 3});
  f.teacher.logits = at::tensor({0.0f, 2.0f, 1.0f, 0.0f, 0.0f, 4.0f}).reshape({2, 3});
  f.targets = at::tensor({0.0f, 1.0f, 0.0f, 1.0f, 0.0f, 0.0f}).reshape({2, 3});
  f.weights["w"] = at::tensor({1.0f, -2.0f});
  f.weights["v"] = at::tensor({3.0f});
  f.scales["g"] = at::tensor({-0.5f, 0.25f});
  return f;
}

// The definition, number by number in double.
double log_softmax(const at::Tensor& logits, int64_t row, int64_t column, double temperature = 1) {
  double sum = 0;
  for (int64_t c = 0; c < logits.size(1); ++c) sum += std::exp(logits[row][c].item<double>() / temperature);
  return logits[row][column].item<double>() / temperature - std::log(sum);
}

TEST(Losses, CrossEntropy) {
  Fixture f = fixture();
  const at::Tensor& y = f.student.logits;
  EXPECT_NEAR(f("cross_entropy"), -(log_softmax(y, 0, 1) + log_softmax(y, 1, 0)) / 2, 1e-6);
  const auto expect_smoothed = [&] {
    double smoothed = 0;
    for (int64_t row = 0; row < 2; ++row) {
      for (int64_t c = 0; c < 3; ++c) {
        smoothed -= (0.3 / 3 + 0.7 * f.targets[row][c].item<double>()) * log_softmax(y, row, c) / 2;
      }
    }
    EXPECT_NEAR(f("cross_entropy:smoothing=0.3"), smoothed, 1e-6);
  };
  expect_smoothed();
  // Mixed labels.
  f.targets = at::tensor({0.25f, 0.0f, 0.75f, 0.5f, 0.5f, 0.0f}).reshape({2, 3});
  EXPECT_NEAR(f("cross_entropy"),
              -(0.25 * log_softmax(y, 0, 0) + 0.75 * log_softmax(y, 0, 2) + 0.5 * log_softmax(y, 1, 0) +
                0.5 * log_softmax(y, 1, 1)) /
                  2,
              1e-6);
  expect_smoothed();
}

TEST(Losses, SoftTargets) {
  Fixture f = fixture();
  double expected = 0;
  for (int64_t row = 0; row < 2; ++row) {
    for (int64_t c = 0; c < 3; ++c) {
      const double t = log_softmax(f.teacher.logits, row, c, 2.5);
      expected += 2.5 * 2.5 / 2 * std::exp(t) * (t - log_softmax(f.student.logits, row, c, 2.5));
    }
  }
  EXPECT_NEAR(f("soft_targets:temperature=2.5"), expected, 1e-6);
  f.teacher.logits = f.student.logits + 3;
  EXPECT_NEAR(f("soft_targets"), 0, 1e-6);
}

TEST(Losses, FeaturesGoThroughAnAdapterWhereWidthsDiffer) {
  Fixture f = fixture();
  f.student.features["a"] = at::ones({2, 3, 2, 2});
  f.teacher.features["b"] = at::full({2, 3, 2, 2}, 3.0f);
  EXPECT_NEAR(f("features:student=a:teacher=b"), 4, 1e-6);
  f.teacher.features["b"] = at::full({2, 5, 2, 2}, 3.0f);
  const auto loss = make_loss(request("features:student=a:teacher=b"));
  EXPECT_TRUE(loss->learned().empty());
  const LossCall call{f.student, &f.teacher, f.targets, f.weights, f.scales};
  const double before = loss->of(call).item<double>();
  ASSERT_EQ(loss->learned().size(), 1u);
  at::Tensor adapter = loss->learned()[0].tensor;
  EXPECT_EQ(adapter.sizes(), (std::vector<int64_t>{5, 3}));
  for (int step = 0; step < 50; ++step) {
    loss->of(call).backward();
    const at::NoGradGuard no_grad;
    adapter -= 0.2 * adapter.grad();
    adapter.mutable_grad().zero_();
  }
  EXPECT_LT(loss->of(call).item<double>(), 0.01 * before);
  f.teacher.features["b"] = at::ones({2, 5, 1, 2});
  EXPECT_THROW(loss->of(call), Error);
}

TEST(Losses, AttentionComparesWhereLayersLook) {
  Fixture f = fixture();
  at::Tensor one = at::zeros({1, 2, 2, 2}), other = at::zeros({1, 4, 2, 2});
  one[0][0][0][0] = 2;
  other[0][3][0][0] = -7;
  f.student.features["a"] = one;
  f.teacher.features["a"] = other;
  EXPECT_NEAR(f("attention:student=a"), 0, 1e-6);
  other[0][3][0][0] = 0;
  other[0][1][1][1] = 5;
  EXPECT_NEAR(f("attention:student=a"), 2.0 / 4, 1e-6);
}

TEST(Losses, Penalties) {
  Fixture f = fixture();
  EXPECT_NEAR(f("l1"), 6, 1e-6);
  EXPECT_NEAR(f("l2"), 7, 1e-6);
  EXPECT_NEAR(f("batch_norm_scales"), 0.75, 1e-6);
}

TEST(Losses, GroupLassoShrinksFiltersAsAWhole) {
  Fixture f = fixture();
  f.weights.clear();
  // Filters of two elements, of lengths 5, 0 and 1.
  at::Tensor w = at::tensor({3.0f, -4.0f, 0.0f, 0.0f, 0.0f, 1.0f}).reshape({3, 1, 2, 1}).set_requires_grad(true);
  f.weights["w"] = w;
  const auto loss = make_loss(request("group_lasso"));
  const at::Tensor value = loss->of({f.student, nullptr, f.targets, f.weights, f.scales});
  EXPECT_NEAR(value.item<double>(), std::sqrt(2.0) * 6, 1e-5);
  value.backward();
  const std::vector<double> direction = {0.6, -0.8, 0, 0, 0, 1};
  for (size_t i = 0; i < direction.size(); ++i) {
    EXPECT_NEAR(w.grad().reshape({-1})[static_cast<int64_t>(i)].item<double>(), std::sqrt(2.0) * direction[i], 1e-6);
  }
}

TEST(Losses, WordsAreChecked) {
  EXPECT_EQ(weight_of(request("l1:weight=0.25")), 0.25);
  EXPECT_EQ(weight_of(request("l1")), 1);
  EXPECT_THROW(make_loss(request("cross_entropi")), Error);
  EXPECT_THROW(make_loss(request("cross_entropy:smooth=1")), Error);
  EXPECT_THROW(make_loss(request("attention")), Error);
  EXPECT_TRUE(find_loss("soft_targets").needs_teacher);
}

}  // namespace
}  // namespace halftone::train::loss_test
