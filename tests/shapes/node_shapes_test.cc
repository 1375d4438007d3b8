// The shape rules against ONNX's backend node tests: what the files declare their outputs to be is the oracle.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <set>

#include "halftone/graph/op_table.h"
#include "halftone/onnx/onnx.h"
#include "tests/shapes/declarations.h"
#include "tests/support/testdata.h"

namespace halftone {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> node_tests() {
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(test::onnx_node_tests())) folders.push_back(entry.path());
  std::sort(folders.begin(), folders.end());
  return folders;
}

// The data files hold bfloat16 tensors as uint16.
Tensor as_declared(Tensor tensor, DType declared) {
  if (declared != DType::BFloat16 || tensor.dtype() != DType::UInt16) return tensor;
  const auto bytes = std::make_shared<Tensor>(tensor);
  return Tensor::view(declared, tensor.shape(), bytes->bytes(), bytes);
}

// Makes constants of the inputs in the test's data, so that shapes that depend on content can be inferred.
void feed_inputs(Graph& graph, const fs::path& folder) {
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    Value& input = graph.value(graph.inputs()[i]);
    const fs::path file = folder / "test_data_set_0" / fmt::format("input_{}.pb", i);
    input.constant = as_declared(onnx::import_tensor(file), input.type.dtype);
    // Some of the data has other shapes than the file declares.
    input.type.shape = to_dims(input.constant->shape());
  }
}

TEST(NodeShapes, AgreeWithWhatTheFilesDeclare) {
  if (!fs::exists(test::onnx_node_tests())) GTEST_SKIP() << "install libonnx-testdata";
  // How many elements are chosen is content of the data itself.
  const std::set<std::string> counted_in_a_run = {"NonZero", "Compress"};
  int checked = 0;
  for (const fs::path& folder : node_tests()) {
    SCOPED_TRACE(folder.filename().string());
    Graph graph = onnx::import_model(folder / "model.onnx");
    if (!test::all_in_table(graph) || !test::all_tensors(graph)) continue;
    ++checked;
    std::vector<TensorType> declared;
    for (ValueId id : graph.outputs()) declared.push_back(graph.value(id).type);
    EXPECT_NO_THROW(verify(graph));
    test::forget_declarations(graph);
    EXPECT_NO_THROW(infer_shapes(graph)) << "with the content of inputs unknown";
    feed_inputs(graph, folder);
    EXPECT_NO_THROW(infer_shapes(graph));
    for (size_t i = 0; i < declared.size(); ++i) {
      const TensorType& inferred = graph.value(graph.outputs()[i]).type;
      EXPECT_EQ(inferred.dtype, declared[i].dtype);
      if (counted_in_a_run.contains(graph.nodes().back().op_type)) continue;
      EXPECT_TRUE(inferred.fixed_shape()) << to_string(inferred);
      if (!declared[i].fixed_shape()) continue;
      EXPECT_EQ(to_string(inferred), to_string(declared[i]));
    }
  }
  EXPECT_GT(checked, 600);
}

TEST(NodeShapes, AgreeWithTheExpectedOutputs) {
  if (!fs::exists(test::onnx_node_tests())) GTEST_SKIP() << "install libonnx-testdata";
  for (const fs::path& folder : node_tests()) {
    SCOPED_TRACE(folder.filename().string());
    Graph graph = onnx::import_model(folder / "model.onnx");
    if (!test::all_in_table(graph) || !test::all_tensors(graph)) continue;
    test::forget_declarations(graph);
    feed_inputs(graph, folder);
    infer_shapes(graph);
    for (size_t i = 0; i < graph.outputs().size(); ++i) {
      const TensorType& inferred = graph.value(graph.outputs()[i]).type;
      const fs::path file = folder / "test_data_set_0" / fmt::format("output_{}.pb", i);
      if (!fs::exists(file)) continue;
      const Tensor expected = as_declared(onnx::import_tensor(file), inferred.dtype);
      EXPECT_EQ(inferred.dtype, expected.dtype());
      if (const auto shape = inferred.fixed_shape()) {
        EXPECT_EQ(*shape, expected.shape());
      }
    }
  }
}

}  // namespace
}  // namespace halftone
