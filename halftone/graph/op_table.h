// The op table: one row per operator that Halftone understands.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/graph/graph.h"

namespace halftone {

// One element of a small tensor of integers (a shape, axes, pads ...) as far as it is known before a run: a number of
// either sign, a symbolic dimension's value, or neither.
struct SymbolicInt {
  std::optional<int64_t> value;
  std::string symbol;  // non-empty only when the number is unknown

  SymbolicInt() = default;
  SymbolicInt(int64_t v) : value(v) {}  // NOLINT: they read as numbers
  explicit SymbolicInt(const Dim& dim) : symbol(dim.symbol) {
    if (dim.known()) value = dim.value;
  }
  bool operator==(const SymbolicInt&) const = default;
};

using Content = std::vector<SymbolicInt>;  // row-major elements

// What inference knows about the content of values, by ValueId.
struct KnownContents {
  explicit KnownContents(const Graph& graph);
  std::vector<Tensor> constants;  // initializers and what Constant nodes make; undefined tensors for other values
  std::vector<std::optional<Content>> contents;
};

// What a shape rule sees of its node, and where it puts what it concludes. Rules look at types and, where a shape
// depends on content (Reshape, Slice ...), at constants; they never see the data of a run.
class InferContext {
 public:
  InferContext(const Graph& graph, const Node& node, KnownContents& known);

  const Node& node() const { return node_; }
  int64_t opset() const;  // of the node's domain
  size_t input_count() const { return node_.inputs.size(); }
  bool has_input(size_t i) const { return node_.input(i) != ValueId::None; }
  // Undefined and unranked for an input that is left out.
  const TensorType& input(size_t i) const;
  // The constant that feeds input i (an initializer or a Constant node's tensor), or nullptr.
  const Tensor* constant(size_t i) const;
  // Elements of a small input that holds integers (shapes, axes, starts ...) as far as they are known: from a constant,
  // or followed symbolically through Shape, Gather, Concat ... nullopt when even their number is unknown or over 1024.
  std::optional<Content> content(size_t i) const;

  // An output that the node leaves out is ignored.
  void set_output(size_t i, TensorType type);
  // Says what output i will hold, for rules further down that ask for `content` or `constant`.
  void set_content(size_t i, Content content);
  void set_constant(size_t i, Tensor tensor);
  size_t output_count() const { return node_.outputs.size(); }
  const std::vector<TensorType>& outputs() const { return outputs_; }

  // Throws Error{InvalidModel} naming the node.
  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> format, Args&&... args) const {
    fail(ErrorCode::InvalidModel, describe(graph_, node_), format, std::forward<Args>(args)...);
  }

 private:
  const Graph& graph_;
  const Node& node_;
  KnownContents& known_;
  std::vector<TensorType> outputs_;
};

// Concludes the output types from the inputs'; leaves unknown what can't be known, and refuses what contradicts itself.
using ShapeRule = void (*)(InferContext&);

// One operator of ONNX's own domain.
struct OpRow {
  std::string_view name;
  int min_inputs, max_inputs;    // max -1: any number
  int min_outputs, max_outputs;  // max -1: any number
  ShapeRule rule;
};

// The row, or nullptr for an operator (or a domain) that Halftone only carries.
const OpRow* find_op(const Node& node);
std::span<const OpRow> all_ops();  // sorted by name

// Holds the number of the node's inputs and outputs against its row. Errors: Error{InvalidModel}.
void check_operands(const Graph& graph, const Node& node, const OpRow& row);

// Fills in the type of every value from the inputs' types, in place; declared types are checked against what is
// inferred and sharpen it. With `input_shapes` (by input name) the inputs are given those shapes first, so that
// symbolic dimensions become numbers. Nodes outside the table leave their outputs as declared. Errors:
// Error{InvalidModel} naming the node and the contradiction. Cost: O(nodes).
void infer_shapes(Graph& graph, const std::map<std::string, Shape>& input_shapes = {});

// Holds the graph against ONNX's rules: names, order, cycles, operands of each node against its row, types against the
// shape rules, constants against their declared types. Errors: Error{InvalidModel} that says what is wrong and where.
void verify(const Graph& graph);

}  // namespace halftone
