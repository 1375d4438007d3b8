// Import and export of what Halftone models, and of what it only carries.
#include <gtest/gtest.h>

#include "halftone/onnx/internal/proto.h"
#include "halftone/onnx/onnx.h"
#include "tests/support/onnx_text.h"

namespace halftone::onnx::model_test {
namespace {

using test::float_type;
using test::model_from_text;

Graph import_message(const pb::ModelProto& model) { return import_model(test::as_span(model.SerializeAsString())); }

pb::ModelProto exported(const Graph& graph) { return test::from_bytes<pb::ModelProto>(serialize_model(graph)); }

void expect_roundtrip(const pb::ModelProto& model) { test::expect_same(model, exported(import_message(model))); }

const std::string kInOut =
    "input { " + float_type("x", {"N", "4"}) + " } output { " + float_type("y", {"N", "4"}) + " }";
const std::string kRelu = kInOut + " node { input: 'x' output: 'y' op_type: 'Relu' }";

TEST(Import, ReadsNodesValuesAndTypes) {
  const Graph graph = import_message(model_from_text(
      kInOut +
          " initializer { name: 'w' dims: 4 data_type: 1 float_data: [1, 2, 3, 4] }"
          " value_info { " +
          float_type("h", {"N", "?"}) +
          " }"
          " node { input: ['x', '', 'w'] output: ['h', ''] name: 'first' op_type: 'Foo' domain: 'custom'"
          "   attribute { name: 'i' type: INT i: -3 } attribute { name: 'f' type: FLOAT f: 0.5 }"
          "   attribute { name: 's' type: STRING s: 'text' } attribute { name: 'is' type: INTS ints: [1, 2] }"
          "   attribute { name: 'fs' type: FLOATS floats: [1, 2] } attribute { name: 'ss' type: STRINGS strings: 'a' }"
          "   attribute { name: 't' type: TENSOR t { dims: 1 data_type: 7 int64_data: 5 } } }"
          " node { input: 'h' output: 'y' op_type: 'Relu' }",
      "opset_import { domain: 'custom' version: 2 } metadata_props { key: 'k' value: 'v' }"));
  EXPECT_EQ(graph.name, "g");
  EXPECT_EQ(graph.ir_version, 8);
  EXPECT_EQ(graph.opset(), 17);
  EXPECT_EQ(graph.opset_imports.at("custom"), 2);
  EXPECT_EQ(graph.metadata.at("k"), "v");
  ASSERT_EQ(graph.nodes().size(), 2U);
  const Node& first = graph.nodes()[0];
  EXPECT_EQ(first.domain, "custom");
  EXPECT_EQ(first.inputs, (std::vector<ValueId>{graph.find("x"), ValueId::None, graph.find("w")}));
  EXPECT_EQ(first.outputs, (std::vector<ValueId>{graph.find("h"), ValueId::None}));
  EXPECT_EQ(first.int_or("i", 0), -3);
  EXPECT_EQ(first.float_or("f", 0), 0.5F);
  EXPECT_EQ(first.string_or("s", ""), "text");
  EXPECT_EQ(first.ints_or("is", {}), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(first.floats_or("fs", {}), (std::vector<float>{1, 2}));
  EXPECT_EQ(first.tensor_or_null("t")->data<int64_t>()[0], 5);
  EXPECT_EQ(to_string(graph.value(graph.find("x")).type), "float[N, 4]");
  EXPECT_TRUE(graph.value(graph.find("h")).declared);
  EXPECT_EQ(to_string(graph.value(graph.find("w")).type), "float[4]");
  EXPECT_FALSE(graph.value(graph.find("w")).declared);
}

// In files of IR version 3 initializers are inputs too, with the initializer as default.
TEST(Import, InputsWithDefaultsNeedNotBeFed) {
  const auto model = model_from_text(kRelu + " input { " + float_type("w", {"1"}) +
                                     " } initializer { name: 'w' dims: 1 data_type: 1 raw_data: 'abcd' }");
  const Graph graph = import_message(model);
  EXPECT_EQ(graph.inputs().size(), 2U);
  EXPECT_EQ(graph.required_inputs(), std::vector<ValueId>{graph.find("x")});
  test::expect_same(model, exported(graph));
}

TEST(Import, SortsNodesThatStandOutOfOrder) {
  const Graph graph = import_message(model_from_text(
      kInOut + " node { input: 'h' output: 'y' op_type: 'Relu' } node { input: 'x' output: 'h' op_type: 'Abs' }"));
  EXPECT_EQ(graph.nodes()[0].op_type, "Abs");
  EXPECT_EQ(graph.nodes()[1].op_type, "Relu");
}

TEST(Import, ReadsTheOtherSpellingOfOnnxsDomain) {
  const auto model = test::from_text("ir_version: 8 opset_import { domain: 'ai.onnx' version: 13 } graph { name: 'g' " +
                                     kInOut + " node { input: 'x' output: 'y' op_type: 'Relu' domain: 'ai.onnx' } }");
  const Graph graph = import_message(model);
  EXPECT_EQ(graph.opset(), 13);
  EXPECT_TRUE(graph.nodes()[0].is("Relu"));
  test::expect_same(model, exported(graph));
}

TEST(RoundTrip, KeepsPresenceOrderAndText) {
  expect_roundtrip(model_from_text(
      "doc_string: 'about the graph' input { " + float_type("x", {"2"}) + " doc_string: 'in' } output { " +
          float_type("y", {"2"}) +
          " doc_string: '' }"
          " value_info { name: 'b' } value_info { name: 'nobody' doc_string: 'stale' type { tensor_type { elem_type: 1 "
          "} } }"
          " value_info { name: 'a' type { denotation: 'TENSOR' tensor_type { elem_type: 10 shape {"
          "   dim { denotation: 'BATCH' } dim { dim_value: 3 denotation: 'CHANNEL' } dim { dim_param: '' } } } } }"
          " node { name: '' domain: '' input: 'x' output: 'a' op_type: 'Relu' doc_string: 'a node'"
          "   attribute { name: 'q' type: INT i: 0 doc_string: 'an attribute' } }"
          " node { name: 'same' input: 'a' output: 'b' op_type: 'Abs' } node { name: 'same' input: 'b' output: 'y' "
          "op_type: 'Abs' }"
          " initializer { name: 'z' dims: 1 data_type: 1 raw_data: 'abcd' doc_string: 'z' data_location: DEFAULT }"
          " initializer { name: 'a1' dims: 1 data_type: 1 raw_data: 'abcd' }"
          " quantization_annotation { tensor_name: 'a' quant_parameter_tensor_names { key: 'SCALE_TENSOR' value: 'z' } "
          "}",
      "producer_name: 'p' producer_version: '1' domain: 'd' model_version: 3 doc_string: 'about the model'"
      " opset_import { domain: 'z' version: 4 } opset_import { domain: 'b' version: 2 }"
      " metadata_props { key: 'z' value: '1' } metadata_props { key: 'a' value: '' } metadata_props { key: 'm' }"));
}

// Inputs and outputs need no value_info, but files have it; dim_value -1 means unknown to those who write it.
TEST(RoundTrip, KeepsWhatIsSaidTwice) {
  const auto model =
      model_from_text("input { " + float_type("x", {"-1", "4"}) + " } output { " + float_type("y", {"N", "4"}) +
                      " } value_info { " + float_type("y", {"N", "4"}) + " } value_info { " +
                      float_type("x", {"-1", "4"}) + " } node { input: 'x' output: 'y' op_type: 'Relu' }");
  const Graph graph = import_message(model);
  EXPECT_EQ(to_string(graph.value(graph.find("x")).type), "float[?, 4]");
  test::expect_same(model, exported(graph));
}

TEST(Import, JoinsWhatIsSaidTwice) {
  const auto says = [](const std::string& first, const std::string& second) {
    return model_from_text("input { " + float_type("x", {"N", first, "?"}) + " } output { " + float_type("y", {"4"}) +
                           " } value_info { " + float_type("x", {"7", second, "M"}) +
                           " } node { input: 'x' output: 'y' op_type: 'Relu' }");
  };
  const Graph graph = import_message(says("3", "3"));
  EXPECT_EQ(to_string(graph.value(graph.find("x")).type), "float[7, 3, ?]");
  EXPECT_EQ(exported(graph).graph().input(0).type().tensor_type().shape().dim(0).dim_value(), 7);
  EXPECT_THROW(import_message(says("3", "4")), Error);
}

TEST(RoundTrip, KeepsTypesThatAreNoTensors) {
  const auto model = model_from_text(
      "input { name: 'x' type { sequence_type { elem_type { tensor_type { elem_type: 1 shape { dim { dim_value: 2 } } "
      "} } } } }"
      " input { name: 'o' type { optional_type { elem_type { tensor_type { elem_type: 1 } } } } }"
      " input { name: 'm' type { map_type { key_type: 7 value_type { tensor_type { elem_type: 1 } } } } }"
      " input { name: 's' type { sparse_tensor_type { elem_type: 1 shape { dim { dim_value: 2 } } } } }"
      " input { name: 'n' type { tensor_type { } } } input { name: 'u' type { } } input { name: 'r' }"
      " output { name: 'y' type { tensor_type { elem_type: 7 shape { } } } }"
      " node { input: 'x' output: 'y' op_type: 'SequenceLength' }");
  const Graph graph = import_message(model);
  EXPECT_EQ(graph.value(graph.find("x")).type, TensorType{});
  test::expect_same(model, exported(graph));
}

TEST(RoundTrip, KeepsWhatTheseMessagesDoNotKnow) {
  auto model = model_from_text(kRelu);
  // Fields of ONNX 1.16 and later: NodeProto.overload and metadata_props, GraphProto.metadata_props, and one that
  // nobody has.
  auto& graph = *model.mutable_graph();
  graph.mutable_node(0)->mutable_unknown_fields()->AddLengthDelimited(8, "overload");
  graph.mutable_node(0)->mutable_unknown_fields()->AddLengthDelimited(9, "\n\1k\22\1v");
  graph.mutable_unknown_fields()->AddLengthDelimited(16, "\n\1k\22\1v");
  model.mutable_unknown_fields()->AddVarint(999, 42);
  model.mutable_graph()->mutable_input(0)->mutable_unknown_fields()->AddLengthDelimited(4, "");
  graph.mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_unknown_fields()->AddFixed32(77, 1);
  // An attribute of a type that does not exist yet.
  auto& attribute = *graph.mutable_node(0)->add_attribute();
  attribute.set_name("future");
  attribute.mutable_unknown_fields()->AddVarint(20, 99);
  attribute.mutable_unknown_fields()->AddLengthDelimited(99, "content");
  // Element type 99.
  auto& tensor = *graph.add_initializer();
  tensor.set_name("w");
  tensor.set_data_type(99);
  tensor.add_dims(5);
  tensor.set_raw_data("any");
  expect_roundtrip(model);
}

TEST(RoundTrip, KeepsSmallTypes) {
  for (const char* content :
       {"dims: 3 data_type: 22 raw_data: '\\341\\007'", "dims: 3 data_type: 21 raw_data: '\\341\\007'",
        "dims: 2 data_type: 23 raw_data: '\\341'", "dims: 1 data_type: 17 raw_data: '8'",
        "dims: 4 data_type: 25 raw_data: '\\344'", "dims: 4 data_type: 26 raw_data: '\\344'"}) {
    expect_roundtrip(model_from_text(kRelu + " initializer { name: 'w' " + content + " }"));
  }
}

TEST(RoundTrip, KeepsFunctionsAndTraining) {
  expect_roundtrip(
      model_from_text(kInOut + " node { input: 'x' output: 'y' op_type: 'Twice' domain: 'local' }",
                      "opset_import { domain: 'local' version: 1 }"
                      " functions { name: 'Twice' domain: 'local' input: 'a' output: 'b' attribute: 'alpha' "
                      "opset_import { version: 17 }"
                      "   node { input: ['a', 'a'] output: 'b' op_type: 'Add' attribute { name: 'q' type: FLOAT "
                      "ref_attr_name: 'alpha' } } }"
                      " training_info { algorithm { name: 't' } update_binding { key: 'a' value: 'b' } }"));
}

TEST(RoundTrip, KeepsReferencesAndOpaqueAttributes) {
  expect_roundtrip(
      model_from_text(kInOut +
                      " node { input: 'x' output: 'y' op_type: 'Relu'"
                      "   attribute { name: 'r' type: FLOAT ref_attr_name: 'alpha' }"
                      "   attribute { name: 'tp' type: TYPE_PROTO tp { tensor_type { elem_type: 1 } } }"
                      "   attribute { name: 'ts' type: TENSORS tensors { dims: 1 data_type: 1 float_data: 1 } }"
                      "   attribute { name: 'named' type: TENSOR t { name: 'n' dims: 1 data_type: 2 raw_data: 'x' "
                      "doc_string: 'd' } } }"));
}

// A sparse initializer reads as a Constant node with the same content.
TEST(SparseInitializer, IsAValueAndComesBack) {
  const auto model =
      model_from_text(kInOut +
                      " node { input: ['x', 'w'] output: 'y' op_type: 'Add' }"
                      " sparse_initializer { dims: 4 values { name: 'w' dims: 1 data_type: 1 raw_data: 'abcd' }"
                      "   indices { dims: 1 data_type: 7 int64_data: 2 } }");
  Graph graph = import_message(model);
  ASSERT_EQ(graph.nodes().size(), 2U);
  EXPECT_TRUE(graph.nodes()[0].is("Constant"));
  EXPECT_EQ(graph.nodes()[1].input(1), graph.nodes()[0].output(0));
  test::expect_same(model, exported(graph));
  graph.rename_value(graph.find("w"), "weights");
  EXPECT_EQ(exported(graph).graph().sparse_initializer(0).values().name(), "weights");
}

// The branches read `x` and `w` of the graph around them, one of them from two levels down.
const std::string kIf =
    "input { " + float_type("x", {"2"}) +
    " } input { name: 'c' type { tensor_type { elem_type: 9 shape { } } } } output { " + float_type("y", {"2"}) +
    " } initializer { name: 'w' dims: 2 data_type: 1 raw_data: 'abcdefgh' }"
    " node { input: 'c' output: 'y' op_type: 'If'"
    "   attribute { name: 'then_branch' type: GRAPH g { name: 't' output { name: 't1' }"
    "     node { input: 'x' output: 't0' op_type: 'Relu' } node { input: ['t0', 'x'] output: 't1' op_type: 'Add' } } }"
    "   attribute { name: 'else_branch' type: GRAPH g { name: 'e' output { name: 'e1' }"
    "     node { input: 'c' output: 'e1' op_type: 'If' attribute { name: 'then_branch' type: GRAPH g { name: 'n'"
    "       output { name: 'w' } } } } } } }";

TEST(Subgraph, CapturesWhatItReadsFromOutside) {
  const Graph graph = import_message(model_from_text(kIf));
  EXPECT_EQ(graph.nodes()[0].captures, (std::vector<ValueId>{graph.find("x"), graph.find("c"), graph.find("w")}));
  expect_roundtrip(model_from_text(kIf));
}

TEST(Subgraph, FollowsRenamedAndReplacedValues) {
  Graph graph = import_message(model_from_text(kIf));
  graph.rename_value(graph.find("w"), "weights");
  Node abs;
  abs.op_type = "Abs";
  abs.inputs = {graph.find("x")};
  abs.outputs = {graph.add_value("x_abs")};
  graph.nodes()[0].captures[0] = abs.outputs[0];
  graph.nodes().insert(graph.nodes().begin(), abs);
  const auto node = exported(graph).graph().node(1);
  EXPECT_EQ(node.attribute(0).g().node(0).input(0), "x_abs");
  EXPECT_EQ(node.attribute(0).g().node(1).input(0), "t0");
  EXPECT_EQ(node.attribute(0).g().node(1).input(1), "x_abs");
  EXPECT_EQ(node.attribute(1).g().node(0).attribute(0).g().output(0).name(), "weights");
}

TEST(Subgraph, RefusesANewNameThatItHasItself) {
  Graph graph = import_message(model_from_text(kIf));
  graph.rename_value(graph.find("x"), "t0");
  EXPECT_THROW(serialize_model(graph), Error);
}

TEST(Export, WritesAGraphBuiltByHand) {
  Graph graph;
  graph.name = "built";
  graph.metadata["preprocess"] = "{}";
  graph.opset_imports = {{"", 21}, {"ai.halftone", 1}};
  const ValueId x = graph.add_value("x", {DType::Float, std::vector<Dim>{Dim("N"), Dim(), 3}});
  const ValueId w = graph.add_constant("w", Tensor::from(Shape{2}, std::vector<float>{1, 2}));
  const ValueId h = graph.add_value("h", {DType::Float, std::nullopt});
  graph.value(h).declared = true;
  const ValueId y = graph.add_value("y");
  graph.inputs() = {x};
  graph.outputs() = {y};
  graph.nodes().push_back({.name = "a",
                           .op_type = "Foo",
                           .domain = "ai.halftone",
                           .inputs = {x, ValueId::None, w},
                           .outputs = {h},
                           .attributes = {{"k", int64_t{2}, {}}},
                           .captures = {},
                           .carried = {}});
  graph.nodes().push_back({.name = {},
                           .op_type = "Relu",
                           .domain = {},
                           .inputs = {h},
                           .outputs = {y},
                           .attributes = {},
                           .captures = {},
                           .carried = {}});
  test::expect_same(
      test::from_text(
          "ir_version: 8 opset_import { domain: '' version: 21 } opset_import { domain: 'ai.halftone' version: 1 }"
          " metadata_props { key: 'preprocess' value: '{}' }"
          " graph { name: 'built' input { name: 'x' type { tensor_type { elem_type: 1 shape { dim { dim_param: 'N' } "
          "dim { }"
          "   dim { dim_value: 3 } } } } } output { name: 'y' } value_info { name: 'h' type { tensor_type { elem_type: "
          "1 } } }"
          " initializer { name: 'w' dims: 2 data_type: 1 raw_data: '\\000\\000\\200\\077\\000\\000\\000\\100' }"
          " node { name: 'a' op_type: 'Foo' domain: 'ai.halftone' input: ['x', '', 'w'] output: 'h'"
          "   attribute { name: 'k' type: INT i: 2 } }"
          " node { op_type: 'Relu' input: 'h' output: 'y' } }"),
      exported(graph));
}

TEST(Export, FollowsChangesOfTheGraph) {
  Graph graph = import_message(
      model_from_text(kInOut + " value_info { " + float_type("h", {"N", "4"}) +
                          " }"
                          " node { input: 'x' output: 'h' op_type: 'Relu' doc_string: 'kept' attribute { name: 'a' "
                          "type: INT i: 1 doc_string: 'd' } }"
                          " node { input: 'h' output: 'y' op_type: 'Relu' }",
                      "opset_import { domain: 'gone' version: 1 } metadata_props { key: 'a' value: '1' }"));
  graph.opset_imports.erase("gone");
  graph.opset_imports[""] = 21;
  graph.metadata["a"] = "2";
  graph.metadata["b"] = "3";
  graph.nodes()[0].set_attribute("a", 2.5F);
  graph.rename_value(graph.find("h"), "hidden");
  graph.value(graph.find("hidden")).type.shape = std::vector<Dim>{1, 2, 3};
  const auto model = exported(graph);
  ASSERT_EQ(model.opset_import_size(), 1);
  EXPECT_EQ(model.opset_import(0).version(), 21);
  ASSERT_EQ(model.metadata_props_size(), 2);
  EXPECT_EQ(model.metadata_props(0).value(), "2");
  EXPECT_EQ(model.graph().node(0).doc_string(), "kept");
  EXPECT_EQ(model.graph().node(0).attribute(0).type(), pb::AttributeProto::FLOAT);
  EXPECT_EQ(model.graph().node(0).attribute(0).f(), 2.5F);
  EXPECT_FALSE(model.graph().node(0).attribute(0).has_i());
  EXPECT_EQ(model.graph().node(0).output(0), "hidden");
  ASSERT_EQ(model.graph().value_info_size(), 1);
  EXPECT_EQ(model.graph().value_info(0).name(), "hidden");
  EXPECT_EQ(model.graph().value_info(0).type().tensor_type().shape().dim_size(), 3);
}

}  // namespace
}  // namespace halftone::onnx::model_test
