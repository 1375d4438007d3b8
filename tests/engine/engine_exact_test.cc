// Everything that is computed in integers: the engine gives the interpreter's codes bit for bit, on random networks.
#include <gtest/gtest.h>

#include "halftone/quant/integer_plan.h"
#include "tests/engine/exact_values.h"
#include "tests/engine/random_graph.h"

namespace halftone {
namespace {

class EngineExact : public testing::TestWithParam<RequantizeMode> {};

TEST_P(EngineExact, RandomNetworks) {
  int64_t compared = 0, planned = 0, nodes = 0;
  for (uint64_t seed = 0; seed < 150; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    const test::RandomNet net = test::random_net(seed);
    const QuantizedModel model = test::quantize_at_random(net.graph, net.inputs, seed);
    const std::set<std::string> exact = test::exact_values(model, GetParam());
    const test::Reference reference = test::run_reference(model, GetParam(), net.inputs);
    compared += test::expect_exact(model, reference, exact, net.inputs, GetParam(), static_cast<int>(seed % 3) + 1);
    for (const auto& node : plan_integers(model, GetParam()).nodes) planned += node ? 1 : 0;
    nodes += static_cast<int64_t>(net.graph.nodes().size());
    if (HasFailure()) break;
  }
  EXPECT_GT(planned, nodes / 3) << "most nodes should be in integers, of " << nodes;
  EXPECT_GT(compared, 100000);
}

INSTANTIATE_TEST_SUITE_P(Modes, EngineExact, testing::Values(RequantizeMode::Float, RequantizeMode::Dyadic),
                         [](const auto& mode) { return mode.param == RequantizeMode::Float ? "Float" : "Dyadic"; });

}  // namespace
}  // namespace halftone
