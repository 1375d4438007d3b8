// Shape inference on real networks.
#include <gtest/gtest.h>

#include "halftone/graph/op_table.h"
#include "halftone/onnx/onnx.h"
#include "tests/shapes/declarations.h"
#include "tests/support/testdata.h"

namespace halftone {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> shared_models() { return test::models_below(test::shared_folder() / "models"); }

std::map<std::string, Shape> shapes_with_batch(const Graph& graph, int64_t batch) {
  std::map<std::string, Shape> shapes;
  for (ValueId id : graph.required_inputs()) {
    const Value& input = graph.value(id);
    Shape shape;
    for (const Dim& dim : *input.type.shape) shape.push_back(dim.known() ? dim.value : batch);
    shapes[input.name] = shape;
  }
  return shapes;
}

TEST(ModelShapes, EveryValueOfTheSharedModelsGetsAFixedShape) {
  const std::vector<fs::path> models = shared_models();
  if (models.empty()) GTEST_SKIP() << "no shared models; set HALFTONE_SHARED to their folder";
  for (const fs::path& path : models) {
    SCOPED_TRACE(path.string());
    const Graph graph = onnx::import_model(path);
    EXPECT_NO_THROW(verify(graph));
    for (int64_t batch : {1, 3}) {
      Graph fixed = graph;
      ASSERT_NO_THROW(infer_shapes(fixed, shapes_with_batch(graph, batch)));
      for (ValueId id : fixed.live_values()) {
        const Value& value = fixed.value(id);
        EXPECT_TRUE(value.type.fixed_shape()) << value.name << ": " << to_string(value.type);
        EXPECT_NE(value.type.dtype, DType::Undefined) << value.name;
      }
    }
  }
}

// Networks of a few nodes that torch exported, opset 6 to 9; every output's declared type is the oracle.
TEST(ModelShapes, AgreeWithWhatExportersDeclare) {
  if (!fs::exists(test::onnx_test_models())) GTEST_SKIP() << "install libonnx-testdata";
  int checked = 0;
  for (const char* group : {"pytorch-converted", "pytorch-operator"}) {
    for (const fs::path& path : test::models_below(test::onnx_test_models() / group)) {
      SCOPED_TRACE(path.string());
      Graph graph = onnx::import_model(path);
      EXPECT_NO_THROW(verify(graph));
      if (!test::all_in_table(graph) || !test::all_tensors(graph)) continue;
      ++checked;
      std::vector<TensorType> declared;
      for (ValueId id : graph.outputs()) declared.push_back(graph.value(id).type);
      test::forget_declarations(graph);
      infer_shapes(graph);
      for (size_t i = 0; i < declared.size(); ++i) {
        EXPECT_EQ(to_string(graph.value(graph.outputs()[i]).type), to_string(declared[i]));
      }
    }
  }
  EXPECT_GT(checked, 60);
}

// A symbolic batch reaches every output as the same symbol.
TEST(ModelShapes, ASymbolicBatchReachesTheOutputs) {
  const std::vector<fs::path> models = shared_models();
  if (models.empty()) GTEST_SKIP() << "no shared models; set HALFTONE_SHARED to their folder";
  for (const fs::path& path : models) {
    SCOPED_TRACE(path.string());
    Graph graph = onnx::import_model(path);
    const std::vector<ValueId> inputs = graph.required_inputs();
    if (inputs.size() != 1 || graph.value(inputs[0]).type.shape->front().known()) continue;
    graph.value(inputs[0]).type.shape->front() = Dim("batch");
    for (const Node& node : graph.nodes()) {
      for (ValueId id : node.outputs) graph.value(id).declared = false;
    }
    infer_shapes(graph);
    for (ValueId id : graph.outputs()) {
      EXPECT_EQ(graph.value(id).type.shape->front(), Dim("batch")) << to_string(graph.value(id).type);
    }
  }
}

}  // namespace
}  // namespace halftone
