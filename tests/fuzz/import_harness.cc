#include "tests/fuzz/import_harness.h"

#include <stdexcept>

#include "halftone/base/error.h"
#include "halftone/graph/op_table.h"
#include "halftone/onnx/onnx.h"
#include "halftone/transform/fold_qdq.h"
#include "halftone/transform/insert_qdq.h"

namespace halftone::test {
namespace {

// What was accepted once must be writable and readable, and then stay as it is.
void expect_fixed_point(const Graph& graph) {
  try {
    const std::string exported = onnx::serialize_model(graph);
    const Graph again = onnx::import_model(std::as_bytes(std::span(exported)));
    if (onnx::serialize_model(again) != exported) throw std::logic_error("a second export differs from the first");
  } catch (const Error& error) {
    throw std::logic_error(std::string("an imported model can't be exported and imported again: ") + error.what());
  }
}

}  // namespace

std::string import_anything(std::span<const std::byte> bytes, const std::filesystem::path& folder) {
  try {
    Graph graph = onnx::import_model(bytes, folder);
    expect_fixed_point(graph);
    verify(graph);
    infer_shapes(graph);
    // What quantized files say becomes encodings, and a file again.
    const QuantizedModel model = fold_qdq(std::move(graph));
    if (model.quantized()) insert_qdq(model);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace halftone::test
