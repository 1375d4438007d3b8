#include "halftone/graph/type.h"

#include <fmt/core.h>

namespace halftone {

std::string to_string(const Dim& dim) {
  if (dim.known()) return fmt::format("{}", dim.value);
  return dim.symbol.empty() ? "?" : dim.symbol;
}

std::optional<Shape> TensorType::fixed_shape() const {
  if (!shape) return std::nullopt;
  Shape fixed;
  fixed.reserve(shape->size());
  for (const Dim& dim : *shape) {
    if (!dim.known()) return std::nullopt;
    fixed.push_back(dim.value);
  }
  return fixed;
}

std::string to_string(const TensorType& type) {
  std::string text = fmt::format("{}[", name_of(type.dtype));
  if (!type.shape) return text + "...]";
  for (size_t i = 0; i < type.shape->size(); ++i) text += (i == 0 ? "" : ", ") + to_string((*type.shape)[i]);
  return text + "]";
}

std::vector<Dim> to_dims(const Shape& shape) { return {shape.begin(), shape.end()}; }

}  // namespace halftone
