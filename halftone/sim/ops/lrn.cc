// LRN. https://onnx.ai/onnx/operators/onnx__LRN.html
#include <algorithm>
#include <cmath>

#include "halftone/sim/ops.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {

// y[n][c] = x[n][c] / (bias + alpha / size * sum of x[n][j]^2)^beta, j from c - floor((size - 1) / 2) to
// c + ceil((size - 1) / 2), as far as there are channels.
std::vector<Tensor> lrn(const OpCall& call) {
  const int64_t size = call.node.int_or("size", 0);
  if (size < 1) call.refuse("size must be 1 or more, found {}", size);
  return in_floating(call, [&]<typename T>(const OpCall& c) -> std::vector<Tensor> {
    const Planes planes = planes_of(c, c.input(0));
    const T* x = elements<T>(c, 0).data();
    Tensor y(dtype_of<T>(), c.input(0).shape());
    T* out = y.mutable_data<T>().data();
    const T alpha = static_cast<T>(c.node.float_or("alpha", 1e-4f)) / static_cast<T>(size);
    const T beta = static_cast<T>(c.node.float_or("beta", 0.75f));
    const T bias = static_cast<T>(c.node.float_or("bias", 1.0f));
    const int64_t before = std::min((size - 1) / 2, planes.channels);
    const int64_t after = std::min(size - 1 - (size - 1) / 2, planes.channels);
    for (int64_t n = 0; n < planes.batch; ++n, x += planes.channels * planes.area) {
      for (int64_t channel = 0; channel < planes.channels; ++channel) {
        const int64_t first = std::max<int64_t>(0, channel - before);
        const int64_t last = std::min(planes.channels - 1, channel + after);
        for (int64_t i = 0; i < planes.area; ++i) {
          T sum{0};
          for (int64_t j = first; j <= last; ++j) sum += x[j * planes.area + i] * x[j * planes.area + i];
          *out++ = x[channel * planes.area + i] / std::pow(bias + alpha * sum, beta);
        }
      }
    }
    return {y};
  });
}

}  // namespace halftone::sim::ops
