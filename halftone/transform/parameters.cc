#include "halftone/transform/parameters.h"

#include <algorithm>
#include <optional>
#include <tuple>

#include "halftone/base/error.h"
#include "halftone/graph/value_index.h"
#include "halftone/transform/gain.h"
#include "halftone/transform/layer_weights.h"

namespace halftone::transform {
namespace {

bool has_weights(const Node& node) {
  return node.is("Conv") || node.is("ConvTranspose") || node.is("Gemm") || node.is("MatMul");
}

bool is_real(DType dtype) {
  return dtype == DType::Float || dtype == DType::Double || dtype == DType::Float16 || dtype == DType::BFloat16;
}

int64_t axes_with_extent(const Shape& shape) {
  return std::count_if(shape.begin(), shape.end(), [](int64_t dim) { return dim != 1; });
}

// The kind of what a node of parameters alone reads as operand `i`: there it can't be data.
std::optional<ParameterKind> fixed_kind(const Node& node, size_t i) {
  using enum ParameterKind;
  if (i == 0) return std::nullopt;
  if (node.is("Conv") || node.is("ConvTranspose")) return i == 1 ? Weights : Shift;
  if (node.is("PRelu")) return Slope;
  if (node.is("BatchNormalization")) return i == 1 || i == 4 ? Scale : Shift;
  for (std::string_view op :
       {"LayerNormalization", "RMSNormalization", "InstanceNormalization", "GroupNormalization"}) {
    if (node.is(op)) return i == 1 ? Scale : Shift;
  }
  return std::nullopt;
}

// Weights that stand first in a product of matrices; the layer's results are then columns.
Parameter left_weights(const Node& node, const Shape& shape) {
  const bool turned = node.is("Gemm") && node.int_or("transA", 0) != 0;
  const auto rows = static_cast<double>(shape[shape.size() - 2]), columns = static_cast<double>(shape.back());
  return {ParameterKind::Weights, turned ? rows : columns, turned ? columns : rows};
}

std::optional<Parameter> product_weights(const Node& node, Shape shape) {
  if (node.is("MatMul") && shape.size() == 1) shape.push_back(1);
  // Matrices that are stacked are products of their own.
  if (node.is("MatMul") && shape.size() > 2) shape.erase(shape.begin(), shape.end() - 2);
  const std::optional<WeightLayout> layout = weight_layout(node, shape);
  if (!layout) return std::nullopt;
  const auto rows = static_cast<double>(layout->rows / layout->groups * layout->inner);
  const auto columns = static_cast<double>(layout->columns * layout->inner);
  Parameter weights{ParameterKind::Weights, layout->rows_are_outputs ? columns : rows,
                    layout->rows_are_outputs ? rows : columns};
  if (node.is("ConvTranspose")) {
    for (int64_t stride : node.ints_or("strides", {}))
      weights.fan_in /= static_cast<double>(std::max<int64_t>(stride, 1));
  }
  return weights;
}

class Finder {
 public:
  Finder(const Graph& graph, Parameters which)
      : graph_(graph),
        which_(which),
        index_(graph),
        gains_(gains_behind(graph)),
        found_(graph.value_count()),
        is_data_(graph.value_count()) {
    for (ValueId id : graph.inputs()) is_data_[index_of(id)] = index_.is_graph_output(id);
  }

  std::map<ValueId, Parameter> find() {
    const std::vector<Node>& nodes = graph_.nodes();
    for (size_t n = nodes.size(); n-- > 0;) read(nodes[n]);
    std::map<ValueId, Parameter> result;
    for (size_t i = 0; i < found_.size(); ++i) {
      const auto id = static_cast<ValueId>(i);
      if (found_[i] && (has_content(id) || (is_missing(id) && !is_data_[i]))) result.emplace(id, *found_[i]);
    }
    return result;
  }

 private:
  bool is_missing(ValueId id) const {
    const Value& value = graph_.value(id);
    return index_.is_graph_input(id) && !value.constant && is_real(value.type.dtype) && value.type.fixed_shape();
  }
  bool has_content(ValueId id) const {
    if (which_ == Parameters::Missing) return false;
    const Value& value = graph_.value(id);
    if (!is_real(value.type.dtype) || !value.type.fixed_shape()) return false;
    const int maker = index_.producer(id);
    return value.constant || (maker >= 0 && graph_.nodes()[static_cast<size_t>(maker)].is("Constant"));
  }
  // Made by a node from something that flows.
  bool is_computed(ValueId id) const {
    const int maker = id == ValueId::None ? -1 : index_.producer(id);
    return maker >= 0 && !graph_.nodes()[static_cast<size_t>(maker)].is("Constant");
  }
  const Node* maker_of(ValueId id) const {
    const int maker = index_.producer(id);
    return maker < 0 ? nullptr : &graph_.nodes()[static_cast<size_t>(maker)];
  }

  void read(const Node& node) {
    if (node.output(0) == ValueId::None) return;
    for (ValueId id : node.captures) is_data_[index_of(id)] = true;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (id == ValueId::None) continue;
      check_shape(node, i);
      if (const std::optional<Parameter> parameter = parameter_at(node, i)) {
        keep(id, *parameter);
      } else {
        is_data_[index_of(id)] = true;
      }
    }
  }

