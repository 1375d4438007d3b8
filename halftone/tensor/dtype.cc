#include "halftone/tensor/dtype.h"

#include <array>
#include <limits>

#include "halftone/base/error.h"

namespace halftone {
namespace {

enum class Kind { Other, Floating, Signed, Unsigned };

struct Row {
  DType dtype;
  std::string_view name;
  int bits;
  Kind kind;
};

constexpr std::array kRows = {
    Row{DType::Float, "float", 32, Kind::Floating},
    Row{DType::UInt8, "uint8", 8, Kind::Unsigned},
    Row{DType::Int8, "int8", 8, Kind::Signed},
    Row{DType::UInt16, "uint16", 16, Kind::Unsigned},
    Row{DType::Int16, "int16", 16, Kind::Signed},
    Row{DType::Int32, "int32", 32, Kind::Signed},
    Row{DType::Int64, "int64", 64, Kind::Signed},
    Row{DType::String, "string", 0, Kind::Other},
    Row{DType::Bool, "bool", 8, Kind::Other},
    Row{DType::Float16, "float16", 16, Kind::Floating},
    Row{DType::Double, "double", 64, Kind::Floating},
    Row{DType::UInt32, "uint32", 32, Kind::Unsigned},
    Row{DType::UInt64, "uint64", 64, Kind::Unsigned},
    Row{DType::Complex64, "complex64", 64, Kind::Other},
    Row{DType::Complex128, "complex128", 128, Kind::Other},
    Row{DType::BFloat16, "bfloat16", 16, Kind::Floating},
    Row{DType::Float8E4M3FN, "float8e4m3fn", 8, Kind::Floating},
    Row{DType::Float8E4M3FNUZ, "float8e4m3fnuz", 8, Kind::Floating},
    Row{DType::Float8E5M2, "float8e5m2", 8, Kind::Floating},
    Row{DType::Float8E5M2FNUZ, "float8e5m2fnuz", 8, Kind::Floating},
    Row{DType::UInt4, "uint4", 4, Kind::Unsigned},
    Row{DType::Int4, "int4", 4, Kind::Signed},
    Row{DType::Float4E2M1, "float4e2m1", 4, Kind::Floating},
    Row{DType::Float8E8M0, "float8e8m0", 8, Kind::Floating},
    Row{DType::UInt2, "uint2", 2, Kind::Unsigned},
    Row{DType::Int2, "int2", 2, Kind::Signed},
    Row{DType::Bit, "bit", 1, Kind::Other},
};

const Row* find_row(DType dtype) {
  for (const Row& row : kRows) {
    if (row.dtype == dtype) return &row;
  }
  return nullptr;
}

Kind kind_of(DType dtype) {
  const Row* row = find_row(dtype);
  return row == nullptr ? Kind::Other : row->kind;
}

}  // namespace

std::string_view name_of(DType dtype) {
  const Row* row = find_row(dtype);
  return row == nullptr ? "unknown" : row->name;
}

DType dtype_from_name(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.dtype;
  }
  return DType::Undefined;
}

int bits_of(DType dtype) {
  const Row* row = find_row(dtype);
  return row == nullptr ? 0 : row->bits;
}

size_t bytes_for(DType dtype, int64_t count) {
  HT_CHECK(count >= 0, "negative element count {}", count);
  const int64_t bits = bits_of(dtype);
  if (bits > 0 && count > (std::numeric_limits<int64_t>::max() - 7) / bits) {
    fail(ErrorCode::NumericRange, "tensor", "{} elements of {} exceed 2^63 bits", count, name_of(dtype));
  }
  return static_cast<size_t>((count * bits + 7) / 8);
}

bool is_known(DType dtype) { return find_row(dtype) != nullptr; }
bool is_floating(DType dtype) { return kind_of(dtype) == Kind::Floating; }
bool is_integer(DType dtype) { return kind_of(dtype) == Kind::Signed || kind_of(dtype) == Kind::Unsigned; }
bool is_signed_integer(DType dtype) { return kind_of(dtype) == Kind::Signed; }

}  // namespace halftone
