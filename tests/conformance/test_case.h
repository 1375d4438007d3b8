// ONNX's backend test data: one folder per test with a model, and folders with its inputs and expected outputs.
#pragma once

#include <filesystem>
#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "halftone/graph/graph.h"
#include "halftone/tensor/tensor_map.h"

namespace halftone::conformance {

struct TestCase {
  std::string name;  // "node/test_abs"
  std::filesystem::path folder;
};
inline void PrintTo(const TestCase& test, std::ostream* stream) { *stream << test.name; }

// The suites node, simple, pytorch-operator and pytorch-converted, sorted; empty where the data is not installed.
std::vector<TestCase> all_tests();

// True when every operator of the network is in the op table and in the interpreter, and everything it takes and
// returns is a tensor.
bool is_in_table(const Graph& graph);

// One set of inputs and the outputs that they must give, by name.
struct DataSet {
  TensorMap inputs;
  TensorMap outputs;
};
std::vector<DataSet> read_data_sets(const TestCase& test, const Graph& graph);

// Empty when `actual` is `expected`: type and shape exactly, floats within ONNX's own bounds |a - e| <= 1e-7 + 1e-3 |e|
// with NaN equal to NaN, everything else exactly. Otherwise what differs first.
std::string difference(const Tensor& actual, const Tensor& expected);

// Test name -> why it fails, from lines "name: reason"; '#' starts a comment.
std::map<std::string, std::string> read_manifest();

}  // namespace halftone::conformance
