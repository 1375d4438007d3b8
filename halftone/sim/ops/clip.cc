// Clip. https://onnx.ai/onnx/operators/onnx__Clip.html
#include <limits>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/arithmetic.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {
namespace {

template <typename T>
std::vector<Tensor> clip_of(const OpCall& call) {
  constexpr bool has_infinity = std::numeric_limits<T>::has_infinity;
  T low = has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  T high = has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  if (call.opset < 11) {  // floating-point types only
    if constexpr (has_infinity) {
      low = static_cast<T>(call.node.float_or("min", std::numeric_limits<float>::lowest()));
      high = static_cast<T>(call.node.float_or("max", std::numeric_limits<float>::max()));
    } else {
      call.refuse("clips floating-point operands only before opset 11, found {}", name_of(call.input(0).dtype()));
    }
  } else {
    if (call.has_input(1)) low = scalar<T>(call, 1);
    if (call.has_input(2)) high = scalar<T>(call, 2);
  }
  // Where min > max every element becomes max.
  return {map<T>(call.input(0), [=](T x) { return smaller(larger(x, low), high); })};
}

}  // namespace

std::vector<Tensor> clip(const OpCall& call) {
  return in_numeric(call, []<typename T>(const OpCall& c) { return clip_of<T>(c); });
}

}  // namespace halftone::sim::ops
