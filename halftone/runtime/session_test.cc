#include "halftone/runtime/session.h"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>

#include "halftone/base/rng.h"
#include "halftone/sim/interpreter.h"
#include "tests/support/quantized_net.h"

namespace halftone::session_test {
namespace {

// Conv, Relu, Conv, residual Add with the first Relu, Relu.
test::NetBuilder residual_net(bool quantized) {
  test::NetBuilder net;
  Rng rng(4);
  const auto grid = [&](const char* name, float scale) {
    if (quantized) net.encode(name, test::uint8_grid(scale, 100));
  };
  const auto weights = [&](const char* name, int64_t oc, int64_t ic) {
    const std::vector<float> content = test::random_floats(rng, oc * ic * 9, -0.2, 0.2);
    if (quantized) net.encode(name, test::weight_grid(std::vector<float>(static_cast<size_t>(oc), 0.2f / 127), 0));
    return net.constant(name, {oc, ic, 3, 3}, content);
  };
  const std::vector<std::pair<std::string, AttributeValue>> same = {{"pads", std::vector<int64_t>{1, 1, 1, 1}}};
  const ValueId x = net.input("x", {2, 3, 11, 9});
  grid("x", 0.02f);
  const ValueId bias = net.constant("bias", {24}, test::random_floats(rng, 24, -0.5, 0.5));
  const ValueId a = net.node("Relu", {net.node("Conv", {x, weights("w1", 24, 3), bias}, "c1", same)}, "a");
  grid("a", 0.01f);
  const ValueId c = net.node("Conv", {a, weights("w2", 24, 24)}, "c2", same);
  grid("c2", 0.03f);
  const ValueId y = net.node("Relu", {net.node("Add", {a, c}, "sum")}, "y");
  grid("y", 0.03f);
  net.output(y);
  return net;
}

TensorMap random_input(uint64_t seed) {
  Rng rng(seed);
  return {{"x", Tensor::from({2, 3, 11, 9}, test::random_floats(rng, 2 * 3 * 11 * 9, -1, 1))}};
}

TEST(Session, QuantizedValuesAreTheInterpreters) {
  const test::NetBuilder net = residual_net(true);
  const TensorMap inputs = random_input(1);
  const Tensor expected = sim::Interpreter(net.model).run(inputs).at("y");
  for (const int threads : {1, 2}) {
    const Tensor actual = Session(net.model, {threads, nullptr, {}}).run(inputs).at("y");
    for (size_t i = 0; i < static_cast<size_t>(actual.size()); ++i) {
      const double steps = double{actual.data<float>()[i]} / 0.03f;
      ASSERT_NEAR(steps, std::round(steps), 1e-4);
    }
    EXPECT_TRUE(actual.same_as(expected));
  }
}

TEST(Session, MayBeRunFromSeveralThreadsAtOnce) {
  const Session session(residual_net(false).model, {2, nullptr, {}});
  std::vector<TensorMap> expected;
  for (uint64_t seed = 0; seed < 4; ++seed) expected.push_back(session.run(random_input(seed)));
  std::vector<std::thread> callers;
  std::atomic<int> wrong{0};
  for (uint64_t seed = 0; seed < 4; ++seed) {
    callers.emplace_back([&, seed] {
      for (int i = 0; i < 50; ++i) wrong += !session.run(random_input(seed)).at("y").same_as(expected[seed].at("y"));
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Session, TapsAreRoundedPlainAndInOrder) {
  SessionOptions options;
  options.taps = {"x", "c1", "a", "c2", "sum"};
  std::vector<std::string> names;
  const Session session(residual_net(true).model, options);
  static_cast<void>(session.run(random_input(1), [&](std::string_view name, const Tensor& value) {
    names.emplace_back(name);
    EXPECT_EQ(value.shape()[0], 2);
    if (name != "a") return;
    EXPECT_EQ(value.shape(), (Shape{2, 24, 11, 9}));
    for (float x : value.data<float>()) ASSERT_NEAR(x / 0.01f, std::round(x / 0.01f), 1e-3);
  }));
  // c1 and sum are sums that their activations are absorbed in; they are never computed by themselves.
  EXPECT_EQ(names, (std::vector<std::string>{"x", "a", "c2"}));
}

TEST(Session, AnExceptionInATapReachesTheCaller) {
  SessionOptions options{2, nullptr, {"a"}};
  const Session session(residual_net(false).model, options);
  EXPECT_THROW(session.run(random_input(1), [](std::string_view, const Tensor&) { throw std::runtime_error("tap"); }),
               std::runtime_error);
  EXPECT_EQ(session.run(random_input(1)).size(), 1u);
}

TEST(Session, WrongInputsAreRefusedByName) {
  const Session session(residual_net(false).model);
  const auto message = [&](const TensorMap& inputs) -> std::string {
    try {
      session.run(inputs);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::InvalidArgument);
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message({}).find("'x'"), std::string::npos);
  EXPECT_NE(message({{"x", Tensor(DType::Float, {2, 4, 11, 9})}}).find("float[2, 3, 11, 9]"), std::string::npos);
  EXPECT_NE(message({{"x", Tensor(DType::Int8, {2, 3, 11, 9})}}).find("int8"), std::string::npos);
  TensorMap extra = random_input(1);
  extra.emplace("z", Tensor(DType::Float, {1}));
  EXPECT_NE(message(extra).find("'z'"), std::string::npos);
}

TEST(Session, AnUnknownTapIsRefused) {
  EXPECT_THROW(Session(residual_net(false).model, SessionOptions{1, nullptr, {"nowhere"}}), Error);
}

}  // namespace
}  // namespace halftone::session_test
