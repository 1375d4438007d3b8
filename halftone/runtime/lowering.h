// Lowers a network to a Program: every node is offered to the rules of lowerings.def, the first that accepts it wins.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/graph/op_table.h"
#include "halftone/runtime/layout.h"
#include "halftone/runtime/memory_plan.h"
#include "halftone/runtime/program.h"
#include "halftone/transform/pass.h"

namespace halftone::runtime {

using ValueNames = transform::KeepNames;

// What a rule works with: the network with all shapes known as far as they can be, what has been lowered so far, and
// the program under construction. Nodes are lowered in order.
class Lowering {
 public:
  Lowering(QuantizedModel model, const ValueNames& taps, int threads);

  const Graph& graph() const { return *graph_; }
  const GraphIndex& index() const { return index_; }
  int threads() const { return threads_; }

  // --- values
  const TensorType& type(ValueId id) const { return graph_->value(id).type; }
  // The shape, when all of it is known and the elements are floats.
  std::optional<Shape> float_shape(ValueId id) const;
  // The constant's content, or nullptr.
  const Tensor* constant(ValueId id) const;
  // True when the value has been computed at this point of the program.
  bool ready(ValueId id) const;
  // True when somebody besides the nodes sees the value, so that it must exist: a graph output, a value with an
  // encoding, a tap.
  bool observable(ValueId id) const;
  // The value as it lies.
  const Place& place(ValueId id) const;
  // The value in a layout; a reorder is added the first time it is asked for.
  Place plain(ValueId id);
  Place blocked(ValueId id);
  // True when the memory may be overwritten: of all nodes still to be lowered, this one included, only the one at
  // position `by` reads a value other than `except` that lies in it.
  bool last_use(const Place& at, int by, ValueId except = ValueId::None) const;

  // --- building
  // A new place for a value of `shape`.
  Place allocate(DType dtype, const Shape& shape, Layout layout);
  // A place without fixed size.
  Place allocate_slot(DType dtype);
  int add_buffer(size_t bytes);
  // Adds a step that touches these operands.
  void add_step(Step step, const std::vector<Operand>& touched);
  // Says where a node's output lies. The value's rounding and tap follow by themselves.
  void define(ValueId id, Place place);
  // Says that the node at `position` was lowered together with an earlier one.
  void absorb(int position) { absorbed_[static_cast<size_t>(position)] = true; }

  // Position of the node being lowered, and the node.
  int position() const { return position_; }
  const Node& node() const { return graph_->nodes()[static_cast<size_t>(position_)]; }

  std::shared_ptr<const Program> finish();

 private:
  void lower_inputs();
  void lower_node();
  void round(ValueId id);
  void tap(ValueId id);

  std::shared_ptr<const Graph> graph_;
  Encodings encodings_;
  const ValueNames& taps_;
  int threads_;
  GraphIndex index_;
  int position_ = -1;
  std::vector<bool> absorbed_;
  std::vector<Place> places_;                           // by value; Undefined until ready
  std::map<std::pair<ValueId, Layout>, Place> copies_;  // the value in another layout than its own
  std::vector<std::vector<ValueId>> residents_;         // by buffer: the values that lie in it
  std::vector<BufferLife> buffers_;
  Program program_;
};

// A rule of lowerings.def: lowers the node and returns "", or says why it can't (having added nothing).
using LoweringRule = std::string (*)(Lowering&);

#define HT_LOWERING(name, summary) std::string lower_##name(Lowering& lowering);
#include "halftone/runtime/lowerings.def"
#undef HT_LOWERING

// `input_shapes` by input name. Errors: Error{InvalidModel, Unsupported} naming the node.
std::shared_ptr<const Program> lower(const QuantizedModel& model, const std::map<std::string, Shape>& input_shapes,
                                     const ValueNames& taps, int threads);

}  // namespace halftone::runtime
