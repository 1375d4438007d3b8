// Products of two matrices of activations, both in codes (MatMul without constant operands: attention).
//
//   acc[r][c] = sum over k < depth of (a[r * a_stride + k] - a_zero_points[r]) * (b[k * b_stride + c] - b_zero_point)
//   Codes:  to[r][c] = requantize(acc, factor) in the problem's mode                   uint8
//   Real:   to[r][c] = fl(fl(acc) * factor.multiplier), in both modes                  float32
//           to[r][c] = fl(fl(acc) * fl(row_scales[r] * factor.multiplier))             with row_scales
//
// Overflow: the caller has proved depth * max|a - a_zero_point| * max|b - b_zero_point| < 2^31. Everything but the
// shape may change from run to run: grids found at run time are as good as others. No alignment beyond that of float;
// `to` overlaps neither operand. kSlack bytes after the last row of `b` may be read. Only `columns` numbers of each row
// are written. Cost of a run: what is packed of `b`, depth * columns bytes, pays off from some ten rows on.
#pragma once

#include "halftone/kernels/kernel.h"
#include "halftone/kernels/stored_grid.h"

namespace halftone::kernels {

enum class MatMulResult { Codes, Real };

struct MatMulProblem {
  int64_t depth = 0, columns = 0;
  RequantizeMode mode = RequantizeMode::Float;
  MatMulResult result = MatMulResult::Codes;
};

// One product, or some of its rows. Strides are in bytes.
struct MatMulRun {
  const uint8_t* a = nullptr;
  int64_t a_stride = 0;
  const uint8_t* b = nullptr;
  int64_t b_stride = 0;
  void* to = nullptr;
  int64_t to_stride = 0;
  int64_t rows = 0;

  const int32_t* a_zero_points = nullptr;
  int64_t a_zero_point_step = 0;  // 1: one for each row; 0: one for all
  int32_t b_zero_point = 0;
  Factor factor;
  const float* row_scales = nullptr;  // [rows], or null; Real only
  StoredGrid grid;                    // Codes only
  std::byte* scratch = nullptr;       // MatMulKernel::scratch_bytes, aligned to 64; contents don't matter
};

struct MatMulKernel {
  std::string_view name;
  Isa isa;
  const char* (*refuse)(const MatMulProblem&);
  size_t (*scratch_bytes)(const MatMulProblem& problem);  // for each thread
  void (*run)(const MatMulProblem& problem, const MatMulRun& run);
};
// kernels.def, most preferred first; the last accepts everything.
std::span<const MatMulKernel> matmul_kernels();
Choice<MatMulKernel> choose_matmul(const MatMulProblem& problem);

// The definition, and the portable kernel; needs no scratch.
void matmul_portable(const MatMulProblem& problem, const MatMulRun& run);

}  // namespace halftone::kernels
