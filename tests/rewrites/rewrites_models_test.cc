// Rewrites before quantization on every shared model: within 1e-4 of the largest output, or as far off as stated.
#include <gtest/gtest.h>

#include <cmath>

#include "halftone/base/rng.h"
#include "halftone/onnx/onnx.h"
#include "halftone/runtime/session.h"
#include "halftone/transform/absorb_bias.h"
#include "halftone/transform/equalize.h"
#include "halftone/transform/pass.h"
#include "halftone/transform/split_channels.h"
#include "tests/support/testdata.h"

namespace halftone::transform {
namespace {

TensorMap random_inputs(const Graph& graph) {
  Rng rng(7);
  TensorMap inputs;
  for (ValueId id : graph.required_inputs()) {
    Shape shape;
    for (const Dim& dim : *graph.value(id).type.shape) shape.push_back(dim.known() ? dim.value : 1);
    Tensor tensor(DType::Float, shape);
    for (float& x : tensor.mutable_data<float>()) x = static_cast<float>(rng.uniform(-1, 1));
    inputs.emplace(graph.value(id).name, std::move(tensor));
  }
  return inputs;
}

// The largest difference over the largest expected magnitude, of all outputs.
double difference(const Graph& graph, const TensorMap& inputs, const TensorMap& expected) {
  const TensorMap found = Session(graph, {}).run(inputs);
  double worst = 0;
  for (const auto& [name, tensor] : expected) {
    double apart = 0, magnitude = 1e-30;
    for (int64_t i = 0; i < tensor.size(); ++i) {
      const auto at = static_cast<size_t>(i);
      const double e = tensor.data<float>()[at], f = found.at(name).data<float>()[at];
      apart = std::max(apart, std::isnan(f) ? INFINITY : std::abs(f - e));
      magnitude = std::max(magnitude, std::abs(e));
    }
    worst = std::max(worst, apart / magnitude);
  }
  return worst;
}

class RewriteModels : public testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RewriteModels);

TEST_P(RewriteModels, KeepTheFunction) {
  const Graph file = onnx::import_model(GetParam());
  const TensorMap inputs = random_inputs(file), expected = Session(file, {}).run(inputs);
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
  const TensorMap inputs = random_inputs(file), expected = Session(file, {}).run(inputs);
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
