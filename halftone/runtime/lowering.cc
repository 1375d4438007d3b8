#include "halftone/runtime/lowering.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "halftone/runtime/border.h"
#include "halftone/runtime/codes.h"
#include "halftone/runtime/reorder.h"

namespace halftone::runtime {
namespace {

struct Rule {
  std::string_view name;
  LoweringRule lower;
};

constexpr std::array kRules = {
#define HT_LOWERING(name, summary) Rule{#name, &lower_##name},
#include "halftone/runtime/lowerings.def"
#undef HT_LOWERING
};

constexpr std::array kIntegerRules = {
#define HT_INTEGER_LOWERING(name, summary) Rule{#name, &lower_integer_##name},
#include "halftone/runtime/integer_lowerings.def"
#undef HT_INTEGER_LOWERING
};

Place constant_place(const Tensor& tensor) {
  Place place{tensor.dtype(), tensor.shape(), Layout::Plain, {}, -1};
  const auto owner = std::make_shared<const Tensor>(tensor);
  place.where.constant = std::shared_ptr<const std::byte>(owner, owner->bytes().data());
  return place;
}

}  // namespace

Lowering::Lowering(const FrozenModel& frozen, Graph shaped, const LoweringOptions& options, ConstantStore& constants)
    : frozen_(frozen),
      graph_(std::make_shared<const Graph>(std::move(shaped))),
      encodings_(frozen.model.encodings),
      options_(options),
      constants_(constants),
      index_(*graph_),
      absorbed_(graph_->nodes().size()),
      integers_(graph_->nodes().size()),
      places_(graph_->value_count()) {
  find_integer_nodes();
}

void Lowering::find_integer_nodes() {
  for (position_ = 0; position_ < static_cast<int>(graph_->nodes().size()); ++position_) {
    const auto at = static_cast<size_t>(position_);
    const auto found = frozen_.integers.find(key());
    if (found != frozen_.integers.end()) integers_[at] = &found->second;
  }
}

std::string Lowering::key() const {
  const ValueId first = node().output(0);
  return first == ValueId::None ? "" : graph_->value(first).name;
}

std::string Lowering::blob_key(const std::string& name) const {
  const IntegerNode* plan = integers_[static_cast<size_t>(position_)];
  const bool dyadic = plan != nullptr && plan->outputs[0].mode == RequantizeMode::Dyadic;
  return key() + (dyadic ? "/dyadic/" : "/") + name;
}

const IntegerNode& Lowering::integers() const {
  const IntegerNode* plan = integers_[static_cast<size_t>(position_)];
  HT_CHECK(plan != nullptr, "{} is computed in float", describe(*graph_, node()));
  return *plan;
}

int Lowering::absorbed_activation() const {
  return integers().activation < 0 ? -1 : index_.sole_consumer(node().output(0));
}

std::string Lowering::float_reason() const {
  const auto found = frozen_.refusals.find(key());
  return found == frozen_.refusals.end() ? "" : found->second;
}

bool Lowering::reads_codes(int position, ValueId id) const {
  const auto at = static_cast<size_t>(position);
  if (integers_[at] == nullptr) return false;
  const Node& reader = graph_->nodes()[at];
  for (size_t i = 0; i < reader.inputs.size(); ++i) {
    const bool as_real = integers_[at]->reads(i) && !integers_[at]->inputs[i];
    if (reader.inputs[i] == id && as_real) return false;
  }
  return true;
}

bool Lowering::needs_float(ValueId id) const {
  if (!grid(id) || index_.is_graph_output(id)) return true;
  if (!options_.tap_codes && options_.taps.contains(graph_->value(id).name)) return true;
  const std::vector<int>& readers = index_.consumers(id);
  return std::any_of(readers.begin(), readers.end(), [&](int reader) { return !reads_codes(reader, id); });
}

// Nobody reads what the node computes: it makes weights whose codes the plan has.
bool Lowering::unread(int position) const {
  const Node& maker = graph_->nodes()[static_cast<size_t>(position)];
  return std::all_of(maker.outputs.begin(), maker.outputs.end(), [&](ValueId id) {
    if (id == ValueId::None) return true;
    if (index_.is_graph_output(id) || options_.taps.contains(graph_->value(id).name)) return false;
    const std::vector<int>& readers = index_.consumers(id);
    return std::all_of(readers.begin(), readers.end(), [&](int reader) {
      const IntegerNode* plan = integers_[static_cast<size_t>(reader)];
      if (plan == nullptr) return false;
      const std::vector<ValueId>& operands = graph_->nodes()[static_cast<size_t>(reader)].inputs;
      for (size_t i = 0; i < operands.size(); ++i) {
        if (operands[i] == id && plan->reads(i)) return false;
      }
      return true;
    });
  });
}

void Lowering::absorb(int position) {
  absorbed_[static_cast<size_t>(position)] = true;
  note().fused.push_back(describe(*graph_, graph_->nodes()[static_cast<size_t>(position)]));
}

void Lowering::add_step(Step step, const std::vector<Operand>& touched) {
  const int now = static_cast<int>(program_.steps.size());
  for (const Operand& operand : touched) {
    if (operand.buffer < 0) continue;
    BufferLife& life = buffers_[static_cast<size_t>(operand.buffer)];
    if (life.first_step < 0) life.first_step = now;
    life.last_step = now;
  }
  if (position_ >= 0 && position_ < static_cast<int>(graph_->nodes().size()))
    note().parts = std::max(note().parts, step.parts);
  program_.steps.push_back(std::move(step));
}

void Lowering::lower_inputs() {
  for (ValueId id : graph_->live_values()) {
    const Value& value = graph_->value(id);
    if (value.constant) places_[static_cast<size_t>(id)] = constant_place(*value.constant);
  }
  for (ValueId id : graph_->required_inputs()) lower_input(id);
  for (ValueId id : graph_->live_values()) {
    if (graph_->value(id).constant) tap(id);
  }
}

void Lowering::lower_input(ValueId id) {
  const Value& value = graph_->value(id);
  const size_t number = program_.inputs.size();
  program_.inputs.push_back(value.name);
  const std::optional<Shape> shape = value.type.fixed_shape();
  if (!shape || value.type.dtype == DType::String) {
    const Place place = allocate_slot(value.type.dtype);
    add_step({value.name, 1,
              [number, place](RunMemory& memory) -> Step::Work {
                return [&memory, number, place](int) {
                  memory.slots[static_cast<size_t>(place.slot)] = *memory.inputs[number].tensor;
                };
              }},
             {});
    return define(id, place);
  }
  const std::optional<Grid> codes_grid = grid(id);
  if (codes_grid && is_narrow(*codes_grid) && !needs_float(id)) {
    const Place codes = allocate_codes(*shape, *codes_grid, shape->size() >= 4 ? Layout::ChannelsLast : Layout::Plain);
    add_input(*this, value.name, number, codes, codes_grid);
    return define(id, codes);
  }
  const Place place = allocate(value.type.dtype, *shape, Layout::Plain);
  add_input(*this, value.name, number, place, codes_grid);
  define(id, place);
}

void Lowering::lower_output(ValueId id) {
  const size_t number = program_.outputs.size();
  const bool narrow = held(id).grid && is_narrow(*held(id).grid);
  const Place from = narrow ? held(id) : plain(id);
  program_.outputs.push_back({graph_->value(id).name, narrow ? DType::Float : from.dtype, from.shape, from.slot});
  if (from.slot < 0) add_output(*this, graph_->value(id).name, number, from, grid(id));
}

void Lowering::lower_node() {
  program_.notes.emplace_back();
  note().node = describe(*graph_, node());
  note().first_step = static_cast<int>(program_.steps.size());
  note().integers = integers_[static_cast<size_t>(position_)] != nullptr;
  note().float_reason = float_reason();
  const std::span<const Rule> rules = note().integers ? std::span<const Rule>(kIntegerRules) : kRules;
  for (const Rule& rule : rules) {
    const std::string reason = rule.lower(*this);
    if (reason.empty()) {
      note().rule = rule.name;
      note().step_count = static_cast<int>(program_.steps.size()) - note().first_step;
      return;
    }
    note().refusals.push_back(std::string(rule.name) + ": " + reason);
  }
  fail(ErrorCode::Unsupported, describe(*graph_, node()), "no lowering accepts the node ({})",
       fmt::join(note().refusals, "; "));
}

std::shared_ptr<const Program> Lowering::finish() {
  position_ = -1;
  lower_inputs();
  for (position_ = 0; position_ < static_cast<int>(graph_->nodes().size()); ++position_) {
    if (!absorbed_[static_cast<size_t>(position_)] && !unread(position_)) lower_node();
  }
  for (ValueId id : graph_->outputs()) lower_output(id);
  const MemoryPlan plan = plan_memory(buffers_);
  program_.buffer_offsets = plan.offsets;
  program_.arena_bytes = plan.arena_bytes;
  for (const Step& step : program_.steps) program_.parts.push_back(step.parts);
  program_.graph = graph_;
  return std::make_shared<const Program>(std::move(program_));
}

std::shared_ptr<const Program> lower(const FrozenModel& frozen, const std::map<std::string, Shape>& input_shapes,
                                     const LoweringOptions& options, ConstantStore& constants) {
  Graph shaped = frozen.model.graph;
  infer_shapes(shaped, input_shapes);
  // With the shapes known, what computes with them (Shape, Gather, Reshape's operand ...) becomes constant.
  shaped = transform::remove_identity(transform::fold_constants(std::move(shaped), frozen.keep), frozen.keep);
  infer_shapes(shaped);
  return Lowering(frozen, std::move(shaped), options, constants).finish();
}

}  // namespace halftone::runtime
