// LpNormalization. https://onnx.ai/onnx/operators/onnx__LpNormalization.html
#include <cmath>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {

// y = x / (sum |x|^p)^(1/p) along one axis, p in {1, 2}; a vector of zeros stays zero.
std::vector<Tensor> lp_normalization(const OpCall& call) {
  const int64_t p = call.node.int_or("p", 2);
  if (p != 1 && p != 2) call.refuse("p must be 1 or 2, found {}", p);
  return in_floating(call, [&]<typename T>(const OpCall& c) -> std::vector<Tensor> {
    Tensor y = c.input(0);
    const AxisView view = view_along(y.shape(), normalize_axis(c.node.int_or("axis", -1), y.rank()));
    T* data = y.mutable_data<T>().data();
    for (int64_t o = 0; o < view.outer; ++o) {
      for (int64_t r = 0; r < view.inner; ++r) {
        T* row = data + o * view.length * view.inner + r;
        T sum{0};
        for (int64_t i = 0; i < view.length; ++i) {
          const T x = row[i * view.inner];
          sum += p == 1 ? std::abs(x) : x * x;
        }
        const T norm = p == 1 ? sum : std::sqrt(sum);
        if (norm == T{0}) continue;
        for (int64_t i = 0; i < view.length; ++i) row[i * view.inner] /= norm;
      }
    }
    return {y};
  });
}

}  // namespace halftone::sim::ops
