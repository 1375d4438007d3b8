#include "halftone/quant/assign_dynamic.h"

#include <algorithm>
#include <array>

#include "halftone/base/error.h"
#include "halftone/graph/op_table.h"
#include "halftone/quant/assign.h"
#include "halftone/quant/extent.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/quant/named_rules.h"
#include "halftone/quant/weight_axis.h"
#include "halftone/quant/weight_grid.h"

namespace halftone {
namespace {

// The weights of a product.
struct Weights {
  ValueId id = ValueId::None;
  int64_t axis = -1;
  QuantSpec spec;
  bool operator==(const Weights&) const = default;
};

class DynamicAssigner {
 public:
  DynamicAssigner(Graph graph, const Recipe& recipe, DynamicRange range)
      : model_{std::move(graph), {}, {}, {}},
        recipe_(with_named_rules(recipe, model_.graph)),
        range_(range),
        index_(model_.graph) {
    infer_shapes(model_.graph);
  }

  QuantizedModel assign() {
    for (size_t i = 0; i < nodes().size(); ++i) examine(static_cast<int>(i));
    for (const auto& [position, weights] : products_) check_sharing(weights);
    for (const auto& [position, weights] : products_) {
      if (shared_.contains(weights.id)) {
        keep_float(node(position), fmt::format("its weights '{}' are also read by others", name(weights.id)));
        continue;
      }
      const auto own = ranges_.find(position);
      model_.dynamic[name(node(position).outputs[0])] = own == ranges_.end() ? range_ : own->second;
      if (weights.id != ValueId::None) add_grid(weights);
    }
    drop_refused();
    return std::move(model_);
  }

 private:
  const std::vector<Node>& nodes() const { return model_.graph.nodes(); }
  const Node& node(int position) const { return nodes()[static_cast<size_t>(position)]; }
  const std::string& name(ValueId id) const { return model_.graph.value(id).name; }
  void keep_float(const Node& layer, std::string reason) {
    model_.float_reasons.emplace(layer_name(model_.graph, layer), std::move(reason));
  }
  const Tensor* constant(ValueId id) const {
    if (id == ValueId::None || index_.is_graph_input(id)) return nullptr;
    const auto& content = model_.graph.value(id).constant;
    return content ? &*content : nullptr;
  }

  void examine(int position) {
    const Node& layer = node(position);
    const ValueId result = layer.output(0);
    if (result == ValueId::None || layer.is("Constant")) return;
    if (model_.graph.value(result).type.dtype != DType::Float) return;
    if (!layer.is("MatMul") && !layer.is("Gemm")) {
      return keep_float(layer, "only matrix products find their ranges at run time");
    }
    if (constant(layer.input(0)) != nullptr) return keep_float(layer, "its first operand is constant");
    Subject subject{{name(result)}, layer.op_type};
    if (!layer.name.empty()) subject.names.emplace_back(layer.name);
    const std::optional<size_t> rule = recipe_.find_rule(subject, std::nullopt);
    if (rule && recipe_.rules[*rule].keeps_float()) {
      return keep_float(layer, fmt::format("rule {} of the recipe keeps it in float", *rule + 1));
    }
    if (rule) ranges_[position] = *recipe_.rules[*rule].dynamic;

    Weights weights;
    const Tensor* matrix = constant(layer.input(1));
    if (matrix != nullptr) {
      require_finite(layer, layer.inputs[1], *matrix);
      if (matrix->rank() != 2) return keep_float(layer, "its constant operand is no matrix of weights");
      subject.names.emplace_back(name(layer.inputs[1]));
      const std::optional<size_t> spec = recipe_.find_rule(subject, Role::Weights);
      if (spec && !recipe_.rules[*spec].spec) {
        return keep_float(layer, fmt::format("rule {} of the recipe keeps its weights in float", *spec + 1));
      }
      weights = {layer.inputs[1], -1, spec ? *recipe_.rules[*spec].spec : recipe_.weights};
      weights.axis = place_scales(layer, matrix->shape(), weights.spec);
    }
    products_.emplace(position, weights);
  }

  void require_finite(const Node& layer, ValueId id, const Tensor& content) const {
    if (content.dtype() != DType::Float) return;
    const Extent extent = measure(content.data<float>());
    if (extent.not_finite == 0) return;
    fail(ErrorCode::InvalidModel, fmt::format("tensor '{}' of {}", name(id), describe(model_.graph, layer)),
         "finite numbers are required, found {} infinite or NaN among {}", extent.not_finite, content.size());
  }

  // Rounding must mean the same to everybody who reads the weights.
  void check_sharing(const Weights& weights) {
    if (weights.id == ValueId::None) return;
    const std::vector<int>& readers = index_.consumers(weights.id);
    const bool same = std::all_of(readers.begin(), readers.end(), [&](int reader) {
      const auto other = products_.find(reader);
      return other != products_.end() && other->second == weights;
    });
    if (!same || index_.is_graph_output(weights.id)) shared_.insert(weights.id);
  }

  void add_grid(const Weights& weights) {
    const Tensor* content = constant(weights.id);
    if (content->dtype() != DType::Float || content->size() == 0 || model_.encodings.contains(name(weights.id))) return;
    WeightGrid grid = grid_of_weights(weights.spec, weights.axis, *content);
    finish(grid);
    model_.encodings[name(weights.id)] = {std::move(grid.params), std::move(grid.spec)};
  }

  void drop_refused() {
    const IntegerPlan plan = plan_integers(model_);
    std::set<ValueId> used;
    for (const auto& [position, weights] : products_) {
      if (plan.nodes[static_cast<size_t>(position)]) {
        used.insert(weights.id);
        continue;
      }
      const auto refusal = plan.refusals.find(position);
      if (refusal != plan.refusals.end()) keep_float(node(position), refusal->second);
      model_.dynamic.erase(name(node(position).outputs[0]));
    }
    for (const auto& [position, weights] : products_) {
      if (weights.id != ValueId::None && !used.contains(weights.id)) model_.encodings.erase(name(weights.id));
    }
  }

  QuantizedModel model_;
  const Recipe recipe_;
  const DynamicRange range_;
  std::map<int, DynamicRange> ranges_;  // by position, where a rule says so
  const GraphIndex index_;
  std::map<int, Weights> products_;  // by position
  std::set<ValueId> shared_;
};

}  // namespace

QuantizedModel assign_dynamic(Graph graph, const Recipe& recipe, DynamicRange range) {
  return DynamicAssigner(std::move(graph), recipe, range).assign();
}

DynamicRange parse_dynamic_range(std::string_view text) {
  if (text == "per_tensor") return DynamicRange::PerTensor;
  if (text == "per_row") return DynamicRange::PerRow;
  const std::string nearest = nearest_word(text, std::array{"per_tensor", "per_row"});
  fail(ErrorCode::InvalidArgument, "dynamic", "per_tensor or per_row is required, found '{}'{}", text,
       nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
}

}  // namespace halftone
