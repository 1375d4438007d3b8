#include "halftone/train/scaled_batch_norm.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "halftone/train/test_tensors.h"

namespace halftone::train::scaled_batch_norm_test {
namespace {

struct Case {
  std::vector<int64_t> shape;
  double epsilon, momentum;
};
std::vector<Case> cases() { return {{{4, 3, 5, 7}, 1e-5, 0.9}, {{2, 3, 130, 131}, 1e-3, 0.5}, {{9, 3}, 0.5, 0.8}}; }

// Everything that goes in and comes out.
struct Operands {
  at::Tensor y, factor, shift, gamma, beta;
  RunningStatistics running;

  explicit Operands(const Case& test)
      : y(drawn(test.shape, 1) * 3 + 5),
        factor(at::tensor({0.7f, -1.3f, 0.02f})),
        shift(drawn({3}, 2)),
        gamma(at::tensor({1.5f, 0.6f, -0.4f})),
        beta(drawn({3}, 3)),
        running{drawn({3}, 4), drawn({3}, 5).abs(), test.momentum, test.epsilon} {}
  void set_type(at::ScalarType type) {
    for (at::Tensor* each : {&y, &factor, &shift, &gamma, &beta, &running.mean, &running.variance}) {
      *each = each->to(type).clone();
    }
    for (at::Tensor* each : {&y, &factor, &gamma, &beta}) each->set_requires_grad(true);
  }
};

void expect_close(const at::Tensor& found, const at::Tensor& expected) {
  ASSERT_EQ(found.sizes(), expected.sizes());
  EXPECT_LT((found - expected).abs().max().item<double>(), 1e-4 * (1e-3 + expected.abs().max().item<double>()));
}

// What the header defines, by libtorch's own batch normalization, in double.
TEST(ScaledBatchNorm, IsTheNormalizationOfTheQuotient) {
  for (const Case& test : cases()) {
    Operands one(test), other(test);
    one.set_type(at::kFloat);
    other.set_type(at::kDouble);
    const at::Tensor dout = drawn(test.shape, 9);
    const at::Tensor found = scaled_batch_norm(one.y, one.factor, one.shift, one.gamma, one.beta, one.running);
    found.backward(dout);

    std::vector<int64_t> along(test.shape.size(), 1);
    along[1] = -1;
    const at::Tensor z = other.y / other.factor.reshape(along) + other.shift.reshape(along);
    const at::Tensor expected = at::batch_norm(z, other.gamma, other.beta, other.running.mean, other.running.variance,
                                               true, 1 - test.momentum, test.epsilon, false);
    expected.backward(dout.to(at::kDouble));

    expect_close(found, expected);
    expect_close(one.running.mean, other.running.mean);
    expect_close(one.running.variance, other.running.variance);
    expect_close(one.y.grad(), other.y.grad());
    expect_close(one.gamma.grad(), other.gamma.grad());
    expect_close(one.beta.grad(), other.beta.grad());
    for (int64_t c = 0; c < 3; ++c) {  // of very different sizes
      EXPECT_NEAR(one.factor.grad()[c].item<double>() / other.factor.grad()[c].item<double>(), 1, 1e-3) << c;
    }
  }
}

TEST(ScaledBatchNorm, NoShiftIsZero) {
  Operands one(cases()[0]), other(cases()[0]);
  other.shift.zero_();
  EXPECT_TRUE(
      scaled_batch_norm(one.y, one.factor, {}, one.gamma, one.beta, one.running)
          .equal(scaled_batch_norm(other.y, other.factor, other.shift, other.gamma, other.beta, other.running)));
  EXPECT_TRUE(one.running.mean.equal(other.running.mean));
}

TEST(ScaledBatchNorm, TheSameOnAnyNumberOfThreads) {
  const auto gradient = [](int threads) {
    at::set_num_threads(threads);
    Operands operands({{5, 3, 150, 150}, 1e-5, 0.9});
    operands.set_type(at::kFloat);
    scaled_batch_norm(operands.y, operands.factor, {}, operands.gamma, operands.beta, operands.running)
        .pow(2)
        .sum()
        .backward();
    return at::cat({operands.y.grad().reshape({-1}), operands.gamma.grad()});
  };
  const at::Tensor one = gradient(1), three = gradient(3);
  at::set_num_threads(2);
  EXPECT_TRUE(one.equal(three));
}

}  // namespace
}  // namespace halftone::train::scaled_batch_norm_test
