#include <algorithm>
#include <array>
#include <numeric>
#include <set>

#include "halftone/base/error.h"
#include "halftone/graph/op_table.h"
#include "halftone/quant/activation_spec.h"
#include "halftone/quant/assign.h"
#include "halftone/quant/extent.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/quant/movers.h"
#include "halftone/quant/named_rules.h"
#include "halftone/quant/weight_axis.h"

namespace halftone {
namespace {

size_t at(ValueId id) { return static_cast<size_t>(id); }

bool is_product(IntegerForm form) {
  return form == IntegerForm::Convolution || form == IntegerForm::TransposedConvolution ||
         form == IntegerForm::MatrixProduct;
}

// Whether results and operands can live on one grid without loss.
bool shares_grid(const IntegerNode& plan, const Node& node) {
  if (plan.form == IntegerForm::Activation) return node.is("Relu") || node.is("Clip");
  return plan.form == IntegerForm::Move || plan.form == IntegerForm::Concatenation;
}

// Functions with poles, roots, jumps or exponential growth. Half a step of the operand's grid can be many of the
// result's, so they are computed in integers only where a file has them on grids already.
bool magnifies_rounding(const IntegerNode& plan, const Node& node) {
  constexpr std::array kOps = {"Acos", "Acosh", "Asin",       "Atanh", "Ceil", "Cosh", "Exp",  "Floor",
                               "Log",  "Pow",   "Reciprocal", "Round", "Sign", "Sinh", "Sqrt", "Tan"};
  const bool divides_constant = node.is("Div") && plan.form == IntegerForm::Function && plan.inputs[1];
  return divides_constant || std::any_of(kOps.begin(), kOps.end(), [&](const char* op) { return node.is(op); });
}

// Plans in four steps: what integers could do at all (a trial of the integer planner with every value on a grid); which
// layers the recipe and their weights leave to integers; forwards, whose results come in codes; backwards, whose
// results are wanted in codes.
class Planner {
 public:
  Planner(const Graph& graph, const Recipe& recipe)
      : recipe_(with_named_rules(recipe, graph)),
        graph_(typed(graph)),
        index_(graph_),
        layers_(graph_.nodes().size()),
        values_(graph_.value_count()) {}

  QuantPlan plan() {
    for (const Node& each : graph_.nodes()) require_finite_weights(each);
    try_integers();
    for (size_t i = 0; i < layers_.size(); ++i) apply_recipe(i);
    for (size_t i = 0; i < layers_.size(); ++i) check_product(i);
    for (size_t i = 0; i < layers_.size(); ++i) check_sharing_of_weights(i);
    for (ValueId id : graph_.inputs()) values_[at(id)].in_codes = is_float(id) && may_have_grid(id);
    for (size_t i = 0; i < layers_.size(); ++i) go_forward(i);
    for (size_t i = layers_.size(); i-- > 0;) go_backward(i);
    for (const auto& [position, weights] : weights_) plan_.weights.push_back(weights);
    make_groups();
    for (size_t i = 0; i < layers_.size(); ++i) report(i);
    for (size_t i = 0; i < recipe_.rules.size(); ++i) {
      if (!used_rules_[i]) plan_.unused_rules.push_back(i);
    }
    return std::move(plan_);
  }

 private:
  struct Layer {
    std::optional<IntegerNode> trial;     // as the integer planner sees it; nullopt: no integer arithmetic
    std::string refusal;                  // why it is computed in float
    std::optional<DynamicRange> dynamic;  // it finds its ranges at run time
    bool able = false;                    // its operands come in codes, so that it can be computed in integers
    bool integer = false;                 // ... and is
    int activation = -1;                  // the Relu or Clip that it absorbs
    int absorbed_by = -1;                 // the layer that absorbs it
  };
  struct ValueState {
    bool in_codes = false;  // comes from integer arithmetic (or from outside)
    bool grid = false;      // an integer layer wants it on a grid
    std::optional<bool> allowed;
    QuantSpec spec;
  };

