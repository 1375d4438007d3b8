// Operators of the domain "halftone": how files hold codes for which ONNX has no type. Each is a function in ONNX's own
// operators, which the file carries along, so that other runtimes compute it. docs/onnx.md describes them.
#pragma once

#include <cstdint>
#include <string_view>

#include "halftone/graph/graph.h"

namespace halftone {

inline constexpr std::string_view kPackedDomain = "halftone";
inline constexpr int64_t kPackedVersion = 1;    // of the domain's operator set
inline constexpr int64_t kPackedMinOpset = 15;  // of ONNX's own, for the functions
inline constexpr int64_t kPackedMinIr = 8;      // the first with functions
inline constexpr int64_t kMaxBitPlanes = 16;

// UnpackBits(planes: uint8 [bits, ceil(n / 8)], shape: int64 [rank], low: T) -> codes: T [shape]
// Bit i % 8 of byte i / 8 of plane k is bit k of (code of element i, row-major, minus low). T: int8, uint8, int16,
// uint16.
inline constexpr std::string_view kUnpackBits = "UnpackBits";

// DequantizeLevels(codes: T, scale: float [] or [C], levels: float [K] or [C, K], axis: int64 []) -> float
// scale * levels[code], scale and levels being those of the element's channel along the axis where there are C.
inline constexpr std::string_view kDequantizeLevels = "DequantizeLevels";

bool is_packed_op(const Node& node, std::string_view op);

// Gives the graph the functions that its nodes call, and takes away those that nothing in it can call any more.
void update_packed_functions(Graph& graph);

}  // namespace halftone
