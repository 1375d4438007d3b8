// What a Session does with its model before any input shape is known.
#pragma once

#include <map>
#include <string>

#include "halftone/quant/integer_plan.h"
#include "halftone/transform/pass.h"

namespace halftone::runtime {

// A network ready to be lowered, again and again.
struct FrozenModel {
  // Every pass was applied that leaves encoded values, taps and integer nodes in place. Constants that float nodes read
  // are rounded to their grids; the content of weights that integer nodes alone read is gone, they have it as codes.
  QuantizedModel model;
  // By the name of a node's first output: the plan's nodes, and why others that touch an encoded value are float.
  // Positions in a graph mean nothing here.
  std::map<std::string, IntegerNode, std::less<>> integers;
  std::map<std::string, std::string, std::less<>> refusals;
  // What lowering has to leave in place: taps, encoded values, results of integer nodes.
  transform::KeepNames keep;
};

// Errors: Error{InvalidModel} as verify and plan_integers.
FrozenModel freeze(QuantizedModel model, const transform::KeepNames& taps, RequantizeMode mode);

}  // namespace halftone::runtime
