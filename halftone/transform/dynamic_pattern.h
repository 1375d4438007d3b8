// The nodes that say "rounded to grids found at run time" in files. Internal to fold_dynamic.
#pragma once

#include <optional>

#include "halftone/graph/graph.h"
#include "halftone/quant/encodings.h"

namespace halftone::dynamic_pattern {

// An activation in codes.
struct Source {
  ValueId real = ValueId::None;   // what is rounded
  ValueId scale = ValueId::None;  // float: one number, or one per row
  ValueId zero = ValueId::None;   // PerTensor: uint8, an operand of the product; PerRow: float, taken off afterwards
  DynamicRange range = DynamicRange::PerTensor;
};

// Looks through a graph; `graph` and `index` must outlive it.
class Matcher {
 public:
  Matcher(const Graph& graph, const GraphIndex& index) : graph_(graph), index_(index) {}

  // Where the codes come from: a DynamicQuantizeLinear whose zero point is `zero`, or what insert_dynamic writes for
  // rows (`zero` left out, or 0); nullopt otherwise.
  std::optional<Source> source(ValueId codes, ValueId zero) const;

  // The node that makes the value, if it is an `op` of ONNX's own domain; else nullptr.
  const Node* made_by(ValueId id, std::string_view op) const;
  // The only node that reads the value, likewise.
  const Node* read_by(ValueId id, std::string_view op) const;
  // The operand of a two-operand node that is not `id`, None where `id` is neither.
  static ValueId other(const Node& node, ValueId id);
  bool casts_to(const Node* node, DType dtype) const;

 private:
  std::optional<Source> rows(ValueId codes) const;
  bool is_number(ValueId id, float number) const;
  // The operand of op(x, number) or op(number, x).
  ValueId beside(ValueId result, std::string_view op, float number) const;
  // The operand of Clip(x, 0, 255).
  ValueId clipped(ValueId result) const;
  // Whether `id` is `op` of x over its last axis, which stays.
  bool reduces_rows(ValueId id, std::string_view op, ValueId x) const;

  const Graph& graph_;
  const GraphIndex& index_;
};

}  // namespace halftone::dynamic_pattern
