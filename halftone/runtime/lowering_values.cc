// Where values lie, and the steps that bring them into another form.
#include <algorithm>

#include "halftone/runtime/codes.h"
#include "halftone/runtime/lowering.h"
#include "halftone/runtime/reorder.h"
#include "halftone/runtime/round.h"

namespace halftone::runtime {

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
  return index_.is_graph_output(id) || encodings_.contains(name) || options_.taps.contains(name);
}

std::optional<Grid> Lowering::grid(ValueId id) const {
  if (!float_shape(id)) return std::nullopt;
  const auto found = encodings_.find(graph_->value(id).name);
  if (found == encodings_.end()) return std::nullopt;
  const QuantParams& params = found->second.params;
  if (!params.per_tensor() || params.scale.size() != 1 || bits_of(params.dtype) > 16) return std::nullopt;
  if (!params.levels.empty()) return std::nullopt;
  return Grid{params.dtype, params.scale[0], params.zero_point[0], static_cast<int32_t>(params.q_min),
              static_cast<int32_t>(params.q_max)};
}

const Place& Lowering::held(ValueId id) const {
  HT_CHECK(ready(id), "{} is read before it is computed", graph_->value(id).name);
  return places_[static_cast<size_t>(id)];
}

Place Lowering::place(ValueId id) {
  const Place& here = held(id);
  return here.grid || here.layout == Layout::ChannelsLast ? plain(id) : here;
}

void Lowering::add_copy(ValueId id, const Form& form, const Place& place) {
  copies_[form] = place;
  residents_[static_cast<size_t>(place.where.buffer)].push_back(id);
}

Place Lowering::plain(ValueId id) {
  const Place here = held(id);
  if (!here.grid && here.layout == Layout::Plain) return here;
  if (!here.grid && (here.layout == Layout::Blocked ? layouts_coincide(here.shape) : channels_last_coincides(here))) {
    Place alias = here;
    alias.layout = Layout::Plain;
    return alias;
  }
  const Form form = {id, false, Layout::Plain};
  if (const auto found = copies_.find(form); found != copies_.end()) return found->second;
  const Place copy = allocate(DType::Float, here.shape, Layout::Plain);
  add_copy(id, form, copy);
  const std::string& name = graph_->value(id).name;
  if (here.grid) {
    add_dequantize(*this, name, here, copy);
  } else if (here.layout == Layout::ChannelsLast) {
    add_planes(*this, name, here, copy);
  } else {
    add_reorder(*this, name, here, copy);
  }
  return copy;
}

Place Lowering::blocked(ValueId id) {
  const Place here = held(id);
  if (!here.grid && here.layout == Layout::Blocked) return here;
  if (!here.grid && here.where.buffer < 0) {
    Place copy = here;
    copy.layout = Layout::Blocked;
    copy.where = {-1, blocked_copy(here), 0};
    return copy;
  }
  const Form form = {id, false, Layout::Blocked};
  if (const auto found = copies_.find(form); found != copies_.end()) return found->second;
  const bool from_codes = here.grid && here.layout == Layout::ChannelsLast;
  const Place source = from_codes ? here : plain(id);
  const Place copy = allocate(DType::Float, here.shape, Layout::Blocked);
  add_copy(id, form, copy);
  const std::string& name = graph_->value(id).name;
  if (from_codes) {
    add_dequantize(*this, name, source, copy);
  } else {
    add_reorder(*this, name, source, copy);
  }
  return copy;
}

Place Lowering::codes(ValueId id, Layout layout) {
  const Place here = held(id);
  if (here.grid && here.layout == layout) return here;
  if (here.grid && channels_last_coincides(here)) {
    Place alias = here;
    alias.layout = layout;
    alias.pixel_stride = channels_of(here.shape).c * code_bytes(*here.grid);
    return alias;
  }
  const Form form = {id, true, layout};
  if (const auto found = copies_.find(form); found != copies_.end()) return found->second;
  if (constant(id) != nullptr) return copies_[form] = constant_codes(id, layout);
  const Place copy = allocate_codes(here.shape, *grid(id), layout);
  add_copy(id, form, copy);
  const std::string& name = graph_->value(id).name;
  if (here.grid) {
    add_code_transpose(*this, name, here, copy);
  } else {
    add_quantize(*this, name, layout == Layout::Plain ? plain(id) : here, copy);
  }
  return copy;
}

