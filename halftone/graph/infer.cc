#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "halftone/graph/op_table.h"
#include "halftone/graph/value_index.h"

namespace halftone {
namespace {

// Shapes, axes and pads are short; longer integer tensors are data.
constexpr int64_t kMaxContent = 1024;

// `declared` and `inferred` describe the same tensor: the type that says all that either says.
TensorType merged(const TensorType& declared, const TensorType& inferred, const std::string& where,
                  std::string_view value) {
  const auto contradict = [&] {
    fail(ErrorCode::InvalidModel, where, "the model declares '{}' as {}, but it is {}", value, to_string(declared),
         to_string(inferred));
  };
  TensorType result = inferred;
  if (inferred.dtype == DType::Undefined) {
    result.dtype = declared.dtype;
  } else if (declared.dtype != DType::Undefined && declared.dtype != inferred.dtype) {
    contradict();
  }
  if (!declared.shape) return result;
  if (!inferred.shape) {
    result.shape = declared.shape;
    return result;
  }
  if (declared.rank() != inferred.rank()) contradict();
  for (size_t i = 0; i < result.shape->size(); ++i) {
    const Dim& from_file = (*declared.shape)[i];
    Dim& dim = (*result.shape)[i];
    if (dim.known()) {
      if (from_file.known() && from_file.value != dim.value) contradict();
    } else if (from_file.known() || dim.symbol.empty()) {
      dim = from_file;
    }
  }
  return result;
}

void bind_symbols(TensorType& type, const std::unordered_map<std::string, int64_t>& bindings) {
  if (!type.shape) return;
  for (Dim& dim : *type.shape) {
    if (dim.symbol.empty()) continue;
    if (const auto found = bindings.find(dim.symbol); found != bindings.end()) dim = found->second;
  }
}

// Gives an input its shape; what its symbols turn out to be goes to `bindings`.
void fix_input(Value& input, const Shape& shape, std::unordered_map<std::string, int64_t>& bindings) {
  const std::string where = fmt::format("input '{}'", input.name);
  element_count(shape);
  if (input.type.shape) {
    bool fits = input.type.shape->size() == shape.size();
    for (size_t i = 0; fits && i < shape.size(); ++i) {
      const Dim& dim = (*input.type.shape)[i];
      if (dim.known()) {
        fits = dim.value == shape[i];
      } else if (!dim.symbol.empty()) {
        const auto [bound, is_new] = bindings.emplace(dim.symbol, shape[i]);
        if (!is_new && bound->second != shape[i]) {
          fail(ErrorCode::InvalidArgument, where, "dimension '{}' can't be both {} and {}", dim.symbol, bound->second,
               shape[i]);
        }
      }
    }
    if (!fits) {
      fail(ErrorCode::InvalidArgument, where, "the model requires {}, found shape {}", to_string(input.type),
           to_string(shape));
    }
  }
  input.type.shape = to_dims(shape);
}

void fix_inputs(Graph& graph, const std::map<std::string, Shape>& input_shapes) {
  if (input_shapes.empty()) return;
  std::unordered_map<std::string, int64_t> bindings;
  for (const auto& [name, shape] : input_shapes) {
    const ValueId id = graph.find(name);
    const std::vector<ValueId>& inputs = graph.inputs();
    if (id == ValueId::None || std::find(inputs.begin(), inputs.end(), id) == inputs.end()) {
      std::vector<std::string> names;
      for (ValueId input : inputs) names.push_back(graph.value(input).name);
      const std::string guess = nearest_word(name, names);
      fail(ErrorCode::InvalidArgument, name, "the network has no such input{}",
           guess.empty() ? "" : fmt::format("; did you mean '{}'?", guess));
    }
    fix_input(graph.value(id), shape, bindings);
  }
  for (ValueId id : graph.live_values()) bind_symbols(graph.value(id).type, bindings);
}

// Exporters compute shapes in floats too (a Resize by 2.0), so integral floats count as integers.
std::optional<Content> integers_of(const Tensor& tensor) {
  const DType dtype = tensor.dtype();
  if (is_integer(dtype) || dtype == DType::Bool) {
    const std::vector<int64_t> numbers = to_vector<int64_t>(tensor);
    return Content(numbers.begin(), numbers.end());
  }
  if (!is_floating(dtype)) return std::nullopt;
  Content content;
  for (double number : to_vector<double>(tensor)) {
    const bool integral = std::trunc(number) == number && std::fabs(number) <= 0x1p24;
    content.push_back(integral ? SymbolicInt(static_cast<int64_t>(number)) : SymbolicInt());
  }
  return content;
}

// What a constant holds is what it is, whatever is declared.
void check_constant(Value& value) {
  if (!value.constant) return;
  const TensorType actual{value.constant->dtype(), to_dims(value.constant->shape())};
  value.type = merged(value.type, actual, "initializer", value.name);
}

void infer_node(Graph& graph, const Node& node, const OpRow& row, KnownContents& known) {
  check_operands(graph, node, row);
  InferContext ctx(graph, node, known);
  row.rule(ctx);
  const std::string where = describe(graph, node);
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == ValueId::None) continue;
    Value& value = graph.value(node.outputs[i]);
    TensorType inferred = ctx.outputs()[i];
    if (const std::optional<Shape> fixed = inferred.fixed_shape()) {
      int64_t count = 1;
      for (int64_t dim : *fixed) {
        if (__builtin_mul_overflow(count, std::max<int64_t>(dim, 1), &count)) {
          fail(ErrorCode::InvalidModel, where, "'{}' would have 2^63 elements or more: {}", value.name,
               to_string(inferred));
        }
      }
    }
    if (value.declared) {
      value.type = merged(value.type, inferred, where, value.name);
    } else {
      if (inferred.dtype == DType::Undefined) inferred.dtype = value.type.dtype;
      value.type = std::move(inferred);
    }
  }
}

}  // namespace

