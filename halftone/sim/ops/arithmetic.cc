#include "halftone/sim/ops/arithmetic.h"

#include "halftone/sim/ops/element_writer.h"

namespace halftone::sim::ops {

DType arithmetic_type(DType dtype) {
  if (dtype == DType::Double || dtype == DType::UInt64) return dtype;
  if (is_floating(dtype)) return DType::Float;
  if (is_integer(dtype) || dtype == DType::Bool) return DType::Int64;
  fail(ErrorCode::Unsupported, "arithmetic", "a numeric element type is required, found {}", name_of(dtype));
}

std::vector<Tensor> broadcast_inputs(const OpCall& call, int64_t count) {
  const size_t n = count < 0 ? call.input_count() : static_cast<size_t>(count);
  Shape shape = call.input(0).shape();
  for (size_t i = 1; i < n; ++i) {
    if (call.input(i).dtype() != call.input(0).dtype()) {
      call.refuse("inputs must have one type, found {} and {}", name_of(call.input(0).dtype()),
                  name_of(call.input(i).dtype()));
    }
    shape = broadcast(shape, call.input(i).shape());
  }
  std::vector<Tensor> operands;
  for (size_t i = 0; i < n; ++i) operands.push_back(broadcast_to(call, call.input(i), shape));
  return operands;
}

}  // namespace halftone::sim::ops
