#include <cmath>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/arithmetic.h"

namespace halftone::sim::ops {

std::vector<Tensor> is_nan(const OpCall& call) {
  return {map<double>(convert(call.input(0), DType::Double), [](double x) { return std::isnan(x); })};
}

std::vector<Tensor> is_inf(const OpCall& call) {
  const bool positive = call.node.int_or("detect_positive", 1) != 0;
  const bool negative = call.node.int_or("detect_negative", 1) != 0;
  return {map<double>(convert(call.input(0), DType::Double),
                      [=](double x) { return std::isinf(x) && (x > 0 ? positive : negative); })};
}

std::vector<Tensor> logical_not(const OpCall& call) {
  const Tensor& x = call.input(0);
  if (x.dtype() != DType::Bool) call.refuse("requires bool elements, found {}", name_of(x.dtype()));
  return {map<int64_t>(convert(x, DType::Int64), [](int64_t v) { return v == 0; })};
}

}  // namespace halftone::sim::ops
