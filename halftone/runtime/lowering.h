// Lowers a network to a Program: every node is offered to the rules of a list, the first that accepts it wins. Nodes of
// the integer plan go by integer_lowerings.def, all others by lowerings.def.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "halftone/graph/op_table.h"
#include "halftone/kernels/kernel.h"
#include "halftone/runtime/constant_store.h"
#include "halftone/runtime/freeze.h"
#include "halftone/runtime/layout.h"
#include "halftone/runtime/memory_plan.h"
#include "halftone/runtime/program.h"
#include "halftone/transform/pass.h"

namespace halftone::runtime {

using ValueNames = transform::KeepNames;

// What lowering needs to know besides the network.
struct LoweringOptions {
  ValueNames taps;
  bool tap_codes = false;
  int threads = 1;
};

// What a rule works with: the network with all shapes known as far as they can be, what has been lowered so far, and
// the program under construction. Nodes are lowered in order.
class Lowering {
 public:
  Lowering(const FrozenModel& frozen, Graph shaped, const LoweringOptions& options, ConstantStore& constants);

  const Graph& graph() const { return *graph_; }
  const GraphIndex& index() const { return index_; }
  int threads() const { return options_.threads; }

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
  // The grid of a value that may be held as codes: one for the whole tensor, of at most 16 bits; or nullopt.
  std::optional<Grid> grid(ValueId id) const;
  // The value as it lies, as floats (or indices, masks ...) or as codes.
  const Place& held(ValueId id) const;
  // The value as it lies, when that is Plain or Blocked; else as Plain floats.
  Place place(ValueId id);
  // The value as floats in a layout; a step that makes them is added the first time they are asked for.
  Place plain(ValueId id);
  Place blocked(ValueId id);
  // The value as codes of its grid, in the same way. Single bits are Plain only.
  Place codes(ValueId id, Layout layout);
  // True when the memory may be overwritten: of all nodes still to be lowered, this one included, only the one at
  // position `by` reads a value other than `except` that lies in it.
  bool last_use(const Place& at, int by, ValueId except = ValueId::None) const;

  // --- nodes
  // Position of the node being lowered, and the node.
  int position() const { return position_; }
  const Node& node() const { return graph_->nodes()[static_cast<size_t>(position_)]; }
  // The node's integer arithmetic; only rules of integer_lowerings.def may ask.
  const IntegerNode& integers() const;
  // Position of the activation that is absorbed in the node's integer arithmetic, or -1.
  int absorbed_activation() const;
  // Why the plan left the node in float, or "".
  std::string float_reason() const;

  // --- building
  // A new place for a value of `shape`: floats (or whatever `dtype` says), or codes.
  Place allocate(DType dtype, const Shape& shape, Layout layout);
  Place allocate_codes(const Shape& shape, const Grid& grid, Layout layout);
  // A place without fixed size.
  Place allocate_slot(DType dtype);
  int add_buffer(size_t bytes);
  // Constants of kernels (packed weights, tables) of the node being lowered: bytes() bytes at an address that is a
  // multiple of 64, filled once and shared by all programs of the store. `name` tells apart what a node has several of,
  // and must say all that the content depends on besides the node: the kernel, for one.
  template <typename Bytes, typename Fill>
  Operand constant_blob(const std::string& name, const Bytes& bytes, const Fill& fill) {
    return {-1, constants_.find_or_add(blob_key(name), bytes, fill), 0};
  }
  // Adds a step that touches these operands.
  void add_step(Step step, const std::vector<Operand>& touched);
  // Says where a node's output lies. The value's rounding and tap follow by themselves.
  void define(ValueId id, Place place);
  // Says that the node at `position` was lowered together with an earlier one.
  void absorb(int position);
  // What is noted of the node being lowered; rules add the kernel and what it was chosen over.
  NodeNote& note() { return program_.notes.back(); }
  template <typename Kernel>
  void note_choice(const kernels::Choice<Kernel>& choice) {
    note().kernel = choice.kernel->name;
    note().isa = name_of(choice.kernel->isa);
    for (const kernels::Refusal& refusal : choice.refusals) {
      note().refusals.push_back(std::string(refusal.kernel) + ": " + refusal.reason);
    }
  }

  std::shared_ptr<const Program> finish();

 private:
  // A value in another form than its own: as codes or not, and the layout.
  using Form = std::tuple<ValueId, bool, Layout>;

  void find_integer_nodes();
  void lower_inputs();
  void lower_input(ValueId id);
  void lower_output(ValueId id);
  void lower_node();
  void round(ValueId id);
  void tap(ValueId id);
  std::string key() const;
  std::string blob_key(const std::string& name) const;
  bool reads_codes(int position, ValueId id) const;
  bool needs_float(ValueId id) const;
  bool unread(int position) const;
  // A new copy of the value that lies in `place`, which `convert` is about to fill.
  void add_copy(ValueId id, const Form& form, const Place& place);
  Place constant_codes(ValueId id, Layout layout);

  const FrozenModel& frozen_;
  std::shared_ptr<const Graph> graph_;
  const Encodings& encodings_;
  const LoweringOptions& options_;
  ConstantStore& constants_;
  GraphIndex index_;
  int position_ = -1;
  std::vector<bool> absorbed_;
  std::vector<const IntegerNode*> integers_;     // by position; nullptr: float
  std::vector<Place> places_;                    // by value; Undefined until ready
  std::map<Form, Place> copies_;                 // the value in another form than its own
  std::vector<std::vector<ValueId>> residents_;  // by buffer: the values that lie in it
  std::vector<BufferLife> buffers_;
  Program program_;
};

// A rule: lowers the node and returns "", or says why it can't (having added nothing).
using LoweringRule = std::string (*)(Lowering&);

#define HT_LOWERING(name, summary) std::string lower_##name(Lowering& lowering);
#include "halftone/runtime/lowerings.def"
#undef HT_LOWERING
#define HT_INTEGER_LOWERING(name, summary) std::string lower_integer_##name(Lowering& lowering);
#include "halftone/runtime/integer_lowerings.def"
#undef HT_INTEGER_LOWERING

// `input_shapes` by input name. Errors: Error{InvalidModel, Unsupported} naming the node.
std::shared_ptr<const Program> lower(const FrozenModel& frozen, const std::map<std::string, Shape>& input_shapes,
                                     const LoweringOptions& options, ConstantStore& constants);

}  // namespace halftone::runtime
