// Steps on codes that several rules need.
#pragma once

#include "halftone/kernels/lut/lut.h"
#include "halftone/runtime/codes.h"
#include "halftone/runtime/lowering.h"

namespace halftone::runtime {

// Bytes that are worth a second thread's attention.
inline constexpr int64_t kCodeGrain = 65536;

// The layout in which element-wise work takes a value: as it lies, or what suits its rank.
Layout natural_layout(const Lowering& lowering, ValueId id);

// Codes of the place looked up in a table, as codes of the grid `to` in the same layout: without a step where the table
// changes nothing, in place where nobody needs the old ones any more. The latter not for a node that may have the same
// operand twice (`by_itself` false).
Place add_table(Lowering& lowering, const Place& from, const Grid& to, const kernels::Table& table,
                bool by_itself = true);

// The table that brings codes of `from` to output `i` of a node of the form Move, with its bounds.
kernels::Table requantize_table(const IntegerNode& plan, const Grid& from, float multiplier, size_t output = 0);

// True when all operands and results of the node that are held as codes have at most 8 bits.
bool all_narrow(const IntegerNode& plan);

// True when an operand or the result of the node is held as single bits.
bool any_bits(const IntegerNode& plan);

// True when a product works on 16-bit codes: its activations or its result have more than 8 bits.
bool works_on_wide(const IntegerNode& plan);

// The bounds of an output as stored codes.
kernels::StoredGrid stored_bounds(const IntegerOutput& output);

// Defines the node's only result; the absorbed activation is absorbed.
void define_result(Lowering& lowering, const Place& place);

}  // namespace halftone::runtime
