#include "halftone/train/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/train/test_tensors.h"
#include "tests/support/error_of.h"

namespace halftone::train::optimizer_test {
namespace {

// The methods by their papers, in plain numbers.
struct Plain {
  double w, velocity = 0, mean = 0, square = 0;
  int t = 0;

  void sgd(double g, double rate, double momentum, bool nesterov, double decay) {
    g += decay * w;
    velocity = t++ == 0 ? g : momentum * velocity + g;
    w -= rate * (nesterov ? g + momentum * velocity : velocity);
  }
  void adam(double g, double rate, double decay, bool apart) {
    if (apart) w -= rate * decay * w;
    if (!apart) g += decay * w;
    mean = 0.9 * mean + 0.1 * g;
    square = 0.999 * square + 0.001 * g * g;
    ++t;
    w -= rate * (mean / (1 - std::pow(0.9, t))) / (std::sqrt(square / (1 - std::pow(0.999, t))) + 1e-8);
  }
};

double gradient_at(double w, int step) { return 0.5 * w + 0.3 * std::sin(step); }

Parameter parameter(const std::string& name, double w, ParameterKind kind, double decay = 0) {
  return {name, at::full({1}, w).set_requires_grad(true), kind, decay};
}

void set_gradient(Parameter& parameter, double gradient) { parameter.tensor.mutable_grad() = at::full({1}, gradient); }

TEST(Optimizer, MovesAsThePapersSay) {
  struct Case {
    StepRequest request;
    void (*move)(Plain&, double, double);
  };
  const Case cases[] = {
      {{"sgd", {{"decay", "0.1"}}}, [](Plain& p, double g, double rate) { p.sgd(g, rate, 0.9, true, 0.1); }},
      {{"sgd", {{"momentum", "0.5"}, {"nesterov", "false"}, {"decay", "0"}}},
       [](Plain& p, double g, double rate) { p.sgd(g, rate, 0.5, false, 0); }},
      {{"sgd", {{"momentum", "0"}, {"decay", "0"}}}, [](Plain& p, double g, double rate) { p.w -= rate * g; }},
      {{"adam", {{"decay", "0.1"}}}, [](Plain& p, double g, double rate) { p.adam(g, rate, 0.1, false); }},
      {{"adamw", {}}, [](Plain& p, double g, double rate) { p.adam(g, rate, 0.01, true); }},
  };
  for (const Case& each : cases) {
    std::vector<Parameter> parameters = {parameter("w", 2, ParameterKind::Weight)};
    const auto optimizer = make_optimizer(each.request, parameters);
    Plain plain{2};
    for (int step = 0; step < 8; ++step) {
      const double rate = 0.1 / (1 + step);
      set_gradient(parameters[0], gradient_at(parameters[0].tensor.item<double>(), step));
      optimizer->step({rate, 77});
      each.move(plain, gradient_at(plain.w, step), rate);
      ASSERT_NEAR(parameters[0].tensor.item<double>(), plain.w, 1e-5) << each.request.name << ", step " << step;
    }
  }
}

TEST(Optimizer, DecayIsForWeightsAndScalesHaveTheirOwnRate) {
  std::vector<Parameter> parameters = {parameter("w", 1, ParameterKind::Weight),
                                       parameter("b", 1, ParameterKind::Plain), parameter("s", 1, ParameterKind::Scale),
                                       parameter("clip", 1, ParameterKind::Scale, 0.5)};
  const auto optimizer = make_optimizer({"sgd", {{"momentum", "0"}, {"decay", "0.25"}}}, parameters);
  for (Parameter& each : parameters) set_gradient(each, 0);
  optimizer->step({0.1, 0.01});
  const std::vector<double> expected = {1 - 0.1 * 0.25, 1, 1, 1 - 0.01 * 0.5};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(parameters[i].tensor.item<double>(), expected[i], 1e-6) << i;
  EXPECT_FALSE(parameters[0].tensor.grad().defined()) << "gradients are forgotten";
  optimizer->step({0.1, 0.01});
  EXPECT_NEAR(parameters[0].tensor.item<double>(), expected[0], 1e-6) << "without a gradient nothing moves";
}

TEST(Optimizer, GoesOnFromItsState) {
  for (const OptimizerInfo& info : all_optimizers()) {
    const StepRequest request{std::string(info.name), {}};
    std::vector<Parameter> whole = {parameter("a", 2, ParameterKind::Weight), parameter("b", -1, ParameterKind::Plain)};
    const auto uninterrupted = make_optimizer(request, whole);
    const auto advance = [](std::vector<Parameter>& parameters, Optimizer& optimizer, int from, int to) {
      for (int step = from; step < to; ++step) {
        for (Parameter& each : parameters) set_gradient(each, gradient_at(each.tensor.item<double>(), step));
        optimizer.step({0.1, 0.1});
      }
    };
    advance(whole, *uninterrupted, 0, 3);
    std::vector<Parameter> half = {parameter("a", whole[0].tensor.item<double>(), ParameterKind::Weight),
                                   parameter("b", whole[1].tensor.item<double>(), ParameterKind::Plain)};
    const auto resumed = make_optimizer(request, half);
    resumed->restore(uninterrupted->state());
    advance(whole, *uninterrupted, 3, 6);
    advance(half, *resumed, 3, 6);
    for (size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(half[i].tensor.item<float>(), whole[i].tensor.item<float>()) << info.name;
    }
    std::vector<Parameter> others = {parameter("c", 1, ParameterKind::Weight)};
    EXPECT_NE(test::error_of([&] { make_optimizer(request, others)->restore(uninterrupted->state()); }), "");
  }
}

TEST(Optimizer, MistakesNameWhatIsKnown) {
  EXPECT_NE(test::error_of([] { make_optimizer({"sdg", {}}, {}); }).find("did you mean 'sgd'?"), std::string::npos);
  EXPECT_NE(test::error_of([] {
              make_optimizer({"adam", {{"momentum", "1"}}}, {});
            }).find("momentum"),
            std::string::npos);
}

TEST(ClipGradients, BringsTheNormOfAllDown) {
  std::vector<Parameter> parameters = {parameter("a", 0, ParameterKind::Weight),
                                       parameter("b", 0, ParameterKind::Plain),
                                       parameter("unused", 0, ParameterKind::Plain)};
  set_gradient(parameters[0], 3);
  set_gradient(parameters[1], -4);
  EXPECT_DOUBLE_EQ(clip_gradients(parameters, 10), 5);
  EXPECT_EQ(parameters[0].tensor.grad().item<double>(), 3);
  EXPECT_DOUBLE_EQ(clip_gradients(parameters, 2.5), 5);
  EXPECT_DOUBLE_EQ(parameters[0].tensor.grad().item<double>(), 1.5);
  EXPECT_DOUBLE_EQ(parameters[1].tensor.grad().item<double>(), -2);
}

TEST(Magnitudes, OneUpdateChangesThemByAHundredthOfThemselves) {
  std::vector<Parameter> parameters = {
      parameter("free", 0.5, ParameterKind::Scale), parameter("far", 0.002, ParameterKind::Scale),
      parameter("below zero", 0.002, ParameterKind::Scale), parameter("near", 0.5, ParameterKind::Scale)};
  for (size_t i = 1; i < 4; ++i) parameters[i].magnitude = true;
  const auto sgd = make_optimizer({"sgd", {{"momentum", "0"}}}, parameters);
  const double gradients[] = {-40, -40, 40, 0.1};
  for (size_t i = 0; i < 4; ++i) set_gradient(parameters[i], gradients[i]);
  const std::vector<at::Tensor> before = magnitudes_of(parameters);
  sgd->step({0.01, 0.01});
  hold_magnitudes(parameters, before);
  const auto value = [&](size_t i) { return parameters[i].tensor.item<double>(); };
  EXPECT_NEAR(value(0), 0.9, 1e-6);
  EXPECT_NEAR(value(1), 0.002 * 1.01, 1e-8);
  EXPECT_NEAR(value(2), 0.002 * 0.99, 1e-8);
  EXPECT_NEAR(value(3), 0.499, 1e-6);
}

}  // namespace
}  // namespace halftone::train::optimizer_test
