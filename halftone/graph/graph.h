// The room `graph`: the network as ONNX describes it, the op table, shape inference and the verifier. It sees tensor.
//
// A Graph is ONNX-native: nodes keep their op names, attributes and value names, so that a node nobody understands is
// carried through untouched. It always holds the float network; how tensors are quantized stands beside it, in
// Encodings (room quant).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "halftone/graph/type.h"
#include "halftone/tensor/tensor.h"

namespace halftone {

// Index of a Value in its Graph; stays valid while the graph lives, whatever is removed.
enum class ValueId : int32_t { None = -1 };  // None: an optional input or output left out

// An attribute that Halftone carries without reading: a subgraph, a sparse tensor, a type. The bytes are the serialized
// ONNX AttributeProto; only the room onnx looks inside.
struct OpaqueAttribute {
  std::string serialized;
};

using AttributeValue = std::variant<int64_t, float, std::string, Tensor, std::vector<int64_t>, std::vector<float>,
                                    std::vector<std::string>, OpaqueAttribute>;

struct Attribute {
  std::string name;
  AttributeValue value;
  std::string carried;  // fields of the AttributeProto that have no place above (doc string, ref_attr_name), serialized
};

// A tensor that flows along the network's edges: an input, a constant, or what a node computes.
struct Value {
  std::string name;                // unique in the graph
  TensorType type;                 // as declared or inferred; Undefined and unranked where unknown
  std::optional<Tensor> constant;  // the initializer's content
  bool declared = false;           // the file states the type (graph input, output or value_info)
  std::string carried;             // what the file says beyond this (doc strings, denotations), serialized
};

struct Node {
  std::string name;     // may be empty and, in files, is not always unique
  std::string op_type;  // ONNX's name, "Conv"
  std::string domain;   // "" is ONNX's own ("ai.onnx" is read as "")
  std::vector<ValueId> inputs;
  std::vector<ValueId> outputs;
  std::vector<Attribute> attributes;
  std::vector<ValueId> captures;  // values of this graph that the node's subgraphs (If, Loop, Scan) read by name
  std::string carried;            // fields of the NodeProto that have no place above, serialized

  const Attribute* find_attribute(std::string_view name) const;

  // The attribute, or `fallback` where the node has none. Errors: Error{InvalidModel} naming the node when the
  // attribute has another type.
  int64_t int_or(std::string_view name, int64_t fallback) const;
  float float_or(std::string_view name, float fallback) const;
  std::string string_or(std::string_view name, std::string fallback) const;
  std::vector<int64_t> ints_or(std::string_view name, std::vector<int64_t> fallback) const;
  std::vector<float> floats_or(std::string_view name, std::vector<float> fallback) const;
  // nullptr where the node has none.
  const Tensor* tensor_or_null(std::string_view name) const;

  // Adds the attribute or replaces its value.
  void set_attribute(std::string_view name, AttributeValue value);
  void remove_attribute(std::string_view name);

  bool is(std::string_view onnx_op) const { return domain.empty() && op_type == onnx_op; }
  // Input or output i, None where it is left out or beyond the end.
  ValueId input(size_t i) const { return i < inputs.size() ? inputs[i] : ValueId::None; }
  ValueId output(size_t i) const { return i < outputs.size() ? outputs[i] : ValueId::None; }
};

class Graph;

// An operator that the file itself defines in terms of others: nodes with this domain and op_type call it.
struct Function {
  std::string domain, name;
  // What it computes: inputs, outputs, nodes and operator sets. Null for one from a file, which is carried unread.
  std::shared_ptr<const Graph> body;
  std::string carried;  // the FunctionProto of one from a file, serialized
};

// How messages name a node: "Conv 'features.0'", or by its first output where it has no name. Needs the graph for that.
std::string describe(const Graph& graph, const Node& node);

// A network. Copying is deep in structure and shares tensor storage.
class Graph {
 public:
  // Written once, in graph.cc: they copy and free everything above, which each source that holds a graph would repeat.
  Graph();
  Graph(const Graph& other);
  Graph(Graph&& other) noexcept;
  Graph& operator=(const Graph& other);
  Graph& operator=(Graph&& other) noexcept;
  ~Graph();

