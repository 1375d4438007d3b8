// Rewrites before quantization on every shared model: within 1e-4 of the largest output, or as far off as stated.
#include <gtest/gtest.h>

#include "halftone/eval/inputs.h"
#include "halftone/onnx/onnx.h"
#include "halftone/runtime/session.h"
#include "halftone/transform/absorb_bias.h"
#include "halftone/transform/equalize.h"
#include "halftone/transform/pass.h"
#include "halftone/transform/split_channels.h"
#include "tests/support/relative_difference.h"
#include "tests/support/testdata.h"

namespace halftone::transform {
namespace {

TensorMap noise_for(const Graph& graph) {
  Rng rng(7);
  return eval::random_inputs(graph, 1, rng);
}

double difference(const Graph& graph, const TensorMap& inputs, const TensorMap& expected) {
  return test::relative_difference(Session(graph, {}).run(inputs), expected);
}

class RewriteModels : public testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RewriteModels);

TEST_P(RewriteModels, KeepTheFunction) {
  const Graph file = onnx::import_model(GetParam());
  const TensorMap inputs = noise_for(file), expected = Session(file, {}).run(inputs);
  const Graph graph = simplify(file);
  EXPECT_LE(difference(graph, inputs, expected), 1e-4);

  const Equalization exact = equalize(graph, {.upper_bounds = UpperBounds::PerChannel});
  EXPECT_FALSE(exact.factors.empty());
  EXPECT_LE(difference(exact.graph, inputs, expected), 1e-4);

  const ChannelSplit split = split_channels(graph);
  EXPECT_GT(split.layers, 0);
  EXPECT_LE(difference(split.graph, inputs, expected), 1e-4);
}

// Where batch normalization says what channels reach, bounds are kept, and what lies always above them is absorbed;
// numbers beyond 4 deviations, or below 3, make the difference. Noise, which no network was trained on, has many of
// them: 0.37 of the largest output at most was found, in mobilenet_v2_tfslim_bn (docs/methods.md has what it
// is on photographs).
TEST_P(RewriteModels, StatisticsChangeTheFunctionWithinBounds) {
  const Graph file = onnx::import_model(GetParam());
  const NormStatistics norms = collect_norm_statistics(file);
  if (norms.empty()) GTEST_SKIP() << "no batch normalization";
  const TensorMap inputs = noise_for(file), expected = Session(file, {}).run(inputs);
  const Graph graph = simplify(file);
  const Equalization kept = equalize(graph, {.ranges = expected_ranges(propagate_moments(graph, norms), 4)});
  EXPECT_LE(difference(kept.graph, inputs, expected), 0.5);
  const Absorption absorbed = absorb_bias(kept.graph, scale(norms, kept));
  EXPECT_LE(difference(absorbed.graph, inputs, expected), 0.5);
}

std::string name_of_model(const testing::TestParamInfo<std::filesystem::path>& info) { return info.param.stem(); }

INSTANTIATE_TEST_SUITE_P(Shared, RewriteModels, testing::ValuesIn(test::models_below(test::shared_folder() / "models")),
                         name_of_model);

TEST(RewriteModelsSuite, HasModels) {
  if (test::models_below(test::shared_folder() / "models").empty()) {
    GTEST_SKIP() << "no models in " << test::shared_folder() / "models"
                 << ": set HALFTONE_SHARED to the folder of shared models";
  }
}

}  // namespace
}  // namespace halftone::transform
