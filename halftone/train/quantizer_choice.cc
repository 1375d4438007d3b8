#include "halftone/train/quantizer_choice.h"

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/quant/activation_spec.h"
#include "halftone/quant/named_rules.h"
#include "halftone/sim/interpreter.h"
#include "halftone/train/quantizer.h"

namespace halftone::train {
namespace {

// Whether the rule is about tensors of this role.
bool is_for(const QuantizerRule& rule, Role role) {
  if (rule.role) return *rule.role == role;
  const QuantizerInfo& info = find_quantizer(rule.quantizer.name);
  return role == Role::Weights ? info.weights : info.activations;
}

// A recipe finds the rules of one role; the others keep their positions, and match nothing.
Recipe as_recipe(const std::vector<QuantizerRule>& rules, Role role, const Graph& graph) {
  const Role other = role == Role::Weights ? Role::Activations : Role::Weights;
  Recipe recipe;
  for (const QuantizerRule& rule : rules) {
    recipe.rules.push_back({rule.name, rule.op, is_for(rule, role) ? role : other, QuantSpec(), {}, rule.place});
  }
  return with_named_rules(std::move(recipe), graph);
}

void check_role(const StepRequest& request, Role role, const std::string& where) {
  const QuantizerInfo& info = find_quantizer(request.name);
  if (role == Role::Weights ? info.weights : info.activations) return;
  fail(ErrorCode::InvalidArgument, where, "'{}' trains {} only, and can't train {}", request.name,
       info.weights ? "weights" : "activations", info.weights ? "activations" : "weights");
}

bool is_pattern(std::string_view text) { return text.find_first_of("*?") != std::string_view::npos; }

bool is_operator(const std::string& name) {
  Node node;
  node.op_type = name;
  return name == "Input" || sim::find_function(node) != nullptr;
}

// Everything that a rule may call a layer or a tensor, and the operators beside it.
std::vector<Subject> subjects_in(const Graph& graph) {
  std::vector<Subject> subjects;
  for (ValueId id : graph.inputs()) subjects.push_back({{graph.value(id).name}, "Input"});
  for (const Node& node : graph.nodes()) {
    Subject subject{{}, node.op_type};
    if (!node.name.empty()) subject.names.emplace_back(node.name);
    for (const auto* ids : {&node.inputs, &node.outputs}) {
      for (ValueId id : *ids) {
        if (id != ValueId::None) subject.names.push_back(graph.value(id).name);
      }
    }
    subjects.push_back(std::move(subject));
  }
  return subjects;
}

std::string suggestion(const std::string& word, const std::vector<std::string_view>& known) {
  const std::string nearest = is_pattern(word) ? std::string() : nearest_word(word, known);
  return nearest.empty() ? std::string() : fmt::format("; did you mean '{}'?", nearest);
}

// An operator that this network happens not to have is no mistake, a name is.
void check_names(const QuantizerRule& rule, const std::vector<Subject>& subjects, const std::string& where) {
  std::vector<std::string_view> names, ops;
  for (const Subject& subject : subjects) {
    names.insert(names.end(), subject.names.begin(), subject.names.end());
    ops.push_back(subject.op);
  }
  const auto among = [](const std::string& pattern, const std::vector<std::string_view>& texts) {
    return std::any_of(texts.begin(), texts.end(), [&](std::string_view text) { return glob_match(pattern, text); });
  };
  if (!is_pattern(rule.op) && !among(rule.op, ops) && !is_operator(rule.op)) {
    fail(ErrorCode::InvalidArgument, where, "there is no operator '{}'{}", rule.op, suggestion(rule.op, ops));
  }
  if (rule.name == "*") return;
  const RecipeRule both{rule.name, rule.op, {}, {}};
  if (std::any_of(subjects.begin(), subjects.end(), [&](const Subject& each) { return both.matches(each); })) return;
  if (!among(rule.name, names)) {
    fail(ErrorCode::InvalidArgument, where, "the network has no layer or tensor '{}'{}", rule.name,
         suggestion(rule.name, names));
  }
  fail(ErrorCode::InvalidArgument, where, "what is called '{}' has nothing to do with operator '{}'", rule.name,
       rule.op);
}

}  // namespace

QuantizerTable::QuantizerTable(const QuantizerChoice& choice, const Graph& graph)
    : choice_(choice), graph_(graph), index_(graph) {
  check_role(choice_.weights, Role::Weights, "quantizer of weights");
  check_role(choice_.activations, Role::Activations, "quantizer of activations");
  const std::vector<Subject> subjects = subjects_in(graph);
  for (size_t i = 0; i < choice_.rules.size(); ++i) {
    const QuantizerRule& rule = choice_.rules[i];
    const std::string where = fmt::format("rule {} of the quantizers", i + 1);
    find_quantizer(rule.quantizer.name);
    if (rule.role) check_role(rule.quantizer, *rule.role, where);
    check_names(rule, subjects, where);
  }
  weights_ = as_recipe(choice_.rules, Role::Weights, graph);
  activations_ = as_recipe(choice_.rules, Role::Activations, graph);
}

const StepRequest& QuantizerTable::decided(std::optional<size_t> rule, const StepRequest& otherwise) const {
  return rule ? choice_.rules[*rule].quantizer : otherwise;
}

const StepRequest& QuantizerTable::of(const WeightPlan& layer) const {
  const Node& node = graph_.nodes()[static_cast<size_t>(layer.node)];
  const Subject subject{{node.name, graph_.value(layer.weights).name}, node.op_type};
  return decided(weights_.find_rule(subject, Role::Weights), choice_.weights);
}

const StepRequest& QuantizerTable::of(const GridGroup& group) const {
  std::optional<size_t> first;
  for (ValueId id : group.values) {
    const std::optional<size_t> rule = activation_spec(graph_, index_, activations_, id).rule;
    if (rule && (!first || *rule < *first)) first = rule;
  }
  return decided(first, choice_.activations);
}

}  // namespace halftone::train
