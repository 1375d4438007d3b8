// The room `quant`: how real numbers map to integers. Specs, parameters, encodings, observers, recipes. It sees graph.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/tensor/tensor.h"

namespace halftone {

// How many elements share a scale: all of them, a slice of the channel axis, a run of `block_size` elements along an
// axis, or `group_size` neighbouring slices of the channel axis.
enum class Granularity { PerTensor, PerChannel, PerBlock, PerGroup };

// What somebody asked for: a grid and how to find its range, before any data was seen.
struct QuantSpec {
  int bits = 8;               // 1..16 (32 for biases)
  bool is_signed = false;     // int8 or uint8
  bool symmetric = false;     // the range is centred: zero point 0 (signed) or 2^(bits-1) (unsigned)
  bool narrow_range = false;  // signed, symmetric: leave out the lowest code, so that -q is a code when q is
  Granularity granularity = Granularity::PerTensor;
  int64_t block_size = 0;                 // PerBlock: elements along the reduction axis that share a scale
  std::string observer = "min_max";       // as make_observer reads it
  int64_t group_size = 0;                 // PerGroup: channels that share a scale; stored as equal scales per channel
  std::string grid = "affine";            // where the representable numbers lie: a name of grids.def
  std::string rounding = "nearest_even";  // which of them a number becomes: as make_rounding reads it

  bool operator==(const QuantSpec&) const = default;
};

// "int8", "uint4" ... (1 to 16 bits) as recipes and the command line write it. Errors: Error{InvalidArgument} for an
// unknown word, with the nearest known one.
QuantSpec parse_quant_type(std::string_view text);
std::string type_name(const QuantSpec& spec);

// Takes "per_tensor", "per_channel", "per_group:CHANNELS" or "per_block:ELEMENTS" into the spec. Errors:
// Error{InvalidArgument} for another word, with the nearest known one, and for a size that is no positive number.
void parse_granularity(std::string_view text, QuantSpec& spec);

// A grid: real = scale * (q - zero_point), q in [q_min, q_max]; with `levels`, real = scale * levels[q].
struct QuantParams {
  DType dtype = DType::UInt8;       // storage type of the codes
  int64_t q_min = 0, q_max = 255;   // codes in use (narrow range leaves the lowest out)
  std::vector<float> scale;         // 1, or one per channel, or (blocks) channels x blocks in the tensor's own order
  std::vector<int32_t> zero_point;  // as many as scales
  int64_t axis = -1;                // PerChannel, PerGroup, PerBlock: the tensor's axis; -1 for PerTensor
  int64_t block_size = 0;           // PerBlock: elements along `axis` per scale
  // Weights whose grid is not evenly spaced: K ascending numbers for all scales, or K for each of them in turn. Codes
  // are positions in the list: [0, K - 1], unsigned, with zero points 0. Empty: the grid is affine.
  std::vector<float> levels = {};
  // PerChannel, affine: how many bits each channel uses, its codes being [-(2^(b-1) - 1), 2^(b-1) - 1] of a signed type
  // or [0, 2^b - 1] of an unsigned one; with 0 bits every element is 0. Empty: all use [q_min, q_max].
  std::vector<int8_t> channel_bits = {};

  bool per_tensor() const { return axis < 0; }
  bool operator==(const QuantParams&) const = default;
};

// The codes that a channel uses by its entry in `channel_bits`; q_min to q_max where there are none.
struct CodeRange {
  int64_t low, high;
};
CodeRange channel_codes(const QuantParams& params, size_t channel);

// The narrowest type that holds codes of so many bits (1 to 16; 32 signed). Errors: Error{InvalidArgument}.
DType storage_type(int bits, bool is_signed);
// How many bits the codes [q_min, q_max] take, in two's complement where their type is signed.
int code_bits(const QuantParams& params);

// The grid that `spec` lays over [low, high] (each of one or of many channels). The range is first extended to contain
// 0, which becomes exactly representable.
//   asymmetric: scale = (high - low) / (q_max - q_min), zero_point = clamp(round_half_even(q_min - low / scale))
//   symmetric:  scale = max(-low, high) / q_max
// A range of zero width gives scale 1. Grids other than the affine one are laid over the range alone; grid_of_weights
// knows the numbers as well. Errors: Error{NumericRange} for NaN or infinite bounds; Error{InvalidArgument} for a spec
// that check_spec refuses and for a grid that can't be had from a range.
QuantParams choose_params(const QuantSpec& spec, const std::vector<float>& low, const std::vector<float>& high,
                          int64_t axis = -1);

// clamp(round_half_even(x / scale) + zero_point, q_min, q_max) in float32, as ONNX's QuantizeLinear; NaN gives
// zero_point. Deterministic on every machine.
int32_t quantize(float x, float scale, int32_t zero_point, int64_t q_min, int64_t q_max);
// scale * (q - zero_point) in float32.
float dequantize(int32_t q, float scale, int32_t zero_point);

// A whole float tensor to codes (of params.dtype) and back. Errors: Error{InvalidArgument} when scales and shape
// disagree.
Tensor quantize(const Tensor& real, const QuantParams& params);
Tensor dequantize(const Tensor& codes, const QuantParams& params);
// dequantize(quantize(x)) without the codes in between.
Tensor fake_quantize(const Tensor& real, const QuantParams& params);

// Checks what somebody may ask for that can't be: widths that the grid has no form for, sizes of groups and blocks,
// words that don't go together. Errors: Error{InvalidArgument} that names both.
void check_spec(const QuantSpec& spec);

// Checks what a file may get wrong: scales positive, finite and normal; zero points within the type; counts that match
// `shape`; levels finite and ascending; widths of channels within the type. Errors: Error{InvalidModel} at `where`.
void check_params(const QuantParams& params, const Shape& shape, std::string_view where);

}  // namespace halftone