  std::string name;
  int64_t ir_version = 8;
  std::map<std::string, int64_t> opset_imports = {{"", 13}};  // domain -> version
  std::map<std::string, std::string> metadata;                // ModelProto.metadata_props
  std::vector<Function> functions;                            // in the file's order
  std::string carried;  // what the file says beyond this (training info, producer ...), serialized

  // --- values
  size_t value_count() const { return values_.size(); }
  Value& value(ValueId id);
  const Value& value(ValueId id) const;
  // The value with that name, or None.
  ValueId find(std::string_view name) const;
  // Adds a value; the name must be new (see fresh_name). Errors: Error{InvalidModel} when it is not.
  ValueId add_value(std::string name, TensorType type = {});
  ValueId add_constant(std::string name, Tensor tensor);
  // `stem`, or stem_1, stem_2 ... whichever no value has.
  std::string fresh_name(std::string_view stem) const;
  // Errors: Error{InvalidModel} when the new name is taken.
  void rename_value(ValueId id, std::string name);

  // --- nodes, in an order in which each comes after what it reads
  std::vector<Node>& nodes() { return nodes_; }
  const std::vector<Node>& nodes() const { return nodes_; }

  // --- the interface: values fed and returned, in order. An input that also has a constant has a default (IR 3 files).
  std::vector<ValueId>& inputs() { return inputs_; }
  const std::vector<ValueId>& inputs() const { return inputs_; }
  std::vector<ValueId>& outputs() { return outputs_; }
  const std::vector<ValueId>& outputs() const { return outputs_; }
  // Inputs without a default: what a caller must provide.
  std::vector<ValueId> required_inputs() const;

  // Version of ONNX's own operator set; 1 where the file does not import it.
  int64_t opset() const;

  // Makes every reader of `from` (nodes, captures excluded) read `to`; graph outputs keep `from`.
  void replace_uses(ValueId from, ValueId to);

  // Removes nodes whose results nobody reads, constants nobody uses, and values without meaning. Values keep their ids.
  void remove_dead();

  // Sorts the nodes topologically, stable with respect to today's order. Errors: Error{InvalidModel} naming a node on a
  // cycle.
  void sort();

  // Ids of all values that have a name; those that remove_dead dropped are skipped.
  std::vector<ValueId> live_values() const;

 private:
  std::vector<Value> values_;  // a dropped value has an empty name
  std::unordered_map<std::string, ValueId> by_name_;
  std::vector<Node> nodes_;
  std::vector<ValueId> inputs_;
  std::vector<ValueId> outputs_;
};

// Who makes and who reads each value; a snapshot that a change of the graph makes stale. Cost to build: O(edges).
class GraphIndex {
 public:
  explicit GraphIndex(const Graph& graph);
  // Position in graph.nodes() of the node that makes the value, or -1 for inputs and constants.
  int producer(ValueId id) const { return producers_[static_cast<size_t>(id)]; }
  // Positions of the nodes that read the value, one entry per reading input (captures included), ascending.
  const std::vector<int>& consumers(ValueId id) const { return consumers_[static_cast<size_t>(id)]; }
  bool is_graph_input(ValueId id) const { return is_input_[static_cast<size_t>(id)]; }
  bool is_graph_output(ValueId id) const { return is_output_[static_cast<size_t>(id)]; }
  // The one node that reads the value, or -1 when several do or the value is a graph output or captured.
  int sole_consumer(ValueId id) const;

 private:
  std::vector<int> producers_;
  std::vector<std::vector<int>> consumers_;
  std::vector<bool> is_input_, is_output_, is_captured_;
};

}  // namespace halftone
