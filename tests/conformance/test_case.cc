#include "tests/conformance/test_case.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "halftone/base/file.h"
#include "halftone/graph/op_table.h"
#include "halftone/onnx/onnx.h"
#include "halftone/sim/interpreter.h"
#include "tests/support/testdata.h"

namespace halftone::conformance {
namespace {

namespace fs = std::filesystem;

// Files hold bfloat16 elements as uint16.
Tensor as_declared(const Tensor& tensor, DType declared) {
  if (declared != DType::BFloat16 || tensor.dtype() != DType::UInt16) return tensor;
  const auto owner = std::make_shared<Tensor>(tensor);
  return Tensor::view(declared, tensor.shape(), owner->bytes(), owner);
}

// The tensors PREFIX_0.pb, PREFIX_1.pb ... of a folder, named after the graph's inputs or outputs in order.
TensorMap read_tensors(const fs::path& folder, const std::string& prefix, const Graph& graph,
                       const std::vector<ValueId>& ports) {
  TensorMap tensors;
  for (size_t i = 0; i < ports.size(); ++i) {
    const fs::path file = folder / fmt::format("{}_{}.pb", prefix, i);
    const Value& port = graph.value(ports[i]);
    if (fs::exists(file)) tensors[port.name] = as_declared(onnx::import_tensor(file), port.type.dtype);
  }
  return tensors;
}

bool is_tensor(const Graph& graph, ValueId id) { return graph.value(id).type.dtype != DType::Undefined; }

}  // namespace

std::vector<TestCase> all_tests() {
  std::vector<TestCase> tests;
  for (const char* suite : {"node", "simple", "pytorch-operator", "pytorch-converted"}) {
    const fs::path folder = test::onnx_test_models() / suite;
    if (!fs::is_directory(folder)) continue;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      if (!fs::exists(entry.path() / "model.onnx")) continue;
      tests.push_back({fmt::format("{}/{}", suite, entry.path().filename().string()), entry.path()});
    }
  }
  std::sort(tests.begin(), tests.end(), [](const TestCase& a, const TestCase& b) { return a.name < b.name; });
  return tests;
}

bool is_in_table(const Graph& graph) {
  const auto known = [](const Node& node) { return find_op(node) != nullptr && sim::find_function(node) != nullptr; };
  const auto tensor = [&](ValueId id) { return is_tensor(graph, id); };
  return std::all_of(graph.nodes().begin(), graph.nodes().end(), known) &&
         std::all_of(graph.inputs().begin(), graph.inputs().end(), tensor) &&
         std::all_of(graph.outputs().begin(), graph.outputs().end(), tensor);
}

std::vector<DataSet> read_data_sets(const TestCase& test, const Graph& graph) {
  std::vector<DataSet> sets;
  for (const fs::directory_entry& entry : fs::directory_iterator(test.folder)) {
    if (!entry.is_directory()) continue;
    sets.push_back({read_tensors(entry.path(), "input", graph, graph.inputs()),
                    read_tensors(entry.path(), "output", graph, graph.outputs())});
  }
  return sets;
}

std::string difference(const Tensor& actual, const Tensor& expected) {
  if (actual.dtype() != expected.dtype() || actual.shape() != expected.shape()) {
    return fmt::format("expected {} {}, found {} {}", name_of(expected.dtype()), to_string(expected.shape()),
                       name_of(actual.dtype()), to_string(actual.shape()));
  }
  if (!is_floating(actual.dtype())) return actual.same_as(expected) ? "" : "elements differ";
  const std::vector<double> a = to_vector<double>(actual), e = to_vector<double>(expected);
  for (size_t i = 0; i < a.size(); ++i) {
    const bool equal = a[i] == e[i] || (std::isnan(a[i]) && std::isnan(e[i]));
    if (equal || std::fabs(a[i] - e[i]) <= 1e-7 + 1e-3 * std::fabs(e[i])) continue;
    return fmt::format("element {}: expected {}, found {}", i, e[i], a[i]);
  }
  return "";
}

std::map<std::string, std::string> read_manifest() {
  std::map<std::string, std::string> manifest;
  std::istringstream lines(read_file("tests/conformance/manifest.txt"));
  for (std::string line; std::getline(lines, line);) {
    const size_t colon = line.find(": ");
    if (!line.empty() && line[0] != '#' && colon != std::string::npos) {
      manifest[line.substr(0, colon)] = line.substr(colon + 2);
    }
  }
  return manifest;
}

}  // namespace halftone::conformance
