#include "halftone/train/quantizer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/quant/weight_grid.h"
#include "halftone/train/test_tensors.h"

namespace halftone::train::quantizer_test {
namespace {

QuantParams affine(DType dtype, int64_t low, int64_t high, std::vector<float> scales, int32_t zero, int64_t axis = -1) {
  QuantParams params;
  params.dtype = dtype;
  params.q_min = low;
  params.q_max = high;
  params.zero_point.assign(scales.size(), zero);
  params.scale = std::move(scales);
  params.axis = axis;
  return params;
}

QuantParams listed(std::vector<float> levels, std::vector<float> scales, int64_t axis) {
  QuantParams params = affine(DType::UInt8, 0, static_cast<int64_t>(levels.size()) - 1, std::move(scales), 0, axis);
  params.levels = std::move(levels);
  return params;
}

StepRequest request(const std::string& text) { return parse_steps(text).at(0); }

const QuantParams kUnsigned = affine(DType::UInt8, 0, 15, {0.2f}, 0);
const QuantParams kShifted = affine(DType::UInt8, 0, 15, {0.2f}, 6);
const QuantParams kChannels = affine(DType::Int8, -7, 7, {0.2f, 0.1f, 0.3f}, 0, 0);

// Every method that there is, on a grid that it takes.
struct Case {
  std::string text;
  QuantParams params;
  bool weights;
};
std::vector<Case> cases() {
  return {
      {"straight_through", kShifted, false},
      {"straight_through:range=moving_average", kShifted, false},
      {"straight_through:range=learned", kShifted, false},
      {"straight_through", kChannels, true},
      {"straight_through:range=moving_average", kChannels, true},
      {"straight_through:range=learned", kChannels, true},
      {"lsq", kShifted, false},
      {"lsq", kChannels, true},
      {"lsq:start=mean", kChannels, true},
      {"lsq_plus", kShifted, false},
      {"pact", kUnsigned, false},
      {"dorefa", kUnsigned, false},
      {"dorefa:gradient_bits=4", kUnsigned, false},
      {"dorefa", kChannels, true},
      {"dsq", kShifted, false},
      {"dsq", kChannels, true},
      {"stochastic", kShifted, false},
      {"stochastic", kChannels, true},
      {"power_of_two_scale", kShifted, false},
      {"power_of_two_scale", kChannels, true},
      {"codebook", listed({-1, -0.3f, 0, 0.5f}, {1, 2, 0.5f}, 0), true},
      {"incremental", kChannels, true},
      {"incremental", listed({-1, -0.5f, 0, 0.5f, 1}, {1, 2, 0.5f}, 0), true},
      {"binary", listed({-1, 1}, {1, 1, 1}, 0), true},
      {"binary", listed({-1, 1}, {1}, -1), true},
      {"ternary", kChannels, true},
      {"ternary:scales=two", kChannels, true},
  };
}

constexpr uint64_t kSeed = 5;

std::unique_ptr<Quantizer> made(const Case& test, const at::Tensor& content) {
  return make_quantizer(request(test.text), {test.params, test.weights ? content : at::Tensor(), kSeed});
}

// One step of training, with gradients that push the tensor about; what the network would have seen.
at::Tensor train_step(Quantizer& quantizer, at::Tensor& weights, bool are_weights, double progress, uint64_t seed) {
  quantizer.advance(progress);
  const at::Tensor from = are_weights ? weights : drawn(weights.sizes().vec(), seed);
  const at::Tensor x = from.detach().clone().set_requires_grad(true);
  const at::Tensor y = quantizer.apply(x, Mode::Training);
  (y - drawn(weights.sizes().vec(), 77)).pow(2).sum().backward();
  const at::NoGradGuard no_grad;
  if (are_weights && x.grad().defined()) weights = x.detach() - 0.01 * x.grad();
  for (const Learned& learned : quantizer.learned()) {
    EXPECT_TRUE(learned.tensor.grad().defined()) << learned.name;
    at::Tensor tensor = learned.tensor;
    tensor -= 0.05 * learned.tensor.grad();
    tensor.mutable_grad().zero_();
  }
  quantizer.project();
  return x.grad().defined() ? at::cat({y.detach(), x.grad()}) : y.detach();
}

void train(Quantizer& quantizer, at::Tensor& weights, bool are_weights, int steps) {
  for (int step = 0; step < steps; ++step) {
    train_step(quantizer, weights, are_weights, static_cast<double>(step) / steps, static_cast<uint64_t>(100 + step));
  }
}

TEST(Quantizers, EndOnTheGridThatTheyTell) {
  for (const Case& test : cases()) {
    SCOPED_TRACE(test.text + (test.weights ? " of weights" : " of activations"));
    at::Tensor content = drawn({3, 4, 5, 5}, 1);
    const auto quantizer = made(test, content);
    for (const int steps : {0, 20}) {
      train(*quantizer, content, test.weights, steps);
      const at::Tensor found = quantizer->apply(content, Mode::Inference);
      const QuantParams params = quantizer->params();
      EXPECT_NO_THROW(check_params(params, found.sizes().vec(), "grid"));
      EXPECT_GT(found.abs().max().item<float>(), 0);
      // What lies on the grid stays where it is; activations are rounded by nothing but the grid.
      const at::Tensor again = to_torch(halftone::fake_quantize(from_torch(found), params));
      EXPECT_TRUE(found.equal(again)) << (found - again).abs().max();
      if (!test.weights) {
        EXPECT_TRUE(found.equal(to_torch(halftone::fake_quantize(from_torch(content), params))));
      }
    }
  }
}

// Everything that counts is in learned() and buffers(): a fresh quantizer goes on from them as if nothing had happened.
TEST(Quantizers, GoOnFromWhatACheckpointHolds) {
  constexpr int kSteps = 24, kInterrupted = 13;
  for (const Case& test : cases()) {
    SCOPED_TRACE(test.text + (test.weights ? " of weights" : " of activations"));
    const at::Tensor content = drawn({3, 4, 5, 5}, 1);
    at::Tensor weights = content.clone(), resumed_weights;
    const auto quantizer = made(test, content);
    std::unique_ptr<Quantizer> resumed;
    for (int step = 0; step < kSteps; ++step) {
      if (step == kInterrupted) {
        resumed = made(test, content);
        resumed_weights = weights.clone();
        const at::NoGradGuard no_grad;
        const auto restore = [](const std::vector<Learned>& from, const std::vector<Learned>& to) {
          ASSERT_EQ(from.size(), to.size());
          for (size_t i = 0; i < from.size(); ++i) {
            EXPECT_EQ(from[i].name, to[i].name);
            at::Tensor(to[i].tensor).copy_(from[i].tensor.clone());
          }
        };
        restore(quantizer->learned(), resumed->learned());
        restore(quantizer->buffers(), resumed->buffers());
      }
      const double progress = static_cast<double>(step) / kSteps;
      const auto seed = static_cast<uint64_t>(100 + step);
      const at::Tensor seen = train_step(*quantizer, weights, test.weights, progress, seed);
      if (resumed == nullptr) continue;
      EXPECT_TRUE(seen.equal(train_step(*resumed, resumed_weights, test.weights, progress, seed))) << "step " << step;
    }
    EXPECT_TRUE(weights.equal(resumed_weights));
    EXPECT_EQ(quantizer->params(), resumed->params());
    EXPECT_TRUE(quantizer->apply(weights, Mode::Inference).equal(resumed->apply(resumed_weights, Mode::Inference)));
  }
}

TEST(Quantizers, TrainingBringsWeightsCloser) {
  for (const Case& test : cases()) {
    // A codebook's weights keep their numbers, incremental ones are held where they started.
    if (!test.weights || test.text == "codebook" || test.text == "incremental") continue;
    SCOPED_TRACE(test.text);
    const at::Tensor wanted = drawn({3, 4, 5, 5}, 77);
    at::Tensor content = drawn({3, 4, 5, 5}, 1);
    const auto quantizer = made(test, content);
    const auto distance = [&] {
      return (quantizer->apply(content, Mode::Inference) - wanted).pow(2).mean().item<float>();
    };
    const float before = distance();
    train(*quantizer, content, true, 200);
    EXPECT_LT(distance(), 0.5 * before);
  }
}

TEST(Quantizers, TableIsCovered) {
  for (const QuantizerInfo& info : all_quantizers()) {
    bool weights = false, activations = false;
    for (const Case& test : cases()) {
      if (request(test.text).name == info.name) (test.weights ? weights : activations) = true;
    }
    EXPECT_EQ(weights, info.weights) << info.name;
    EXPECT_EQ(activations, info.activations) << info.name;
  }
}

void expect_refused(const std::string& text, const QuantParams& params, const at::Tensor& content,
                    const std::string& fragment) {
  try {
    make_quantizer(request(text), {params, content, 0});
    FAIL() << text;
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
    EXPECT_NE(std::string(error.what()).find(fragment), std::string::npos) << error.what();
  }
}

TEST(Quantizers, RefuseWhatCantBe) {
  const at::Tensor none, weights = drawn({3, 4, 5, 5}, 1);
  expect_refused("lsk", kChannels, weights, "did you mean 'lsq'");
  expect_refused("lsq:strat=mean", kChannels, weights, "start");
  expect_refused("lsq:start=mean", kShifted, none, "looks at weights");
  expect_refused("pact", kChannels, weights, "for activations only");
  expect_refused("codebook", kShifted, none, "for weights only");
  expect_refused("pact", kShifted, none, "lsq_plus");
  expect_refused("codebook", kChannels, weights, "\"grid\": \"codebook\"");
  expect_refused("binary", kChannels, weights, "\"grid\": \"binary\"");
  expect_refused("dsq", listed({-1, 0, 1}, {1, 1, 1}, 0), weights, "not evenly spaced");
}

// --- the backward rules, by hand

TEST(Pact, AlphaLearnsFromWhatItCuts) {
  const auto quantizer = make_quantizer(request("pact"), {kUnsigned, {}, 0});
  const at::Tensor x = at::tensor({-1.0f, 0.5f, 2.9f, 3.2f, 8.0f}).set_requires_grad(true);  // alpha = 15 * 0.2 = 3
  const at::Tensor dy = at::tensor({1.0f, 2.0f, 4.0f, 8.0f, 16.0f});
  quantizer->apply(x, Mode::Training).backward(dy);
  EXPECT_NEAR(quantizer->learned()[0].tensor.grad().item<float>(), 24, 1e-4);
  EXPECT_TRUE(x.grad().equal(at::tensor({0.0f, 2.0f, 4.0f, 0.0f, 0.0f})));
}

TEST(StraightThrough, LearnedBoundsLearnFromWhatTheyCut) {
  const auto quantizer = make_quantizer(request("straight_through:range=learned"), {kShifted, {}, 0});
  // From -1.2 to 1.8.
  const at::Tensor x = at::tensor({-3.0f, -1.1f, 0.0f, 1.7f, 2.0f, 9.0f}).set_requires_grad(true);
  const at::Tensor dy = at::tensor({1.0f, 2.0f, 4.0f, 8.0f, 16.0f, 32.0f});
  quantizer->apply(x, Mode::Training).backward(dy);
  EXPECT_NEAR(quantizer->learned()[0].tensor.grad().item<float>(), 48, 1e-3);
  EXPECT_NEAR(quantizer->learned()[1].tensor.grad().item<float>(), 1, 1e-3);
}

TEST(StraightThrough, MovingAverageFollowsActivationsInTrainingAlone) {
  const auto quantizer =
      make_quantizer(request("straight_through:range=moving_average:momentum=0.5"), {kShifted, {}, 0});
  const at::Tensor x = at::tensor({-2.2f, 3.8f});
  quantizer->apply(x, Mode::Inference);
  EXPECT_EQ(quantizer->params().scale, kShifted.scale);
  quantizer->apply(x, Mode::Training);  // the range -1.2 to 1.8 becomes -1.7 to 2.8
  EXPECT_NEAR(quantizer->params().scale[0], 4.5 / 15, 1e-6);
  EXPECT_EQ(quantizer->params().zero_point[0], 6);
}

TEST(Stochastic, IsUnbiasedInsideTheRangeAndSeeded) {
  const QuantParams params = affine(DType::Int8, -7, 7, {0.5f}, 0);
  const at::Tensor x = at::full({20000}, 0.6f);
  const auto first = make_quantizer(request("stochastic"), {params, {}, 3});
  const auto second = make_quantizer(request("stochastic"), {params, {}, 3});
  const at::Tensor y = first->apply(x, Mode::Training);
  EXPECT_TRUE(y.equal(second->apply(x, Mode::Training)));
  EXPECT_FALSE(y.equal(first->apply(x, Mode::Training)));
  // A Bernoulli step of 0.5 with p = 0.2: the mean's standard deviation is 0.5 * 0.4 / sqrt(20000) = 0.0014.
  EXPECT_NEAR(y.mean().item<float>(), 0.6, 0.007);
  EXPECT_EQ(first->apply(x, Mode::Inference).mean().item<float>(), 0.5f);
}

TEST(DoReFa, RoundsGradientsWithoutBias) {
  const auto quantizer = make_quantizer(request("dorefa:gradient_bits=2"), {kUnsigned, {}, 3});
  const at::Tensor x = at::full({1, 40000}, 1.0f).set_requires_grad(true);
  at::Tensor g = at::full({1, 40000}, 0.1f);
  g[0][0] = -1.0f;  // the largest: codes at -1, -1/3, 1/3, 1
  quantizer->apply(x, Mode::Training).backward(g);
  const at::Tensor found = x.grad();
  EXPECT_EQ(std::get<0>(at::_unique(found)).numel(), 3);
  EXPECT_NEAR(found[0][0].item<float>(), -1, 1e-5);
  EXPECT_NEAR(found.slice(1, 1).mean().item<float>(), 0.1, 0.008);
}

TEST(Codebook, NumbersLearnFromTheSumOfTheirWeights) {
  const QuantParams params = listed({-1, 0, 2}, {1}, -1);
  const at::Tensor w = at::tensor({-0.9f, 0.1f, 1.8f, 2.2f, -1.2f});
  const auto quantizer = make_quantizer(request("codebook"), {params, w, 0});
  quantizer->apply(w, Mode::Training).backward(at::tensor({1.0f, 2.0f, 4.0f, 8.0f, 16.0f}));
  EXPECT_TRUE(quantizer->learned()[0].tensor.grad().equal(at::tensor({17.0f, 0.0f, 12.0f})));
}

TEST(Codebook, NumbersThatMeetStayApart) {
  const QuantParams params = listed({-1, 0, 1, 2}, {1}, -1);
  const at::Tensor w = at::tensor({-1.0f, 0.0f, 1.0f, 2.0f});
  const auto quantizer = make_quantizer(request("codebook"), {params, w, 0});
  {
    const at::NoGradGuard no_grad;
    quantizer->learned()[0].tensor.copy_(at::tensor({0.0f, 0.5f, 3.0f, 3.0f}));
  }
  const QuantParams found = quantizer->params();
  EXPECT_NO_THROW(check_params(found, {4}, "grid"));
  EXPECT_EQ(found.levels[1], 0);
  EXPECT_EQ(found.levels[2], 3);
}

TEST(Incremental, HoldsTheLargestFirst) {
  const QuantParams params = affine(DType::Int8, -7, 7, {0.25f}, 0);
  const at::Tensor w = at::tensor({0.1f, -0.9f, 0.3f, 1.2f, -0.05f, 0.7f, 0.2f, -0.4f}).set_requires_grad(true);
  const auto quantizer = make_quantizer(request("incremental"), {params, w.detach(), 0});
  quantizer->advance(0);
  at::Tensor y = quantizer->apply(w, Mode::Training);
  EXPECT_TRUE(y.equal(at::tensor({0.1f, -1.0f, 0.3f, 1.25f, -0.05f, 0.75f, 0.2f, -0.5f})));
  y.sum().backward();
  EXPECT_TRUE(w.grad().equal(at::tensor({1.0f, 0.0f, 1.0f, 0.0f, 1.0f, 0.0f, 1.0f, 0.0f})));
  quantizer->apply(w, Mode::Inference);  // looks, and holds nothing
  quantizer->advance(0.3);
  y = quantizer->apply(w, Mode::Training);
  EXPECT_TRUE(y.equal(at::tensor({0.1f, -1.0f, 0.25f, 1.25f, -0.05f, 0.75f, 0.25f, -0.5f})));
}

TEST(Binary, GradientIsThatOfThePaper) {
  const QuantParams params = listed({-1, 1}, {1}, -1);
  const at::Tensor w = at::tensor({0.5f, -0.25f, 1.75f, -1.5f}).set_requires_grad(true);
  const auto quantizer = make_quantizer(request("binary"), {params, w.detach(), 0});
  const at::Tensor y = quantizer->apply(w, Mode::Training);
  EXPECT_TRUE(y.equal(at::tensor({1.0f, -1.0f, 1.0f, -1.0f})));  // alpha = 1
  y.backward(at::tensor({1.0f, 2.0f, 4.0f, 8.0f}));
  EXPECT_TRUE(w.grad().allclose(at::tensor({1.25f, 2.5f, 1.0f, 2.0f})));  // g (1/4 + alpha), and g / 4 beyond 1
}

TEST(Ternary, ThresholdsAndScalesAreThoseOfThePapers) {
  const QuantParams params = affine(DType::Int8, -1, 1, {1}, 0);
  const at::Tensor w =
      at::tensor({1.0f, -0.8f, 0.1f, -0.5f, 0.6f}).set_requires_grad(true);  // mean 0.6, threshold 0.42
  const auto one = make_quantizer(request("ternary"), {params, w.detach(), 0});
  at::Tensor y = one->apply(w, Mode::Training);
  EXPECT_TRUE(y.allclose(at::tensor({0.725f, -0.725f, 0.0f, -0.725f, 0.725f})));
  y.sum().backward();
  EXPECT_TRUE(w.grad().equal(at::ones({5})));

  w.mutable_grad().zero_();
  const auto two = make_quantizer(request("ternary:scales=two"), {params, w.detach(), 0});
  y = two->apply(w, Mode::Training);  // threshold 0.05: none is 0, both scales start at 0.6
  EXPECT_TRUE(y.allclose(at::tensor({0.6f, -0.6f, 0.6f, -0.6f, 0.6f})));
  y.backward(at::tensor({1.0f, 2.0f, 4.0f, 8.0f, 16.0f}));
  EXPECT_NEAR(two->learned()[0].tensor.grad().item<float>(), 21, 1e-4);
  EXPECT_NEAR(two->learned()[1].tensor.grad().item<float>(), -10, 1e-4);
  EXPECT_TRUE(w.grad().allclose(at::tensor({0.6f, 1.2f, 2.4f, 4.8f, 9.6f})));
}

TEST(PowerOfTwoScale, ScalesArePowersOfTwo) {
  const auto quantizer = make_quantizer(request("power_of_two_scale"), {kChannels, drawn({3, 2}, 1), 0});
  const std::vector<float> expected = {0.25f, 0.125f, 0.5f};  // the next above 0.2, 0.1 and 0.3
  EXPECT_EQ(quantizer->params().scale, expected);
}

TEST(Lsq, StartsFromTheMeanMagnitudeWhereAsked) {
  const at::Tensor w = at::tensor({1.0f, -3.0f, 2.0f, 2.0f, 0.5f, -0.5f}).reshape({3, 2});
  const auto quantizer = make_quantizer(request("lsq:start=mean"), {kChannels, w, 0});
  const std::vector<float> scales = quantizer->params().scale;
  const double root = std::sqrt(7.0);  // 2 <|w|> / sqrt(highest code)
  EXPECT_NEAR(scales.at(0), 4 / root, 1e-6);
  EXPECT_NEAR(scales.at(1), 4 / root, 1e-6);
  EXPECT_NEAR(scales.at(2), 1 / root, 1e-6);
}

TEST(Lsq, ScalesThatFallBelowZeroComeBack) {
  const auto quantizer = make_quantizer(request("lsq"), {kChannels, drawn({3, 2}, 1), 0});
  {
    const at::NoGradGuard no_grad;
    quantizer->learned()[0].tensor.copy_(at::tensor({-0.5f, 0.0f, 0.1f}));
  }
  quantizer->project();
  const std::vector<float> scales = quantizer->params().scale;
  EXPECT_EQ(scales[0], 0.5f);
  EXPECT_GT(scales[1], 0);
}

TEST(Lsq, GradientScaleCountsTheElementsThatShareAScale) {
  const at::Tensor w = at::full({3, 8}, 100.0f).set_requires_grad(true);
  const auto quantizer = make_quantizer(request("lsq"), {kChannels, w.detach(), 0});
  quantizer->apply(w, Mode::Training).sum().backward();
  // Each of 8 elements gives 7; times 1 / sqrt(8 * 7).
  EXPECT_NEAR(quantizer->learned()[0].tensor.grad()[1].item<float>(), 56 / std::sqrt(56.0), 1e-4);
}

}  // namespace
}  // namespace halftone::train::quantizer_test
