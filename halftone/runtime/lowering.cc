#include "halftone/runtime/lowering.h"

#include <algorithm>
#include <array>

#include "halftone/runtime/reorder.h"
#include "halftone/runtime/round.h"

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

Place constant_place(const Tensor& tensor) {
  Place place{tensor.dtype(), tensor.shape(), Layout::Plain, {}, -1};
  const auto owner = std::make_shared<const Tensor>(tensor);
  place.where.constant = std::shared_ptr<const std::byte>(owner, owner->bytes().data());
  return place;
}

}  // namespace

Lowering::Lowering(QuantizedModel model, const ValueNames& taps, int threads)
    : graph_(std::make_shared<const Graph>(std::move(model.graph))),
      encodings_(std::move(model.encodings)),
      taps_(taps),
      threads_(threads),
      index_(*graph_),
      absorbed_(graph_->nodes().size()),
      places_(graph_->value_count()) {}

std::optional<Shape> Lowering::float_shape(ValueId id) const {
  if (id == ValueId::None || type(id).dtype != DType::Float) return std::nullopt;
  return type(id).fixed_shape();
}

const Tensor* Lowering::constant(ValueId id) const {
  if (id == ValueId::None || index_.is_graph_input(id)) return nullptr;
  const Value& value = graph_->value(id);
  return value.constant ? &*value.constant : nullptr;
}

bool Lowering::ready(ValueId id) const { return places_[static_cast<size_t>(id)].dtype != DType::Undefined; }

bool Lowering::observable(ValueId id) const {
  const std::string& name = graph_->value(id).name;
  return index_.is_graph_output(id) || encodings_.contains(name) || taps_.contains(name);
}

const Place& Lowering::place(ValueId id) const {
  HT_CHECK(ready(id), "{} is read before it is computed", graph_->value(id).name);
  return places_[static_cast<size_t>(id)];
}

Place Lowering::plain(ValueId id) {
  const Place& here = place(id);
  if (here.layout == Layout::Plain) return here;
  if (layouts_coincide(here.shape)) {
    Place alias = here;
    alias.layout = Layout::Plain;
    return alias;
  }
  const auto [found, is_new] = copies_.try_emplace({id, Layout::Plain});
  if (is_new) {
    found->second = allocate(here.dtype, here.shape, Layout::Plain);
    residents_[static_cast<size_t>(found->second.where.buffer)].push_back(id);
    add_reorder(*this, graph_->value(id).name, here, found->second);
  }
  return found->second;
}

Place Lowering::blocked(ValueId id) {
  const Place& here = place(id);
  if (here.layout == Layout::Blocked) return here;
  if (here.where.buffer < 0) {
    Place copy = here;
    copy.layout = Layout::Blocked;
    copy.where = {-1, blocked_copy(here), 0};
    return copy;
  }
  const auto [found, is_new] = copies_.try_emplace({id, Layout::Blocked});
  if (is_new) {
    found->second = allocate(here.dtype, here.shape, Layout::Blocked);
    residents_[static_cast<size_t>(found->second.where.buffer)].push_back(id);
    add_reorder(*this, graph_->value(id).name, here, found->second);
  }
  return found->second;
}

bool Lowering::last_use(const Place& at, int by, ValueId except) const {
  if (at.where.buffer < 0) return false;
  const std::vector<ValueId>& values = residents_[static_cast<size_t>(at.where.buffer)];
  return std::all_of(values.begin(), values.end(), [&](ValueId id) {
    if (id == except) return true;
    if (index_.is_graph_output(id)) return false;
    const std::vector<int>& readers = index_.consumers(id);
    return std::all_of(readers.begin(), readers.end(), [&](int reader) {
      return reader == by || reader < position_ || absorbed_[static_cast<size_t>(reader)];
    });
  });
}

int Lowering::add_buffer(size_t bytes) {
  buffers_.push_back({bytes, -1, -1});
  residents_.emplace_back();
  return static_cast<int>(buffers_.size()) - 1;
}

Place Lowering::allocate(DType dtype, const Shape& shape, Layout layout) {
  Place place{dtype, shape, layout, {}, -1};
  place.where.buffer = add_buffer(stored_bytes(place));
  return place;
}

Place Lowering::allocate_slot(DType dtype) {
  Place place;
  place.dtype = dtype;
  place.slot = program_.slot_count++;
  return place;
}

void Lowering::add_step(Step step, const std::vector<Operand>& touched) {
  const int now = static_cast<int>(program_.steps.size());
  for (const Operand& operand : touched) {
    if (operand.buffer < 0) continue;
    BufferLife& life = buffers_[static_cast<size_t>(operand.buffer)];
    if (life.first_step < 0) life.first_step = now;
    life.last_step = now;
  }
  program_.steps.push_back(std::move(step));
}

