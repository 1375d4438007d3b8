// The engine against ONNX's backend tests, with one thread and with two. What the interpreter can't reproduce
// (conformance/manifest.txt) is no test of the engine.
#include <gtest/gtest.h>

#include "halftone/onnx/onnx.h"
#include "halftone/runtime/session.h"
#include "tests/conformance/test_case.h"

namespace halftone::conformance {
namespace {

class EngineConformance : public testing::TestWithParam<TestCase> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EngineConformance);

TEST_P(EngineConformance, GivesTheExpectedOutputs) {
  const Graph graph = onnx::import_model(GetParam().folder / "model.onnx");
  if (!is_in_table(graph)) GTEST_SKIP() << "not in the op table";
  if (read_manifest().contains(GetParam().name)) GTEST_SKIP() << "in the interpreter's manifest";
  for (const int threads : {1, 2}) {
    const Session session(graph, {threads, nullptr, {}});
    for (const DataSet& data : read_data_sets(GetParam(), graph)) {
      const TensorMap outputs = session.run(data.inputs);
      for (const auto& [name, expected] : data.outputs) {
        EXPECT_EQ(difference(outputs.at(name), expected), "") << "output '" << name << "', " << threads << " threads";
      }
    }
  }
}

std::string name_of_test(const testing::TestParamInfo<TestCase>& info) {
  std::string name = info.param.name;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Onnx, EngineConformance, testing::ValuesIn(all_tests()), name_of_test);

}  // namespace
}  // namespace halftone::conformance
