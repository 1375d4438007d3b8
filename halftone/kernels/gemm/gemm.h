// Family `gemm`: sums of products of activations with int8 weights, and their step to codes or real numbers.
// Activations are stored codes of 8 bits, or, for kernels of their own, of 16 (kernel.h), of which `depth` counts two
// bytes each. One micro-kernel serves pointwise and dense convolutions, Gemm and MatMul, because the left operand is
// indirect: a row is `taps` pointers to `depth` codes each.
//
//   acc[r][c] = bias[c] + sum over t < taps, d < depth of (*(rows[r * taps + t] + d) - x_zero_point) * weights[c][t][d]
//             + row_terms[r] * column_terms[c]                                        (where these are given)
//   Codes:      to[r][c] = requantize(acc, multiplier[c]) in the problem's mode       uint8
//   WideCodes:  the same                                                              int16, of wide problems
//   Real:       to[r][c] = fl(fl(acc) * multiplier[c]), in both modes                     float32
//               to[r][c] = fl(fl(acc) * fl(row_scales[r] * multiplier[c]))                with row_scales
//
// Overflow: the caller has proved |acc| < 2^31 for every row (docs/quantization.md, section 3), so that int32 sums that
// wrap on the way still end right; kernels add in any order and fold x_zero_point into the bias.
// Left operand: any alignment; bytes up to the next multiple of 64 after `depth` may be read and must not be unmapped.
// Result: nothing outside the rows and columns asked for is written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "halftone/kernels/kernel.h"
#include "halftone/quant/requantize.h"

namespace halftone::kernels {

enum class GemmResult { Codes, WideCodes, Real };
inline constexpr int64_t bytes_of(GemmResult result) {
  return result == GemmResult::Real ? 4 : result == GemmResult::WideCodes ? 2 : 1;
}

// What is known when a Program is built. The pointers are read by refuse() and pack() only.
struct GemmProblem {
  int64_t columns = 0;  // output channels
  int64_t depth = 0;    // codes per tap
  int64_t taps = 1;
  int64_t rows = 0;  // how many a run will typically have; 0: not known. A hint, no limit
  RequantizeMode mode = RequantizeMode::Float;
  GemmResult result = GemmResult::Codes;
  bool wide = false;  // the left operand has 16 bits

  const int8_t* weights = nullptr;     // [columns][taps][depth]
  const int32_t* bias = nullptr;       // [columns], or null: none
  const float* multipliers = nullptr;  // [columns], or one for all; finite and positive
  bool multiplier_per_column = true;
  const int32_t* column_terms = nullptr;  // [columns], or null: runs give no row_terms

  int32_t x_zero_point = 0;                     // of the left operand, a stored code
  int32_t x_high = 255;                         // no byte of the left operand is larger; of wide ones not read
  int32_t zero_point = 0, low = 0, high = 255;  // of the result, stored codes, low <= high
};

// One call: some rows of one left operand, some column blocks.
struct GemmRun {
  const uint8_t* const* rows = nullptr;     // [row_count][taps]
  int64_t row_count = 0;                    // of any size
  int64_t first_block = 0, last_block = 0;  // column blocks [first, last) out of GemmKernel::column_blocks
  void* to = nullptr;                       // row 0, column 0 of the problem, whatever first_block is
  int64_t to_stride = 0;                    // bytes from row to row
  const int32_t* row_terms = nullptr;       // [row_count]; given exactly when the problem has column_terms
  const float* row_scales = nullptr;        // [row_count], or null; Real only
  std::byte* scratch = nullptr;             // GemmKernel::scratch_bytes, aligned to 64; contents don't matter
};

struct GemmKernel {
  std::string_view name;
  Isa isa;
  // "" or why this kernel can't (or shouldn't) do the problem.
  const char* (*refuse)(const GemmProblem& problem);
  // Size of the blob that pack() fills: relocatable, aligned to 64, all that run() needs to know. May depend on the
  // weights, and take about as long as packing: a few passes over them.
  size_t (*packed_bytes)(const GemmProblem& problem);
  void (*pack)(const GemmProblem& problem, std::byte* to);
  // Of a blob: the number of column blocks, the units in which columns can be cut; the first column of a block
  // (block == column_blocks: the number of columns); bytes of scratch that each thread's runs need.
  int64_t (*column_blocks)(const std::byte* packed);
  int64_t (*first_column)(const std::byte* packed, int64_t block);
  size_t (*scratch_bytes)(const std::byte* packed);
  // Rows that a run should have at least, and best a multiple of, to be fast.
  int64_t row_step;
  void (*run)(const std::byte* packed, const GemmRun& run);
  // What packing decided, for people; null: nothing.
  std::string (*describe)(const std::byte* packed) = nullptr;
};

// All kernels of kernels.def, most preferred first; and those of wide_kernels.def, for wide problems.
std::span<const GemmKernel> gemm_kernels();
std::span<const GemmKernel> wide_gemm_kernels();
// The first that runs here and accepts the problem, and why those before it in its list don't. The last always does.
Choice<GemmKernel> choose_gemm(const GemmProblem& problem);
// By name, for programs that were saved; null when there is none or this processor can't run it.
const GemmKernel* find_gemm(std::string_view name);

// The definition above in plain loops: the oracle of all kernels. Computes all columns; `first_block`, `last_block` and
// `scratch` of the run are not read.
void gemm_reference(const GemmProblem& problem, const GemmRun& run);

}  // namespace halftone::kernels