  static Graph typed(Graph graph) {
    infer_shapes(graph);
    return graph;
  }
  const Node& node(size_t i) const { return graph_.nodes()[i]; }
  const std::string& name(ValueId id) const { return graph_.value(id).name; }
  bool is_float(ValueId id) const { return id != ValueId::None && graph_.value(id).type.dtype == DType::Float; }
  const Tensor* constant(ValueId id) const {
    if (id == ValueId::None || index_.is_graph_input(id)) return nullptr;
    const auto& content = graph_.value(id).constant;
    return content ? &*content : nullptr;
  }
  bool has_weights(size_t i) const { return layers_[i].trial->weights.defined(); }
  static void refuse(Layer& layer, std::string reason) {
    if (layer.refusal.empty()) layer.refusal = std::move(reason);
  }

  // The values that the layer reads as codes.
  std::vector<ValueId> operands(size_t i) const {
    std::vector<ValueId> ids;
    for (size_t k = 0; k < layers_[i].trial->inputs.size(); ++k) {
      if (layers_[i].trial->inputs[k]) ids.push_back(node(i).inputs[k]);
    }
    return ids;
  }

  // Asks the integer planner about every node by giving every float value a grid; what it refuses then, it refuses for
  // the layer's own nature.
  void try_integers() {
    QuantizedModel trial{graph_, {}, {}};
    const QuantParams codes{DType::UInt8, 0, 255, {1.0F}, {128}};
    const QuantParams weights{DType::Int8, -127, 127, {1.0F}, {0}};
    for (ValueId id : graph_.live_values()) {
      if (is_float(id) && constant(id) == nullptr) trial.encodings[name(id)] = {codes, {}};
    }
    for (const Node& each : graph_.nodes()) {
      if (is_product(each) && is_float(each.input(1)) && constant(each.input(1)) != nullptr) {
        trial.encodings[name(each.input(1))] = {weights, {}};
      }
    }
    IntegerPlan integers = plan_integers(trial);
    for (size_t i = 0; i < layers_.size(); ++i) {
      layers_[i].trial = std::move(integers.nodes[i]);
      const auto refusal = integers.refusals.find(static_cast<int>(i));
      if (refusal != integers.refusals.end()) layers_[i].refusal = refusal->second;
      if (layers_[i].trial && magnifies_rounding(*layers_[i].trial, node(i))) {
        refuse(layers_[i], "it could magnify the rounding of its operand");
      }
    }
  }

  // --- the recipe

  std::optional<size_t> find_rule(const Subject& subject, std::optional<Role> role) {
    const std::optional<size_t> rule = recipe_.find_rule(subject, role);
    if (rule) used_rules_[*rule] = true;
    return rule;
  }

  Subject subject_of(size_t i, ValueId tensor) const {
    Subject subject{{}, node(i).op_type};
    if (!node(i).name.empty()) subject.names.emplace_back(node(i).name);
    if (tensor != ValueId::None) subject.names.emplace_back(name(tensor));
    return subject;
  }

  void apply_recipe(size_t i) {
    Layer& layer = layers_[i];
    if (!layer.trial) return;
    const std::optional<size_t> rule = find_rule(subject_of(i, node(i).output(0)), std::nullopt);
    if (!rule) return;
    if (recipe_.rules[*rule].keeps_float()) {
      refuse(layer, fmt::format("rule {} of the recipe keeps it in float", *rule + 1));
    } else if (is_product(layer.trial->form)) {
      layer.dynamic = recipe_.rules[*rule].dynamic;
    }
  }

  // Whether the recipe lets an activation have a grid; finds the spec on the way.
  bool may_have_grid(ValueId id) {
    ValueState& state = values_[at(id)];
    if (state.allowed) return *state.allowed;
    ActivationSpec found = activation_spec(graph_, index_, recipe_, id);
    if (found.rule) used_rules_[*found.rule] = true;
    state.allowed = !found.in_float;
    state.spec = std::move(found.spec);
    return *state.allowed;
  }

  // Calibration would notice only what the damage does to the activations.
  void require_finite_weights(const Node& layer) const {
    if (!is_product(layer)) return;
    for (ValueId id : layer.inputs) {
      if (!is_float(id) || constant(id) == nullptr) continue;
      const Extent extent = measure(constant(id)->data<float>());
      if (extent.not_finite == 0) continue;
      fail(ErrorCode::InvalidModel, fmt::format("tensor '{}' of {}", name(id), describe(graph_, layer)),
           "finite numbers are required, found {} infinite or NaN among {}", extent.not_finite, constant(id)->size());
    }
  }

  // --- layers that multiply with weights, or two activations

