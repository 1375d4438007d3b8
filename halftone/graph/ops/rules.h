// The shape rules of ops.def, and what they share. Internal to the room graph.
//
// A rule throws for contradictions and otherwise says as much as it knows: an output it can't say anything about stays
// Undefined and unranked, an extent it can't say anything about becomes Dim{}.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "halftone/graph/op_table.h"

namespace halftone::rules {

#define HT_OP(name, min_inputs, max_inputs, min_outputs, max_outputs, rule) void rule(InferContext&);
#include "halftone/graph/ops.def"
#undef HT_OP

using Dims = std::vector<Dim>;

// The dimensions of input i, or nullptr when it is left out or unranked.
const Dims* dims_of(const InferContext& ctx, size_t i);
DType dtype_of_input(const InferContext& ctx, size_t i);

// Refuses unless input i, where ranked, has one of the ranks.
void require_rank(const InferContext& ctx, size_t i, int64_t lowest, int64_t highest);
// Refuses when the two inputs' element types are known and differ.
void require_same_dtype(const InferContext& ctx, size_t i, size_t j);

// --- numbers; all refuse what exceeds 63 bits
int64_t add_checked(const InferContext& ctx, int64_t a, int64_t b);
int64_t multiply_checked(const InferContext& ctx, int64_t a, int64_t b);
// Rounding toward minus infinity; divisor > 0.
int64_t floor_div(int64_t dividend, int64_t divisor);

// --- extents
// a * b: a symbol times 1 stays the symbol, anything times 0 is 0, otherwise unknown unless both are known.
Dim multiply(const InferContext& ctx, const Dim& a, const Dim& b);
Dim product(const InferContext& ctx, std::span<const Dim> dims);
Dim add(const InferContext& ctx, const Dim& a, const Dim& b);
// Whichever says more; nullopt when both are numbers and differ.
std::optional<Dim> unified(const Dim& a, const Dim& b);
// The same; refuses with `what` ("the channels of input 0 and input 1") instead of nullopt.
Dim unify(const InferContext& ctx, const Dim& a, const Dim& b, std::string_view what);
// The extent of a broadcast of both, which refuses known ones that differ and are not 1.
Dims broadcast(const InferContext& ctx, const Dims& a, const Dims& b);
// As a numpy broadcast of all inputs' shapes; nullopt when one is unranked.
std::optional<Dims> broadcast_inputs(const InferContext& ctx, size_t first, size_t count);

// --- axes and lists
// `axis` counted from the front; refuses outside [-rank, rank).
size_t axis_in(const InferContext& ctx, int64_t axis, int64_t rank);
// All of them, counted from the front; refuses duplicates.
std::vector<size_t> axes_in(const InferContext& ctx, const std::vector<int64_t>& axes, int64_t rank);
// A list that is an attribute in older opsets and input i in newer ones.
struct ListOperand {
  bool present = false;                      // false: left out, the operator's default applies
  std::optional<std::vector<int64_t>> list;  // nullopt while present: decided only in a run
};
ListOperand list_operand(const InferContext& ctx, std::string_view attribute, size_t i);
// Every element of input i as a number, or nullopt.
std::optional<std::vector<int64_t>> known_integers(const InferContext& ctx, size_t i);
// Copies what is known about input 0's content to output 0: for operators that only change its shape.
void pass_content(InferContext& ctx);

// The type of an output whose shape may be unknown.
TensorType typed(DType dtype, std::optional<Dims> dims = std::nullopt);
// The extent that an element of a shape stands for; unknown for a negative number.
Dim as_dim(const SymbolicInt& element);
inline Dims unknown_dims(size_t rank) { return Dims(rank); }

}  // namespace halftone::rules
