// The engine against the interpreter on every shared model: within 1e-4 of the largest output.
#include <gtest/gtest.h>

#include "halftone/base/rng.h"
#include "halftone/onnx/onnx.h"
#include "halftone/runtime/session.h"
#include "halftone/sim/interpreter.h"
#include "tests/support/relative_difference.h"
#include "tests/support/testdata.h"

namespace halftone {
namespace {

TensorMap random_inputs(const Graph& graph, int64_t batch) {
  Rng rng(7);
  TensorMap inputs;
  for (ValueId id : graph.required_inputs()) {
    Shape shape;
    for (const Dim& dim : *graph.value(id).type.shape) shape.push_back(dim.known() ? dim.value : batch);
    Tensor tensor(DType::Float, shape);
    for (float& x : tensor.mutable_data<float>()) x = static_cast<float>(rng.normal());
    inputs.emplace(graph.value(id).name, std::move(tensor));
  }
  return inputs;
}

class EngineModels : public testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EngineModels);

TEST_P(EngineModels, EqualsTheInterpreter) {
  const Graph graph = onnx::import_model(GetParam());
  const sim::Interpreter interpreter(graph);
  for (const int64_t batch : {1, 5}) {
    const TensorMap inputs = random_inputs(graph, batch);
    const TensorMap expected = interpreter.run(inputs);
    for (const int threads : {1, 2, 3}) {
      const Session session(graph, {threads, nullptr, {}});
      const TensorMap actual = session.run(inputs);
      ASSERT_EQ(actual.size(), expected.size());
      for (const auto& [name, tensor] : expected) {
        ASSERT_EQ(actual.at(name).shape(), tensor.shape());
        EXPECT_LE(test::relative_difference(actual.at(name), tensor), 1e-4)
            << name << ", batch " << batch << ", " << threads << " threads";
      }
      // A second run in the same memory gives the same bits.
      for (const auto& [name, tensor] : session.run(inputs)) EXPECT_TRUE(tensor.same_as(actual.at(name))) << name;
    }
  }
}

std::string name_of_model(const testing::TestParamInfo<std::filesystem::path>& info) { return info.param.stem(); }

INSTANTIATE_TEST_SUITE_P(Shared, EngineModels, testing::ValuesIn(test::models_below(test::shared_folder() / "models")),
                         name_of_model);

TEST(EngineModelsSuite, HasModels) {
  if (test::models_below(test::shared_folder() / "models").empty()) {
    GTEST_SKIP() << "no models in " << test::shared_folder() / "models"
                 << ": set HALFTONE_SHARED to the folder of shared models";
  }
}

}  // namespace
}  // namespace halftone
