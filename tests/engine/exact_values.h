// The engine held against the interpreter, code by code.
#pragma once

#include <set>
#include <string>

#include "halftone/quant/encodings.h"
#include "halftone/runtime/session.h"

namespace halftone::test {

// Every value of the network on a grid that fits what it holds for these inputs: mostly of 8 bits, signed and unsigned,
// some of 4 or 16; weights per channel and per tensor; some values in front of an activation and a few others are left
// real. Deterministic in `seed`.
QuantizedModel quantize_at_random(const Graph& graph, const TensorMap& inputs, uint64_t seed);

// What the interpreter computes: codes of the values that have an encoding, and all real values.
struct Reference {
  TensorMap codes, reals;
};
Reference run_reference(const QuantizedModel& model, RequantizeMode mode, const TensorMap& inputs);

// Names of the values that no float arithmetic stands before: network inputs, and what nodes of the integer
// plan make of such values. Of these the engine owes every bit.
std::set<std::string> exact_values(const QuantizedModel& model, RequantizeMode mode);

// Runs the model and compares every exact value, each difference is a failure. Returns how many codes were compared.
int64_t expect_exact(const QuantizedModel& model, const Reference& reference, const std::set<std::string>& exact,
                     const TensorMap& inputs, RequantizeMode mode, int threads);

}  // namespace halftone::test
