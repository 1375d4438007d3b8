// Types of values: an element type and a shape that may be partly unknown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "halftone/tensor/dtype.h"
#include "halftone/tensor/shape.h"

namespace halftone {

// One dimension: a number, a symbol ("N": the same symbol is the same number throughout a run), or unknown.
struct Dim {
  int64_t value = -1;  // >= 0 when known
  std::string symbol;  // non-empty only when the number is unknown

  Dim() = default;
  Dim(int64_t v) : value(v) {}  // NOLINT: dimensions read as numbers
  explicit Dim(std::string s) : symbol(std::move(s)) {}

  bool known() const { return value >= 0; }
  bool operator==(const Dim&) const = default;
};

// "224", "N" or "?".
std::string to_string(const Dim& dim);

struct TensorType {
  DType dtype = DType::Undefined;
  std::optional<std::vector<Dim>> shape;  // nullopt: not even the rank is known

  bool ranked() const { return shape.has_value(); }
  int64_t rank() const { return static_cast<int64_t>(shape->size()); }
  // The shape when every dimension is a number.
  std::optional<Shape> fixed_shape() const;
  bool operator==(const TensorType&) const = default;
};

// "float[N, 3, 224, 224]"; "float[...]" when unranked.
std::string to_string(const TensorType& type);

std::vector<Dim> to_dims(const Shape& shape);

}  // namespace halftone