KnownContents::KnownContents(const Graph& graph) : constants(graph.value_count()), contents(graph.value_count()) {
  for (ValueId id : graph.live_values()) {
    if (const auto& constant = graph.value(id).constant) constants[index_of(id)] = *constant;
  }
}

InferContext::InferContext(const Graph& graph, const Node& node, KnownContents& known)
    : graph_(graph), node_(node), known_(known), outputs_(node.outputs.size()) {}

int64_t InferContext::opset() const {
  const auto found = graph_.opset_imports.find(node_.domain);
  return found == graph_.opset_imports.end() ? 1 : found->second;
}

const TensorType& InferContext::input(size_t i) const {
  static const TensorType unknown;
  return has_input(i) ? graph_.value(node_.inputs[i]).type : unknown;
}

const Tensor* InferContext::constant(size_t i) const {
  if (!has_input(i)) return nullptr;
  const Tensor& tensor = known_.constants[index_of(node_.inputs[i])];
  return tensor.defined() ? &tensor : nullptr;
}

std::optional<Content> InferContext::content(size_t i) const {
  if (!has_input(i)) return std::nullopt;
  if (const Tensor* tensor = constant(i)) {
    return tensor->size() > kMaxContent ? std::nullopt : integers_of(*tensor);
  }
  if (const auto& content = known_.contents[index_of(node_.inputs[i])]) return content;
  // The number of elements is worth knowing even when none of them is.
  const std::optional<Shape> shape = input(i).fixed_shape();
  if (!shape || shape->size() > 1) return std::nullopt;
  const int64_t count = shape->empty() ? 1 : shape->front();
  if (count > kMaxContent) return std::nullopt;
  return Content(static_cast<size_t>(count));
}

void InferContext::set_output(size_t i, TensorType type) {
  if (i < outputs_.size()) outputs_[i] = std::move(type);
}

void InferContext::set_content(size_t i, Content content) {
  if (node_.output(i) == ValueId::None || content.size() > static_cast<size_t>(kMaxContent)) return;
  known_.contents[index_of(node_.outputs[i])] = std::move(content);
}

void InferContext::set_constant(size_t i, Tensor tensor) {
  if (node_.output(i) != ValueId::None) known_.constants[index_of(node_.outputs[i])] = std::move(tensor);
}

void infer_shapes(Graph& graph, const std::map<std::string, Shape>& input_shapes) {
  fix_inputs(graph, input_shapes);
  for (ValueId id : graph.live_values()) check_constant(graph.value(id));
  KnownContents known(graph);
  for (const Node& node : graph.nodes()) {
    if (const OpRow* row = find_op(node)) infer_node(graph, node, *row, known);
  }
}

}  // namespace halftone
