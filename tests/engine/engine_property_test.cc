// Random networks: every pass and the engine compute what the interpreter computes.
#include <gtest/gtest.h>

#include <cmath>

#include "halftone/graph/op_table.h"
#include "halftone/runtime/session.h"
#include "halftone/sim/interpreter.h"
#include "halftone/transform/pass.h"
#include "tests/engine/random_graph.h"

namespace halftone {
namespace {

constexpr uint64_t kNets = 150;

void expect_near(const TensorMap& actual, const TensorMap& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_EQ(actual.at(name).shape(), tensor.shape()) << name;
    double magnitude = 1.0, difference = 0;
    for (int64_t i = 0; i < tensor.size(); ++i) {
      const double e = tensor.data<float>()[static_cast<size_t>(i)];
      const double a = actual.at(name).data<float>()[static_cast<size_t>(i)];
      difference = std::max(difference, std::isnan(a) ? INFINITY : std::abs(a - e));
      magnitude = std::max(magnitude, std::abs(e));
    }
    EXPECT_LE(difference, tolerance * magnitude) << name;
  }
}

// What two graphs have in common when a pass changes nothing: nodes with their operands, and constants.
std::string text_of(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes()) {
    text += node.op_type + '(';
    for (ValueId id : node.inputs) text += (id == ValueId::None ? "" : graph.value(id).name) + ' ';
    text += ") -> " + graph.value(node.outputs[0]).name + '\n';
  }
  return text;
}

TEST(PassProperty, EveryPassKeepsTheFunctionAndIsIdempotent) {
  for (uint64_t seed = 0; seed < kNets; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    test::RandomNet net = test::random_net(seed);
    infer_shapes(net.graph);
    const TensorMap expected = sim::Interpreter(net.graph).run(net.inputs);
    for (const transform::Pass& pass : transform::all_passes()) {
      SCOPED_TRACE(std::string(pass.name));
      const Graph once = pass.function(net.graph, {});
      verify(once);
      expect_near(sim::Interpreter(once).run(net.inputs), expected, 1e-5);
      EXPECT_EQ(text_of(pass.function(once, {})), text_of(once));
    }
    expect_near(sim::Interpreter(transform::simplify(net.graph)).run(net.inputs), expected, 1e-5);
  }
}

TEST(PassProperty, KeptValuesKeepTheirContent) {
  for (uint64_t seed = 0; seed < kNets; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    test::RandomNet net = test::random_net(seed);
    infer_shapes(net.graph);
    transform::KeepNames keep;
    TensorMap expected;
    sim::Interpreter(net.graph).run(net.inputs, [&](std::string_view name, const Tensor& real, const Tensor*) {
      if (keep.size() % 2 == 0 && real.dtype() == DType::Float) expected.emplace(name, real);
      keep.insert(std::string(name));
    });
    keep.clear();
    for (const auto& [name, tensor] : expected) keep.insert(name);
    TensorMap seen;
    sim::Interpreter(transform::simplify(net.graph, keep))
        .run(net.inputs, [&](std::string_view name, const Tensor& real, const Tensor*) {
          if (keep.contains(name)) seen.emplace(name, real);
        });
    expect_near(seen, expected, 1e-5);
  }
}

class EngineProperty : public testing::TestWithParam<int> {};

TEST_P(EngineProperty, EqualsTheInterpreter) {
  for (uint64_t seed = 0; seed < kNets; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    const test::RandomNet net = test::random_net(seed);
    const TensorMap expected = sim::Interpreter(net.graph).run(net.inputs);
    const Session session(net.graph, {GetParam(), nullptr, {}});
    expect_near(session.run(net.inputs), expected, 1e-4);
  }
}

TEST_P(EngineProperty, TapsSeeWhatTheInterpreterSees) {
  for (uint64_t seed = 0; seed < kNets / 3; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    const test::RandomNet net = test::random_net(seed);
    TensorMap expected;
    sim::Interpreter(net.graph).run(net.inputs, [&](std::string_view name, const Tensor& real, const Tensor*) {
      if (real.dtype() == DType::Float) expected.emplace(name, real);
    });
    SessionOptions options{GetParam(), nullptr, {}};
    for (const auto& [name, tensor] : expected) options.taps.push_back(name);
    TensorMap seen;
    Session(net.graph, options).run(net.inputs, [&](std::string_view name, const Tensor& value) {
      Tensor copy = value;
      static_cast<void>(copy.mutable_bytes());
      seen.emplace(name, std::move(copy));
    });
    expect_near(seen, expected, 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(Threads, EngineProperty, testing::Values(1, 2, 3));

}  // namespace
}  // namespace halftone
