// Reading operators' parameters: numbers that are attributes in one opset and inputs in another, axes, indices.
#pragma once

#include <string_view>
#include <vector>

#include "halftone/sim/interpreter.h"

namespace halftone::sim::ops {

// The elements of an integer input. Errors: Error{InvalidModel} when it is left out or no integer tensor.
std::vector<int64_t> integers(const OpCall& call, size_t input);

// The attribute before opset `since`, input `input` from then on; `fallback` where it is left out.
std::vector<int64_t> attribute_or_input(const OpCall& call, std::string_view attribute, size_t input, int64_t since,
                                        std::vector<int64_t> fallback);

// The only element of an integer input, or `fallback` where it is left out.
int64_t integer_or(const OpCall& call, size_t input, int64_t fallback);

// Axes counted from the front. Errors: Error{InvalidModel} for one outside [-rank, rank) or named twice.
std::vector<int64_t> normalize_axes(const OpCall& call, std::vector<int64_t> axes, int64_t rank);

// i counted from the front. Errors: Error{InvalidModel} outside [-count, count).
int64_t normalize_index(const OpCall& call, int64_t i, int64_t count);

}  // namespace halftone::sim::ops