  bool keeps_product(size_t i) const {
    return layers_[i].trial && layers_[i].refusal.empty() && is_product(layers_[i].trial->form);
  }

  void check_product(size_t i) {
    if (!keeps_product(i)) return;
    Layer& layer = layers_[i];
    for (ValueId id : operands(i)) {
      if (constant(id) != nullptr) {
        return refuse(layer, fmt::format("its constant operand '{}' is no matrix of weights", name(id)));
      }
      if (!layer.dynamic && !may_have_grid(id))
        return refuse(layer, fmt::format("the recipe keeps its input '{}' in float", name(id)));
    }
    if (!has_weights(i)) return;
    const ValueId bias = node(i).input(2);
    if (bias != ValueId::None && !is_float(bias)) return refuse(layer, "its bias is not float");
    const std::optional<size_t> rule = find_rule(subject_of(i, node(i).inputs[1]), Role::Weights);
    if (rule && !recipe_.rules[*rule].spec) {
      return refuse(layer, fmt::format("rule {} of the recipe keeps its weights in float", *rule + 1));
    }
    WeightPlan weights{static_cast<int>(i),
                       layer.dynamic ? ValueId::None : node(i).inputs[0],
                       node(i).inputs[1],
                       node(i).input(2),
                       -1,
                       rule ? *recipe_.rules[*rule].spec : recipe_.weights};
    weights.axis = place_scales(node(i), layer.trial->weights.shape(), weights.spec);
    weights_.emplace(static_cast<int>(i), std::move(weights));
  }

  // A constant that several layers read must mean the same to all of them, or it stays float.
  void check_sharing_of_weights(size_t i) {
    const auto found = weights_.find(static_cast<int>(i));
    if (found == weights_.end()) return;
    const WeightPlan mine = found->second;
    if (!checked_weights_.insert(mine.weights).second) return;
    const std::vector<int>& readers = index_.consumers(mine.weights);
    std::string obstacle;
    if (index_.is_graph_output(mine.weights)) obstacle = "are also an output of the network";
    for (int reader : readers) {
      const auto other = weights_.find(reader);
      const bool same = other != weights_.end() && other->second.weights == mine.weights &&
                        other->second.axis == mine.axis && other->second.spec == mine.spec;
      if (!same) obstacle = fmt::format("are also read by {}", describe(graph_, node(static_cast<size_t>(reader))));
    }
    if (obstacle.empty()) return;
    for (int reader : readers) {
      if (weights_.erase(reader) == 0) continue;
      refuse(layers_[static_cast<size_t>(reader)], fmt::format("its weights '{}' {}", name(mine.weights), obstacle));
    }
  }

  // --- the two sweeps

  // The layer of which activation i can become a part, or -1.
  int absorber(size_t i) const {
    if (!node(i).is("Relu") && !node(i).is("Clip")) return -1;
    const int before = index_.producer(node(i).input(0));
    if (before < 0 || index_.sole_consumer(node(i).input(0)) != static_cast<int>(i)) return -1;
    const Layer& layer = layers_[static_cast<size_t>(before)];
    // Movers hand the activation on by sharing their grid; a LeakyRelu is an activation itself.
    const bool absorbs = layer.able && layer.activation < 0 && layer.trial->form != IntegerForm::Activation &&
                         !shares_grid(*layer.trial, node(static_cast<size_t>(before)));
    return absorbs ? before : -1;
  }

  void go_forward(size_t i) {
    Layer& layer = layers_[i];
    if (!layer.trial || !layer.refusal.empty() || layer.dynamic) return;
    layer.absorbed_by = absorber(i);
    if (layer.absorbed_by >= 0) {
      layers_[static_cast<size_t>(layer.absorbed_by)].activation = static_cast<int>(i);
    } else if (!is_product(layer.trial->form)) {
      for (ValueId id : operands(i)) {
        if (!values_[at(id)].in_codes)
          return refuse(layer, fmt::format("its input '{}' is computed in float", name(id)));
      }
    }
    layer.able = true;
    for (ValueId id : node(i).outputs) {
      if (is_float(id)) values_[at(id)].in_codes = may_have_grid(id);
    }
  }

  bool result_wanted(size_t i) const {
    return std::any_of(node(i).outputs.begin(), node(i).outputs.end(),
                       [&](ValueId id) { return id != ValueId::None && values_[at(id)].grid; });
  }