  // A value with several readers is what the first of ParameterKind makes it, and as small as the widest layer needs,
  // whatever the order of its readers.
  void keep(ValueId id, const Parameter& parameter) {
    std::optional<Parameter>& known = found_[index_of(id)];
    const auto order = [](const Parameter& p) { return std::tuple(p.kind, -p.fan_in, -p.fan_out, -p.gain); };
    if (!known || order(parameter) < order(*known)) known = parameter;
  }

  void check_shape(const Node& node, size_t i) const {
    const Value& value = graph_.value(node.inputs[i]);
    if (!fixed_kind(node, i) || value.constant || !index_.is_graph_input(node.inputs[i])) return;
    if (is_real(value.type.dtype) && value.type.fixed_shape()) return;
    fail(ErrorCode::InvalidModel, describe(graph_, node),
         "its parameter '{}' is an input, which needs real elements and a shape of known numbers, found {}", value.name,
         to_string(value.type));
  }

  std::optional<Parameter> parameter_at(const Node& node, size_t i) const {
    const ValueId id = node.inputs[i];
    const TensorType& type = graph_.value(id).type;
    const std::optional<Shape> shape = type.fixed_shape();
    if (!shape) return std::nullopt;
    if (node.is("Identity") || (node.is("Transpose") && shape->size() == 2)) {
      const ValueId result = node.output(0);
      return is_data_[index_of(result)] ? std::nullopt : found_[index_of(result)];
    }
    if (const std::optional<ParameterKind> kind = fixed_kind(node, i); kind && *kind != ParameterKind::Weights) {
      return Parameter{*kind};
    }
    if (has_weights(node)) return product_operand(node, i, *shape);
    if (node.is("Gather") && i == 0 && shape->size() == 2 && node.int_or("axis", 0) == 0) {
      return Parameter{ParameterKind::Table};
    }
    if ((node.is("Add") || node.is("Mul")) && !shape->empty()) return broadcast_operand(node, i, *shape);
    return std::nullopt;
  }

  std::optional<Parameter> product_operand(const Node& node, size_t i, const Shape& shape) const {
    if (i == 2) return Parameter{ParameterKind::Shift};
    std::optional<Parameter> weights;
    const bool matrices = node.is("Gemm") || node.is("MatMul");
    if (i == 1 && (!matrices || shape.size() <= 2 || has_content(node.inputs[i])))
      weights = product_weights(node, shape);
    // An input of known shape may be data of known shape; not so where what meets it has a batch of any size.
    if (i == 0 && matrices && shape.size() == 2 && is_computed(node.input(1)) &&
        (has_content(node.inputs[0]) || !graph_.value(node.inputs[1]).type.fixed_shape())) {
      weights = left_weights(node, shape);
    }
    if (weights) weights->gain = gains_[index_of(node.output(0))];
    return weights;
  }

  std::optional<Parameter> broadcast_operand(const Node& node, size_t i, const Shape& shape) const {
    const ValueId id = node.inputs[i], other = node.input(1 - i);
    if (!is_computed(other)) return std::nullopt;
    const TensorType& other_type = graph_.value(other).type;
    const bool vector = axes_with_extent(shape) <= 1;
    if (node.is("Mul")) {
      return vector && is_missing(id) ? std::optional(Parameter{ParameterKind::Scale}) : std::nullopt;
    }
    if (has_content(id)) {
      if (vector && !is_bias_of(*maker_of(other), other_type, shape)) return std::nullopt;
      if (!vector && !normalized(node.output(0))) return std::nullopt;
    } else if (!vector && other_type.fixed_shape() == shape) {
      return std::nullopt;
    }
    return Parameter{vector ? ParameterKind::Shift : ParameterKind::Table};
  }

  // Whether a vector has an element per channel of what `maker`, a product, computes.
  static bool is_bias_of(const Node& maker, const TensorType& result, const Shape& vector) {
    if (!has_weights(maker) || !result.ranked() || result.rank() < static_cast<int64_t>(vector.size())) return false;
    const bool last = maker.is("Gemm") || maker.is("MatMul");
    const int64_t channels_from_end = last ? 1 : result.rank() - 1;
    const auto at = static_cast<int64_t>(vector.size()) - channels_from_end;
    if (at < 0) return false;
    const Dim& channels = (*result.shape)[static_cast<size_t>(result.rank() - channels_from_end)];
    return channels == Dim(vector[static_cast<size_t>(at)]);
  }

  bool normalized(ValueId sum) const {
    const std::vector<int>& readers = index_.consumers(sum);
    return std::any_of(readers.begin(), readers.end(), [&](int reader) {
      return graph_.nodes()[static_cast<size_t>(reader)].is("LayerNormalization");
    });
  }

  const Graph& graph_;
  const Parameters which_;
  const GraphIndex index_;
  const std::vector<double> gains_;
  std::vector<std::optional<Parameter>> found_;
  std::vector<bool> is_data_;  // some reader takes it for something else than a parameter
};

}  // namespace

std::map<ValueId, Parameter> find_parameters(const Graph& graph, Parameters which) {
  return Finder(graph, which).find();
}

}  // namespace halftone::transform
