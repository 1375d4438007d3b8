#include <cstring>
#include <map>

#include "halftone/runtime/lowering.h"
#include "halftone/runtime/split.h"
#include "halftone/runtime/strided_copy.h"

namespace halftone::runtime {
namespace {

// A node as boxes from its inputs to its outputs.
struct Move {
  struct Item {
    size_t input, output;
    Box box;
  };
  std::vector<Item> items;
  bool keeps_channels = true;  // axis 1 stays axis 1, so that the Blocked layout can stay too
  bool fills = false;          // elements outside the boxes hold `fill`
  float fill = 0;
};

Shape shape_of(const Lowering& lowering, ValueId id) { return *lowering.type(id).fixed_shape(); }

std::optional<std::vector<int64_t>> integers(const Lowering& lowering, const Node& node, size_t input) {
  const Tensor* constant = lowering.constant(node.input(input));
  if (constant == nullptr) return std::nullopt;
  return to_vector<int64_t>(*constant);
}

std::string concat(const Lowering& lowering, const Node& node, Move& move) {
  const auto rank = static_cast<int64_t>(shape_of(lowering, node.outputs[0]).size());
  const auto axis = static_cast<size_t>(normalize_axis(node.int_or("axis", 0), rank));
  int64_t at = 0;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    Box box = whole_box(shape_of(lowering, node.inputs[i]));
    box.to_start[axis] = at;
    at += box.extent[axis];
    move.items.push_back({i, 0, std::move(box)});
  }
  return "";
}

std::string split(const Lowering& lowering, const Node& node, Move& move) {
  const auto rank = static_cast<int64_t>(shape_of(lowering, node.inputs[0]).size());
  const auto axis = static_cast<size_t>(normalize_axis(node.int_or("axis", 0), rank));
  int64_t at = 0;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    Box box = whole_box(shape_of(lowering, node.outputs[i]));
    box.from_start[axis] = at;
    at += box.extent[axis];
    move.items.push_back({0, i, std::move(box)});
  }
  return "";
}

std::string slice(const Lowering& lowering, const Node& node, Move& move) {
  const Shape x = shape_of(lowering, node.inputs[0]), y = shape_of(lowering, node.outputs[0]);
  std::optional<std::vector<int64_t>> starts, axes, steps;
  if (lowering.graph().opset() < 10) {
    starts = node.ints_or("starts", {});
    axes = node.ints_or("axes", {});
    if (axes->empty()) axes.reset();
  } else {
    starts = integers(lowering, node, 1);
    axes = integers(lowering, node, 3);
    steps = integers(lowering, node, 4);
    const bool unknown =
        !starts || (!axes && node.input(3) != ValueId::None) || (!steps && node.input(4) != ValueId::None);
    if (unknown) return "the bounds are not constant";
  }
  Box box = whole_box(y);
  for (size_t i = 0; i < starts->size(); ++i) {
    const auto axis = static_cast<size_t>(
        normalize_axis(axes ? (*axes)[i] : static_cast<int64_t>(i), static_cast<int64_t>(x.size())));
    const int64_t step = steps ? (*steps)[i] : 1;
    const int64_t start = (*starts)[i] < 0 ? (*starts)[i] + x[axis] : (*starts)[i];
    box.from_start[axis] = std::clamp<int64_t>(start, 0, step > 0 ? x[axis] : x[axis] - 1);
    box.from_step[axis] = step;
  }
  move.items.push_back({0, 0, std::move(box)});
  return "";
}

std::string pad(const Lowering& lowering, const Node& node, Move& move) {
  if (node.string_or("mode", "constant") != "constant") return "not constant padding";
  const Shape x = shape_of(lowering, node.inputs[0]);
  std::vector<int64_t> pads = node.ints_or("pads", {});
  move.fill = node.float_or("value", 0.0f);
  if (lowering.graph().opset() >= 11) {
    const std::optional<std::vector<int64_t>> given = integers(lowering, node, 1);
    if (!given || node.input(3) != ValueId::None) return "the padding is not constant, or for some axes only";
    pads = *given;
    if (node.input(2) != ValueId::None) {
      const Tensor* value = lowering.constant(node.inputs[2]);
      if (value == nullptr || value->dtype() != DType::Float) return "the value is not a constant float";
      move.fill = value->data<float>()[0];
    }
  }
  if (lowering.type(node.inputs[0]).dtype != DType::Float) return "not float";
  Box box = whole_box(x);
  if (pads.size() != 2 * x.size()) return "the padding does not fit the rank";
  for (size_t axis = 0; axis < x.size(); ++axis) {
    if (pads[axis] < 0 || pads[x.size() + axis] < 0) return "negative padding";
    box.to_start[axis] = pads[axis];
  }
  move.fills = true;
  move.items.push_back({0, 0, std::move(box)});
  return "";
}