  void go_backward(size_t i) {
    Layer& layer = layers_[i];
    if (!layer.able || layer.absorbed_by >= 0) return;
    const bool wanted =
        result_wanted(i) || (layer.activation >= 0 && result_wanted(static_cast<size_t>(layer.activation)));
    layer.integer = wanted || is_product(layer.trial->form);
    if (!layer.integer) return;
    for (ValueId id : operands(i)) values_[at(id)].grid = true;
    if (node(i).outputs.size() < 2) return;
    // Codes for one part of a Split are codes for all.
    for (ValueId id : node(i).outputs) {
      if (is_float(id)) values_[at(id)].grid = may_have_grid(id);
    }
  }

  // --- results

  // Values that share a grid: a forest in which each points towards its group's representative.
  size_t representative(std::vector<size_t>& parents, size_t i) const {
    while (parents[i] != i) i = parents[i] = parents[parents[i]];
    return i;
  }

  void make_groups() {
    std::vector<size_t> parents(values_.size());
    std::iota(parents.begin(), parents.end(), size_t{0});
    std::vector<bool> observed(values_.size(), true);
    for (size_t i = 0; i < layers_.size(); ++i) {
      const Layer& layer = layers_[i];
      if (!layer.integer || !shares_grid(*layer.trial, node(i))) continue;
      const std::vector<ValueId> ids = operands(i);
      const size_t first = at(ids.at(0));
      const auto join = [&](ValueId id) {
        if (id == ValueId::None || !values_[at(id)].grid || !(values_[at(id)].spec == values_[first].spec))
          return false;
        parents[representative(parents, at(id))] = representative(parents, first);
        return true;
      };
      bool all = true;
      for (ValueId id : ids) all = join(id) && all;
      for (ValueId id : node(i).outputs) {
        if (join(id) && all && keeps_all_elements(node(i))) observed[at(id)] = false;
      }
    }
    std::map<size_t, size_t> group_of;  // representative -> position
    for (ValueId id : graph_.live_values()) {
      if (!values_[at(id)].grid) continue;
      const auto [found, is_new] = group_of.emplace(representative(parents, at(id)), plan_.groups.size());
      if (is_new) plan_.groups.push_back({{}, {}, values_[at(id)].spec});
      GridGroup& group = plan_.groups[found->second];
      group.values.push_back(id);
      if (observed[at(id)]) group.observed.push_back(id);
    }
  }

  void report(size_t i) {
    const Layer& layer = layers_[i];
    const std::vector<ValueId>& outputs = node(i).outputs;
    const bool computes_floats = std::any_of(outputs.begin(), outputs.end(), [&](ValueId id) { return is_float(id); });
    if (!computes_floats || node(i).is("Constant")) return;
    const std::string layer_called = layer_name(graph_, node(i));
    if (layer.dynamic && layer.refusal.empty()) {
      plan_.dynamic[name(node(i).outputs[0])] = *layer.dynamic;
      return;
    }
    const bool absorbed = layer.absorbed_by >= 0 && result_wanted(i);
    if (!layer.integer && !absorbed) {
      plan_.float_reasons[layer_called] = layer.refusal.empty() ? "no integer layer reads its result" : layer.refusal;
      return;
    }
    const ValueId result = node(i).output(0);
    if (result == ValueId::None || values_[at(result)].grid || layer.activation >= 0) return;
    const bool is_output = index_.is_graph_output(result);
    plan_.float_reasons[name(result)] =
        is_output ? "it is an output of the network, which gets real numbers" : "only float layers read it";
  }

  const Recipe recipe_;
  const Graph graph_;
  const GraphIndex index_;
  std::vector<Layer> layers_;       // by node
  std::vector<ValueState> values_;  // by ValueId
  std::vector<bool> used_rules_ = std::vector<bool>(recipe_.rules.size());
  std::map<int, WeightPlan> weights_;  // by node
  std::set<ValueId> checked_weights_;
  QuantPlan plan_;
};

}  // namespace

QuantPlan plan_quantization(const Graph& graph, const Recipe& recipe) { return Planner(graph, recipe).plan(); }

std::string layer_name(const Graph& graph, const Node& node) {
  if (!node.name.empty()) return node.name;
  for (ValueId id : node.outputs) {
    if (id != ValueId::None) return graph.value(id).name;
  }
  return node.op_type;
}

}  // namespace halftone