void Lowering::define(ValueId id, Place place) {
  if (id == ValueId::None) return;
  places_[static_cast<size_t>(id)] = std::move(place);
  const int buffer = places_[static_cast<size_t>(id)].where.buffer;
  if (buffer >= 0) residents_[static_cast<size_t>(buffer)].push_back(id);
  round(id);
  tap(id);
}

void Lowering::round(ValueId id) {
  const auto found = encodings_.find(graph_->value(id).name);
  if (found == encodings_.end()) return;
  Place& here = places_[static_cast<size_t>(id)];
  if (here.dtype != DType::Float || here.slot >= 0) {
    fail(ErrorCode::Unsupported, graph_->value(id).name, "an encoding needs a float value of known shape");
  }
  Place rounded = here;
  // Another value in the same memory keeps its own content while somebody has yet to read it.
  if (here.where.buffer < 0 || !last_use(here, position_, id)) {
    rounded = allocate(here.dtype, here.shape, here.layout);
    residents_[static_cast<size_t>(rounded.where.buffer)].push_back(id);
  }
  add_rounding(*this, graph_->value(id).name, here, rounded, found->second.params);
  here = rounded;
}

void Lowering::tap(ValueId id) {
  const std::string& name = graph_->value(id).name;
  if (!taps_.contains(name)) return;
  const Place content = plain(id);
  Step step{name + " tap", 1, [name, content](RunMemory& memory) -> Step::Work {
              return [&memory, name, content](int) {
                if (memory.tap != nullptr && *memory.tap) (*memory.tap)(name, tensor_at(memory, content));
              };
            }};
  add_step(std::move(step), {content.where});
}

void Lowering::lower_inputs() {
  for (ValueId id : graph_->live_values()) {
    const Value& value = graph_->value(id);
    if (value.constant) define(id, constant_place(*value.constant));
  }
  for (ValueId id : graph_->required_inputs()) {
    const Value& value = graph_->value(id);
    const size_t number = program_.inputs.size();
    program_.inputs.push_back(value.name);
    const std::optional<Shape> shape = value.type.fixed_shape();
    if (!shape || value.type.dtype == DType::String) {
      const Place place = allocate_slot(value.type.dtype);
      add_step({value.name, 1,
                [number, place](RunMemory& memory) -> Step::Work {
                  return [&memory, number, place](int) {
                    memory.slots[static_cast<size_t>(place.slot)] = *memory.inputs[number];
                  };
                }},
               {});
      define(id, place);
      continue;
    }
    const Place place = allocate(value.type.dtype, *shape, Layout::Plain);
    add_input_copy(*this, value.name, number, place);
    define(id, place);
  }
}

void Lowering::lower_node() {
  std::string reasons;
  for (const Rule& rule : kRules) {
    const std::string reason = rule.lower(*this);
    if (reason.empty()) return;
    reasons += fmt::format("{}{}: {}", reasons.empty() ? "" : "; ", rule.name, reason);
  }
  fail(ErrorCode::Unsupported, describe(*graph_, node()), "no lowering accepts the node ({})", reasons);
}

std::shared_ptr<const Program> Lowering::finish() {
  lower_inputs();
  for (position_ = 0; position_ < static_cast<int>(graph_->nodes().size()); ++position_) {
    if (!absorbed_[static_cast<size_t>(position_)]) lower_node();
  }
  for (ValueId id : graph_->outputs()) program_.outputs.push_back({graph_->value(id).name, plain(id)});
  for (const Program::Output& output : program_.outputs) {
    if (output.place.where.buffer < 0) continue;
    buffers_[static_cast<size_t>(output.place.where.buffer)].last_step = static_cast<int>(program_.steps.size());
  }
  const MemoryPlan plan = plan_memory(buffers_);
  program_.buffer_offsets = plan.offsets;
  program_.arena_bytes = plan.arena_bytes;
  for (const Step& step : program_.steps) program_.parts.push_back(step.parts);
  program_.graph = graph_;
  return std::make_shared<const Program>(std::move(program_));
}

std::shared_ptr<const Program> lower(const QuantizedModel& model, const std::map<std::string, Shape>& input_shapes,
                                     const ValueNames& taps, int threads) {
  QuantizedModel shaped = model;
  infer_shapes(shaped.graph, input_shapes);
  ValueNames keep = taps;
  for (const auto& [name, encoding] : shaped.encodings) keep.insert(name);
  // With the shapes known, what computes with them (Shape, Gather, Reshape's operand ...) becomes constant.
  shaped.graph = transform::remove_identity(transform::fold_constants(std::move(shaped.graph), keep), keep);
  infer_shapes(shaped.graph);
  return Lowering(std::move(shaped), taps, threads).finish();
}

}  // namespace halftone::runtime