Place Lowering::constant_codes(ValueId id, Layout layout) {
  Place place = allocate_codes(*float_shape(id), *grid(id), layout);
  // Constants live beside the arena; the buffer stays unused.
  place.where = {
      -1, stored_constant(quantize(*constant(id), encodings_.find(graph_->value(id).name)->second.params), place), 0};
  return place;
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

Place Lowering::allocate_codes(const Shape& shape, const Grid& grid, Layout layout) {
  HT_CHECK(layout == Layout::Plain || (layout == Layout::ChannelsLast && grid.dtype != DType::Bit),
           "no layout of codes");
  Place place{stored_type(grid), shape, layout, {}, -1, grid, 0};
  if (layout == Layout::ChannelsLast) place.pixel_stride = channels_of(shape).c * code_bytes(grid);
  place.where.buffer = add_buffer(stored_bytes(place));
  return place;
}

Place Lowering::allocate_slot(DType dtype) {
  Place place;
  place.dtype = dtype;
  place.slot = program_.slot_count++;
  return place;
}

void Lowering::define(ValueId id, Place place) {
  if (id == ValueId::None) return;
  if (!program_.notes.empty()) note().layout = name_of(place.layout);
  places_[static_cast<size_t>(id)] = std::move(place);
  const int buffer = places_[static_cast<size_t>(id)].where.buffer;
  if (buffer >= 0) residents_[static_cast<size_t>(buffer)].push_back(id);
  round(id);
  tap(id);
}

void Lowering::round(ValueId id) {
  const auto found = encodings_.find(graph_->value(id).name);
  Place& here = places_[static_cast<size_t>(id)];
  // Where all readers take codes, those are made of the value as it is.
  if (found == encodings_.end() || here.grid || !needs_float(id)) return;
  if (here.dtype != DType::Float || here.slot >= 0) {
    fail(ErrorCode::Unsupported, graph_->value(id).name, "an encoding needs a float value of known shape");
  }
  const std::string& name = graph_->value(id).name;
  const QuantParams& params = found->second.params;
  Place rounded = here;
  if (!params.per_tensor() && here.layout != Layout::Plain) {
    // Scales along an axis are for the plain order only.
    rounded = allocate(here.dtype, here.shape, Layout::Plain);
    residents_[static_cast<size_t>(rounded.where.buffer)].push_back(id);
    (here.layout == Layout::ChannelsLast ? add_planes : add_reorder)(*this, name, here, rounded);
    here = rounded;
  }
  // Another value in the same memory keeps its own content while somebody has yet to read it.
  if (here.where.buffer < 0 || !last_use(here, position_, id)) {
    rounded = allocate(here.dtype, here.shape, here.layout);
    residents_[static_cast<size_t>(rounded.where.buffer)].push_back(id);
  }
  add_rounding(*this, name, here, rounded, params);
  here = rounded;
}

void Lowering::tap(ValueId id) {
  const std::string& name = graph_->value(id).name;
  if (!options_.taps.contains(name)) return;
  const bool as_codes = options_.tap_codes && grid(id);
  const Place content = as_codes ? codes(id, Layout::Plain) : plain(id);
  Step step{name + " tap", 1, [name, content](RunMemory& memory) -> Step::Work {
              return [&memory, name, content](int) {
                if (memory.tap == nullptr || !*memory.tap) return;
                (*memory.tap)(name, content.grid ? codes_at(memory, content) : tensor_at(memory, content));
              };
            }};
  add_step(std::move(step), {content.where});
}

}  // namespace halftone::runtime
