// The reference interpreter against ONNX's backend tests. What fails stands in manifest.txt with its reason; both a
// failure that is missing there and a success that is listed there fail the suite.
#include <gtest/gtest.h>

#include "halftone/graph/op_table.h"
#include "halftone/onnx/onnx.h"
#include "halftone/sim/interpreter.h"
#include "tests/conformance/test_case.h"

namespace halftone::conformance {
namespace {

// Empty when the interpreter reproduces all data sets of the test, otherwise the first deviation.
std::string run(const TestCase& test, const Graph& graph) {
  try {
    verify(graph);
    const sim::Interpreter interpreter(graph);
    for (const DataSet& data : read_data_sets(test, graph)) {
      const TensorMap outputs = interpreter.run(data.inputs);
      for (const auto& [name, expected] : data.outputs) {
        const std::string deviation = difference(outputs.at(name), expected);
        if (!deviation.empty()) return fmt::format("output '{}': {}", name, deviation);
      }
    }
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

class Conformance : public testing::TestWithParam<TestCase> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Conformance);

TEST_P(Conformance, GivesTheExpectedOutputs) {
  const Graph graph = onnx::import_model(GetParam().folder / "model.onnx");
  if (!is_in_table(graph)) GTEST_SKIP() << "not in the op table";
  const std::map<std::string, std::string> manifest = read_manifest();
  const auto listed = manifest.find(GetParam().name);
  const std::string deviation = run(GetParam(), graph);
  if (listed == manifest.end()) {
    EXPECT_EQ(deviation, "");
  } else {
    EXPECT_NE(deviation, "") << "passes although listed (" << listed->second << "): remove it from the manifest";
  }
}

std::string name_of_test(const testing::TestParamInfo<TestCase>& info) {
  std::string name = info.param.name;
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Onnx, Conformance, testing::ValuesIn(all_tests()), name_of_test);

// The tests above hold the manifest to the truth, so counting its lines counts the failures.
TEST(ConformanceSuite, AtLeast97PercentPass) {
  const std::vector<TestCase> tests = all_tests();
  if (tests.empty()) GTEST_SKIP() << "no ONNX test data: install libonnx-testdata";
  const std::map<std::string, std::string> manifest = read_manifest();
  int in_table = 0, failing = 0;
  for (const TestCase& test : tests) {
    if (!is_in_table(onnx::import_model(test.folder / "model.onnx"))) continue;
    ++in_table;
    failing += manifest.contains(test.name);
  }
  RecordProperty("in_table", in_table);
  RecordProperty("failing", failing);
  EXPECT_GE(in_table, 850) << "the op table shrank";
  EXPECT_LE(failing * 100, in_table * 3) << failing << " of " << in_table << " tests stand in the manifest";
  EXPECT_EQ(failing, static_cast<int>(manifest.size())) << "the manifest lists tests that don't run";
}

}  // namespace
}  // namespace halftone::conformance
