// Models that must be refused, and the words that must say why.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <ostream>

#include "halftone/base/file.h"
#include "halftone/graph/op_table.h"
#include "halftone/onnx/onnx.h"
#include "tests/hostile/seed_models.h"
#include "tests/support/onnx_text.h"
#include "tests/support/temp_folder.h"

namespace halftone {
namespace {

using test::float_type;
using test::model_from_text;

const std::string kInOut = "input { " + float_type("x", {"2"}) + " } output { " + float_type("y", {"2"}) + " }";
const std::string kRelu = kInOut + " node { name: 'relu' op_type: 'Relu' input: 'x' output: 'y' }";

struct Case {
  std::string name;
  std::string bytes;
  std::vector<std::string> words;  // each must stand in the message
};

void PrintTo(const Case& refused, std::ostream* out) { *out << refused.name; }

Case graph_case(const std::string& name, const std::string& graph, const std::vector<std::string>& words) {
  return {name, model_from_text(graph).SerializeAsString(), words};
}

Case model_case(const std::string& name, const std::string& model, const std::vector<std::string>& words) {
  return {name, test::from_text(model).SerializeAsString(), words};
}

std::string external(const std::string& location, const std::string& offset) {
  return " initializer { name: 'w' dims: [8, 16] data_type: 1 data_location: EXTERNAL external_data { key: 'location' "
         "value: '" +
         location + "' } external_data { key: 'offset' value: '" + offset + "' } }";
}

// A message nested deeper than any parser should follow: If in If in If ...
std::string nested_subgraphs(int depth) {
  ::onnx::GraphProto graph;
  graph.set_name("innermost");
  for (int i = 0; i < depth; ++i) {
    ::onnx::GraphProto outer;
    auto& node = *outer.add_node();
    node.set_op_type("If");
    auto& attribute = *node.add_attribute();
    attribute.set_name("then_branch");
    attribute.set_type(::onnx::AttributeProto::GRAPH);
    attribute.mutable_g()->Swap(&graph);
    graph.Swap(&outer);
  }
  ::onnx::ModelProto model = model_from_text(kRelu);
  model.mutable_graph()->add_node()->Swap(graph.mutable_node(0));
  return model.SerializeAsString();
}

std::vector<Case> refused() {
  const std::string whole = model_from_text(kRelu).SerializeAsString();
  return {
      {"no_bytes", "", {"found no bytes"}},
      {"text", "This is no model at all, but a letter.\n", {"must be an ONNX message"}},
      {"cut_short", whole.substr(0, whole.size() - 3), {"cut short"}},
      {"nested_too_deep", nested_subgraphs(2000), {"must be an ONNX message"}},
      model_case("no_graph", "ir_version: 8 opset_import { version: 13 }", {"must hold a graph", "ONNX file?"}),
      model_case("empty_graph", "ir_version: 8 opset_import { version: 13 } graph { name: 'g' }",
                 {"must have an output, found none"}),
      model_case("no_ir_version", "opset_import { version: 13 } graph { " + kRelu + " }", {"ir_version"}),
      model_case("no_opset", "ir_version: 8 graph { " + kRelu + " }", {"must import an operator set"}),
      model_case("only_custom_opset", "ir_version: 8 opset_import { domain: 'c' version: 1 } graph { " + kRelu + " }",
                 {"Relu 'relu'", "must import ONNX's operator set"}),
      model_case("negative_opset", "ir_version: 8 opset_import { version: -3 } graph { " + kRelu + " }",
                 {"with its version", "-3"}),
      model_case("two_opsets",
                 "ir_version: 8 opset_import { version: 13 } opset_import { domain: 'ai.onnx' version: 14 } graph { " +
                     kRelu + " }",
                 {"imported once", "13", "14"}),
      graph_case("cycle",
                 kInOut + " node { name: 'a' op_type: 'Add' input: ['x', 'c'] output: 'b' }"
                          " node { name: 'b' op_type: 'Relu' input: 'b' output: 'c' }"
                          " node { op_type: 'Relu' input: 'c' output: 'y' }",
                 {"acyclic"}),
      graph_case("reads_itself", kInOut + " node { name: 'a' op_type: 'Add' input: ['x', 'y'] output: 'y' }",
                 {"Add 'a'", "acyclic"}),
      graph_case("missing_initializer", kInOut + " node { name: 'a' op_type: 'Add' input: ['x', 'w'] output: 'y' }",
                 {"Add 'a'", "reads 'w'", "no input, initializer or node makes"}),
      graph_case("missing_in_subgraph",
                 kInOut + " node { name: 'a' op_type: 'If' input: 'x' output: 'y' attribute { name: 'then_branch'"
                          "   type: GRAPH g { node { op_type: 'Relu' input: 'nowhere' output: 'o' } } } }",
                 {"If 'a', subgraph", "reads 'nowhere'"}),
      graph_case("missing_output", "output { " + float_type("y", {"2"}) + " }", {"output 'y'", "no input"}),
      graph_case("made_twice", kRelu + " node { name: 'again' op_type: 'Abs' input: 'x' output: 'y' }",
                 {"Abs 'again'", "'y' is made twice"}),
      graph_case("makes_an_input", kInOut + " node { name: 'a' op_type: 'Abs' input: 'y' output: 'x' }",
                 {"Abs 'a'", "'x' is made twice"}),
      graph_case("two_inputs_of_a_name", kRelu + " input { " + float_type("x", {"2"}) + " }", {"input 'x'", "twice"}),
      graph_case("two_outputs_of_a_name", kRelu + " output { name: 'y' }", {"output 'y'", "must stand once"}),
      graph_case("two_initializers_of_a_name",
                 kRelu + " initializer { name: 'w' data_type: 2 raw_data: 'a' } initializer { name: 'w' data_type: 2 "
                         "raw_data: 'a' }",
                 {"initializer 'w'", "twice"}),
      graph_case("initializer_without_name", kRelu + " initializer { data_type: 2 raw_data: 'a' }",
                 {"must have a name"}),
      graph_case("node_without_operator", kRelu + " node { name: 'a' input: 'x' output: 'z' }",
                 {"node 'a'", "must have an op_type"}),
      graph_case("attribute_twice",
                 kInOut +
                     " node { name: 'a' op_type: 'Foo' input: 'x' output: 'y' attribute { name: 'k' type: INT i: 1 }"
                     " attribute { name: 'k' type: INT i: 2 } }",
                 {"Foo 'a'", "'k' twice"}),
      graph_case("attribute_of_two_types",
                 kInOut + " node { name: 'a' op_type: 'Foo' input: 'x' output: 'y' attribute { name: 'k' type: INT"
                          " ints: [1, 2] } }",
                 {"Foo 'a', attribute 'k'", "field of the attribute's type"}),
      graph_case("contradictory_shapes", kRelu + " value_info { " + float_type("x", {"3"}) + " }",
                 {"value_info 'x'", "one type", "float[2]", "float[3]"}),
      graph_case("contradictory_operands",
                 "input { " + float_type("x", {"1", "3", "8", "8"}) + " } output { " +
                     float_type("y", {"1", "4", "8", "8"}) +
                     " } initializer { name: 'w' dims: [4, 5, 1, 1] data_type: 2 raw_data: '01234567890123456789' }"
                     " node { name: 'conv' op_type: 'Conv' input: ['x', 'w'] output: 'y' }",
                 {"Conv 'conv'"}),
      graph_case("contradictory_default",
                 kRelu + " input { " + float_type("w", {"2"}) +
                     " } initializer { name: 'w' dims: 3 data_type: 1 raw_data: 'aaaabbbbcccc' }",
                 {"'w'"}),
      graph_case("dims_overflow",
                 kRelu + " initializer { name: 'w' dims: [4294967296, 4294967296, 4294967296] data_type: 1 }",
                 {"initializer 'w'", "2^48"}),
      graph_case("dims_negative", kRelu + " initializer { name: 'w' dims: [-5] data_type: 1 }",
                 {"initializer 'w'", "must be >= 0"}),
      graph_case("type_overflows",
                 kRelu + " value_info { " + float_type("x2", {"1"}) + " } input { " +
                     float_type("z", {"9223372036854775807", "9223372036854775807"}) + " }",
                 {"input 'z'", "product"}),
      graph_case("type_negative", kRelu + " input { " + float_type("z", {"-7"}) + " }", {"input 'z'", "-7"}),
      graph_case("content_too_short", kRelu + " initializer { name: 'w' dims: 3 data_type: 1 raw_data: 'abcd' }",
                 {"initializer 'w'", "requires 12 bytes, found 4"}),
      graph_case("content_in_two_places",
                 kRelu + " initializer { name: 'w' dims: 1 data_type: 6 raw_data: 'abcd' int32_data: 1 }",
                 {"initializer 'w'", "one field"}),
      graph_case("segment",
                 kRelu + " initializer { name: 'w' dims: 1 data_type: 6 int32_data: 1 segment { begin: 0 } }",
                 {"initializer 'w'", "segment"}),
      graph_case("external_offset_outside", kRelu + external("weights", "8000"),
                 {"initializer 'w'", "must lie in its file"}),
      graph_case("external_offset_wraps", kRelu + external("weights", "18446744073709551600"),
                 {"initializer 'w'", "must lie in its file"}),
      graph_case("external_path_climbs", kRelu + external("../weights", "0"), {"must lie in the model's folder"}),
      graph_case("external_path_absolute", kRelu + external("/etc/passwd", "0"), {"must lie in the model's folder"}),
      graph_case("external_file_missing", kRelu + external("absent", "0"), {"must be a file", "nothing"}),
  };
}

class RefusedModel : public testing::TestWithParam<Case> {
 protected:
  RefusedModel() { write_file(folder_ / "weights", std::string(test::kExternalBytes, '\1')); }
  test::TempFolder folder_;
};

TEST_P(RefusedModel, SaysWhatIsWrongAndWhere) {
  const auto path = folder_ / "model.onnx";
  write_file(path, GetParam().bytes);
  try {
    verify(onnx::import_model(path));
    ADD_FAILURE() << "accepted";
  } catch (const Error& error) {
    const std::string message = error.what();
    for (const std::string& word : GetParam().words) EXPECT_NE(message.find(word), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(Hostile, RefusedModel, testing::ValuesIn(refused()),
                         [](const auto& test) { return test.param.name; });

TEST(RefusedFile, MissingFilesAndFoldersAreIoErrors) {
  const test::TempFolder folder;
  for (const auto& path : {folder / "absent.onnx", folder.path()}) {
    try {
      onnx::import_model(path);
      ADD_FAILURE() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Io);
      EXPECT_EQ(error.where(), path.string());
    }
  }
}

TEST(RefusedFile, NamesItsFileAndPlace) {
  const test::TempFolder folder;
  write_file(folder / "m.onnx",
             model_from_text(kRelu + " initializer { name: 'w\\nx' dims: 1 data_type: 1 }").SerializeAsString());
  try {
    onnx::import_model(folder / "m.onnx");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.what(),
              (folder / "m.onnx").string() + ": initializer 'w\\nx': float of shape [1] requires 4 bytes, found 0");
  }
}

// A name of a megabyte does not make a message of a megabyte.
TEST(RefusedFile, LongNamesAreCut) {
  const std::string name(1 << 20, 'n');
  const std::string bytes =
      model_from_text(kInOut + " node { op_type: 'Relu' input: '" + name + "' output: 'y' }").SerializeAsString();
  try {
    onnx::import_model(test::as_span(bytes));
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_LT(std::string(error.what()).size(), 1000U);
  }
}

// Weights that are no numbers are a matter for those who compute with them.
TEST(AcceptedModel, HoldsNaNAndInfinity) {
  const Graph graph = onnx::import_model(
      test::as_span(model_from_text(kRelu + " initializer { name: 'w' dims: 2 data_type: 1 float_data: [nan, -inf] }")
                        .SerializeAsString()));
  const auto weights = graph.value(graph.find("w")).constant->data<float>();
  EXPECT_TRUE(std::isnan(weights[0]));
  EXPECT_EQ(weights[1], -std::numeric_limits<float>::infinity());
  EXPECT_NO_THROW(verify(graph));
}

TEST(AcceptedModel, NestsAsDeepAsParsersGo) {
  const std::string bytes = nested_subgraphs(20);
  EXPECT_NO_THROW(onnx::import_model(test::as_span(bytes)));
}

}  // namespace
}  // namespace halftone