std::string transpose(const Lowering& lowering, const Node& node, Move& move) {
  const Shape x = shape_of(lowering, node.inputs[0]);
  std::vector<int64_t> reversed;
  for (size_t i = x.size(); i-- > 0;) reversed.push_back(static_cast<int64_t>(i));
  const std::vector<int64_t> perm = node.ints_or("perm", reversed);
  Box box = whole_box(x);
  for (size_t i = 0; i < perm.size(); ++i) box.to_axis[static_cast<size_t>(perm[i])] = static_cast<int64_t>(i);
  move.keeps_channels = false;
  move.items.push_back({0, 0, std::move(box)});
  return "";
}

using MoveFunction = std::string (*)(const Lowering&, const Node&, Move&);

MoveFunction function_of(const Node& node) {
  static const std::map<std::string_view, MoveFunction> table = {
      {"Concat", concat}, {"Split", split}, {"Slice", slice}, {"Pad", pad}, {"Transpose", transpose}};
  const auto found = table.find(node.op_type);
  return node.domain.empty() && found != table.end() ? found->second : nullptr;
}

// Inputs that may be data, and outputs, have fixed shapes and whole bytes.
bool is_movable(const Lowering& lowering, ValueId id) {
  if (id == ValueId::None) return false;
  const TensorType& type = lowering.type(id);
  const int bits = bits_of(type.dtype);
  return type.fixed_shape() && (bits == 8 || bits == 16 || bits == 32 || bits == 64) &&
         (!lowering.ready(id) || lowering.held(id).slot < 0);
}

// Something that fills a whole place with one number: what the boxes leave out, and the padding of blocks.
void fill(std::byte* to, const Place& place, float value) {
  std::fill_n(reinterpret_cast<float*>(to), stored_elements(place.shape, place.layout), value);
}

}  // namespace

std::string lower_move(Lowering& lowering) {
  const Node& node = lowering.node();
  const MoveFunction function = function_of(node);
  if (function == nullptr) return "no move";
  const size_t data_inputs = node.is("Concat") ? node.inputs.size() : 1;
  for (size_t i = 0; i < data_inputs; ++i) {
    if (!is_movable(lowering, node.input(i))) return "an operand of unknown shape";
  }
  for (ValueId id : node.outputs) {
    if (!is_movable(lowering, id)) return "a result of unknown shape";
  }
  Move move;
  if (std::string reason = function(lowering, node, move); !reason.empty()) return reason;

  bool blocked = move.keeps_channels;
  for (size_t i = 0; i < data_inputs; ++i) {
    const Place& place = lowering.place(node.inputs[i]);
    blocked = blocked && place.layout == Layout::Blocked && place.shape.size() >= 3;
  }
  struct Job {
    Place from, to;
    std::vector<StridedCopy> copies;
  };
  std::vector<Place> outputs;
  for (ValueId id : node.outputs) {
    outputs.push_back(
        lowering.allocate(lowering.type(id).dtype, shape_of(lowering, id), blocked ? Layout::Blocked : Layout::Plain));
  }
  const auto jobs = std::make_shared<std::vector<Job>>();
  std::vector<Operand> touched;
  int64_t elements = 0;
  for (const Move::Item& item : move.items) {
    const Place& from = lowering.place(node.inputs[item.input]);
    const Place& to = outputs[item.output];
    jobs->push_back({from, to, copies_of(item.box, from, to)});
    touched.push_back(from.where);
    elements += stored_elements(to.shape, to.layout);
  }
  for (const Place& place : outputs) touched.push_back(place.where);
  const bool fills = move.fills || blocked;
  const size_t size = static_cast<size_t>(bits_of(outputs[0].dtype)) / 8;
  // A fill comes before the copies, so filled moves are one part.
  const int parts = fills ? 1 : split_range(elements, lowering.threads(), kEltwiseGrain).parts();
  Step step{describe(lowering.graph(), node), parts, nullptr};
  step.bind = [jobs, outputs, fills, size, parts, value = move.fill](RunMemory& memory) -> Step::Work {
    return [jobs, outputs, fills, size, parts, value, &memory](int part) {
      if (fills) {
        for (const Place& place : outputs) fill(memory.at(place.where), place, value);
      }
      for (const Job& job : *jobs) {
        const std::byte* from = memory.at(job.from.where);
        std::byte* to = memory.at(job.to.where);
        for (const StridedCopy& copy : job.copies) {
          const Split share{copy.dims[0], 1, parts};
          run_copy(copy, from, to, size, share.begin(part), share.end(part));
        }
      }
    };
  };
  lowering.add_step(std::move(step), touched);
  for (size_t i = 0; i < outputs.size(); ++i) lowering.define(node.outputs[i], outputs[i]);
  return "";
}

}  // namespace halftone::runtime
