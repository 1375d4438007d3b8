// Concrete shapes: every dimension known.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace halftone {

using Shape = std::vector<int64_t>;

// Product of the dimensions, 1 for a scalar. Errors: Error{InvalidModel} for a negative dimension or a product beyond
// 2^63.
int64_t element_count(const Shape& shape);

// Row-major strides in elements: strides[i] is the distance between neighbours along dimension i.
std::vector<int64_t> contiguous_strides(const Shape& shape);

// "[1, 3, 224, 224]".
std::string to_string(const Shape& shape);

// The numpy broadcast of two shapes. Errors: Error{InvalidModel} when a pair of dimensions is neither equal nor 1.
Shape broadcast(const Shape& a, const Shape& b);

// `axis` counted from the front: -1 is the last of `rank`. Errors: Error{InvalidModel} outside [-rank, rank).
int64_t normalize_axis(int64_t axis, int64_t rank);

}  // namespace halftone
