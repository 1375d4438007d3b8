// Which number of its grid a weight becomes: the methods of roundings.def.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "halftone/quant/quant_params.h"

namespace halftone {

// Executors round constants to the nearest number of their grid. Another method is applied once, when a grid is
// assigned: it replaces the constant by numbers of the grid, which nearest rounding then leaves where they are.
class Rounding {
 public:
  virtual ~Rounding() = default;

  // Every element on the grid. A number that is on the grid already stays; one beyond the ends becomes the end.
  // Determinism: an element's result depends on its value, its scale and levels, the seed and its position in the
  // tensor alone. Errors: Error{InvalidArgument} when scales and shape disagree.
  virtual Tensor round(const Tensor& real, const QuantParams& params) const = 0;

 protected:
  Rounding() = default;
  Rounding(const Rounding&) = default;
  Rounding& operator=(const Rounding&) = default;
};

// A method by name, with its seed where it has one: "nearest_even", "stochastic", "stochastic:42". Errors:
// Error{InvalidArgument} for an unknown name (with the nearest known one) and for a seed that is no whole number.
std::unique_ptr<Rounding> make_rounding(std::string_view description);

struct RoundingInfo {
  std::string_view name;
  bool needs_two_numbers;  // chooses between the two numbers of the grid binary
  std::string_view summary, source;
};
// The lines of roundings.def.
std::span<const RoundingInfo> all_roundings();
// That of a description. Errors: Error{InvalidArgument} for an unknown name.
const RoundingInfo& find_rounding(std::string_view description);

}  // namespace halftone
