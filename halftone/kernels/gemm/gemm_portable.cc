// The kernel of processors without a better one: four rows share each load of weights, and the compiler vectorizes the
// inner loop as far as the baseline goes.
#include <algorithm>
#include <cstring>

#include "halftone/kernels/gemm/gemm_columns.h"
#include "halftone/kernels/gemm/gemm_kernels.h"

namespace halftone::kernels {
namespace {

constexpr int64_t kRows = 4, kColumnBlock = 16;

// Then columns x Column, then the weights as the problem has them.
struct Header {
  int64_t columns, depth, taps;
  RequantizeMode mode;
  GemmResult result;
  bool wide;
  int32_t zero_point, low, high;
};
struct Column {
  int32_t bias, term;
  float multiplier;
  Dyadic dyadic;
};

struct Blob {
  const Header& header;
  const Column* columns;
  const int8_t* weights;
};

Blob open(const std::byte* packed) {
  const auto& header = *reinterpret_cast<const Header*>(packed);
  const auto* columns = reinterpret_cast<const Column*>(packed + sizeof(Header));
  return {header, columns, reinterpret_cast<const int8_t*>(columns + header.columns)};
}

const char* refuse(const GemmProblem&) { return ""; }

size_t packed_bytes(const GemmProblem& problem) {
  return sizeof(Header) +
         static_cast<size_t>(problem.columns) * (sizeof(Column) + static_cast<size_t>(problem.taps * problem.depth));
}

void pack(const GemmProblem& problem, std::byte* to) {
  const Header header = {problem.columns, problem.depth,      problem.taps, problem.mode, problem.result,
                         problem.wide,    problem.zero_point, problem.low,  problem.high};
  std::memcpy(to, &header, sizeof(header));
  auto* columns = reinterpret_cast<Column*>(to + sizeof(Header));
  for (int64_t c = 0; c < problem.columns; ++c) {
    const GemmColumn column = gemm_column(problem, c);
    const int32_t term = problem.column_terms != nullptr ? problem.column_terms[c] : 0;
    columns[c] = {column.bias, term, column.multiplier, column.dyadic};
  }
  std::copy_n(problem.weights, problem.columns * problem.taps * problem.depth,
              reinterpret_cast<int8_t*>(columns + problem.columns));
}

int64_t column_blocks(const std::byte* packed) {
  return (open(packed).header.columns + kColumnBlock - 1) / kColumnBlock;
}

int64_t first_column(const std::byte* packed, int64_t block) {
  return std::min(block * kColumnBlock, open(packed).header.columns);
}

size_t scratch_bytes(const std::byte*) { return 0; }

void store(const Blob& blob, int64_t c, int32_t acc, float row_scale, std::byte* to) {
  const Header& header = blob.header;
  const Column& column = blob.columns[c];
  if (header.result == GemmResult::Real) {
    reinterpret_cast<float*>(to)[c] = static_cast<float>(acc) * (row_scale * column.multiplier);
    return;
  }
  const bool is_float = header.mode == RequantizeMode::Float;
  const int32_t code = is_float ? requantize(acc, column.multiplier, header.zero_point, header.low, header.high)
                                : requantize_dyadic(acc, column.dyadic, header.zero_point, header.low, header.high);
  if (header.result == GemmResult::WideCodes) {
    reinterpret_cast<int16_t*>(to)[c] = static_cast<int16_t>(code);
  } else {
    to[c] = static_cast<std::byte>(code);
  }
}

// A code of either width; rows begin anywhere.
template <typename X>
int32_t load(const uint8_t* row, int64_t d) {
  X code;
  std::memcpy(&code, row + d * static_cast<int64_t>(sizeof(X)), sizeof(X));
  return code;
}

template <typename X, int64_t Rows>
void some_rows(const Blob& blob, const GemmRun& run, int64_t row, int64_t c) {
  const Header& header = blob.header;
  const Column& column = blob.columns[c];
  const int8_t* weights = blob.weights + c * header.taps * header.depth;
  int32_t sums[Rows] = {};
  for (int64_t tap = 0; tap < header.taps; ++tap, weights += header.depth) {
    for (int64_t r = 0; r < Rows; ++r) {
      const uint8_t* x = run.rows[(row + r) * header.taps + tap];
      uint32_t sum = 0;
      for (int64_t d = 0; d < header.depth; ++d) sum += static_cast<uint32_t>(load<X>(x, d) * weights[d]);
      sums[r] = static_cast<int32_t>(static_cast<uint32_t>(sums[r]) + sum);
    }
  }
  for (int64_t r = 0; r < Rows; ++r) {
    auto acc = static_cast<uint32_t>(sums[r]) + static_cast<uint32_t>(column.bias);
    if (run.row_terms != nullptr) {
      acc += static_cast<uint32_t>(run.row_terms[row + r]) * static_cast<uint32_t>(column.term);
    }
    store(blob, c, static_cast<int32_t>(acc), run.row_scales != nullptr ? run.row_scales[row + r] : 1.0F,
          static_cast<std::byte*>(run.to) + (row + r) * run.to_stride);
  }
}

template <typename X>
void run_codes(const std::byte* packed, const GemmRun& run) {
  const Blob blob = open(packed);
  const int64_t last = first_column(packed, run.last_block);
  for (int64_t row = 0; row < run.row_count;) {
    const bool many = row + kRows <= run.row_count;
    for (int64_t c = first_column(packed, run.first_block); c < last; ++c) {
      many ? some_rows<X, kRows>(blob, run, row, c) : some_rows<X, 1>(blob, run, row, c);
    }
    row += many ? kRows : 1;
  }
}

void run(const std::byte* packed, const GemmRun& run) {
  (open(packed).header.wide ? run_codes<int16_t> : run_codes<uint8_t>)(packed, run);
}

}  // namespace

const GemmKernel gemm_portable = {"portable",    Isa::Portable, refuse,        packed_bytes, pack,
                                  column_blocks, first_column,  scratch_bytes, kRows,        run};

}  // namespace halftone::kernels
