// ConvTranspose. https://onnx.ai/onnx/operators/onnx__ConvTranspose.html
#include "halftone/sim/ops.h"
#include "halftone/sim/ops/row_loops.h"
#include "halftone/sim/ops/transpose_shape.h"
#include "halftone/sim/ops/typed_operands.h"

namespace halftone::sim::ops {
namespace {

// Settles output extents and padding as the operator's definition says: out = stride * (in - 1) + output_padding +
// reach - pads, and where the output's extents are given, the padding that leads to them, halved.
void settle_output(const OpCall& call, size_t rank, Window& window) {
  const AutoPad auto_pad = auto_pad_of(call);
  const auto output_padding = call.node.ints_or("output_padding", std::vector<int64_t>(rank, 0));
  auto wanted = call.node.ints_or("output_shape", {});
  // Some exporters write the whole output shape rather than the spatial part.
  if (wanted.size() == rank + 2) wanted.erase(wanted.begin(), wanted.begin() + 2);
  if (output_padding.size() != rank || (!wanted.empty() && wanted.size() != rank)) {
    call.refuse("output_padding and output_shape require {} numbers, found {} and {}", rank, output_padding.size(),
                wanted.size());
  }
  const bool same = auto_pad == AutoPad::SameUpper || auto_pad == AutoPad::SameLower;
  for (size_t i = 0; i < rank; ++i) {
    const size_t axis = 3 - rank + i;
    if (output_padding[i] < 0 || output_padding[i] >= std::max(window.stride[axis], window.dilation[axis])) {
      call.refuse("output_padding must lie in [0, stride or dilation), found {}", output_padding[i]);
    }
    const int64_t full = window.stride[axis] * (window.in[axis] - 1) + output_padding[i] + window.reach(axis);
    if (!wanted.empty() || same) {
      window.out[axis] = wanted.empty() ? window.in[axis] * window.stride[axis] : wanted[i];
      // An output larger than the windows reach has its surplus at the end.
      const int64_t total = std::max<int64_t>(full - window.out[axis], 0);
      window.pad_begin[axis] = auto_pad == AutoPad::SameUpper ? total / 2 : total - total / 2;
    } else {
      if (auto_pad == AutoPad::Valid) window.pad_begin[axis] = window.pad_end[axis] = 0;
      window.out[axis] = full - window.pad_begin[axis] - window.pad_end[axis];
    }
    if (window.out[axis] < 1) call.refuse("leads to an output extent of {}", window.out[axis]);
  }
}

}  // namespace

TransposeShape read_transpose_shape(const OpCall& call, const Shape& x, const Shape& weights) {
  if (x.size() < 3 || weights.size() != x.size()) {
    call.refuse("requires an input [N, C, spatial...] and weights of the same rank, found {} and {}", to_string(x),
                to_string(weights));
  }
  const Shape kernel(weights.begin() + 2, weights.end());
  if (call.node.ints_or("kernel_shape", kernel) != kernel) {
    call.refuse("kernel_shape {} contradicts weights of shape {}", to_string(call.node.ints_or("kernel_shape", kernel)),
                to_string(weights));
  }
  const int64_t groups = call.node.int_or("group", 1);
  if (groups < 1 || x[1] != weights[0] || x[1] % groups != 0) {
    call.refuse("input {} and weights {} don't match for {} groups", to_string(x), to_string(weights), groups);
  }
  TransposeShape shape{x[0],
                       groups,
                       x[1] / groups,
                       weights[1],
                       read_window(call, std::span(x).subspan(2), kernel),
                       static_cast<int64_t>(kernel.size())};
  settle_output(call, kernel.size(), shape.window);
  return shape;
}

namespace {

// out[i * stride + tap * dilation - pad] += weight * in[i] for all i whose output element exists.
template <typename T>
void scatter_tap(const Window& window, const Window::Extents& tap, T weight, const T* in, T* out) {
  const auto output_at = [&](size_t axis, int64_t i) {
    return i * window.stride[axis] + tap[axis] * window.dilation[axis] - window.pad_begin[axis];
  };
  const auto exists = [&](size_t axis, int64_t o) { return o >= 0 && o < window.out[axis]; };
  for (int64_t id = 0; id < window.in[0]; ++id) {
    const int64_t od = output_at(0, id);
    if (!exists(0, od)) continue;
    for (int64_t ih = 0; ih < window.in[1]; ++ih) {
      const int64_t oh = output_at(1, ih);
      if (!exists(1, oh)) continue;
      const T* row = in + (id * window.in[1] + ih) * window.in[2];
      T* sums = out + (od * window.out[1] + oh) * window.out[2];
      for (int64_t iw = 0; iw < window.in[2]; ++iw) {
        const int64_t ow = output_at(2, iw);
        if (exists(2, ow)) sums[ow] = multiply_add(weight, row[iw], sums[ow]);
      }
    }
  }
}

// Each output element is summed in T, from its bias, in ascending (ic, kd, kh, kw).
template <typename T>
void convolve_transposed(const TransposeShape& shape, const T* x, const T* weights, const T* bias, T* y) {
  const Window& window = shape.window;
  const int64_t in_area = window.in_area(), out_area = window.out_area();
  for (int64_t n = 0; n < shape.batch; ++n) {
    for (int64_t channel = 0; channel < shape.groups * shape.oc; ++channel) {
      const int64_t group = channel / shape.oc;
      T* out = y + (n * shape.groups * shape.oc + channel) * out_area;
      std::fill_n(out, out_area, bias == nullptr ? T{0} : bias[channel]);
      for (int64_t ic = 0; ic < shape.ic; ++ic) {
        const int64_t in_channel = group * shape.ic + ic;
        const T* in = x + (n * shape.groups * shape.ic + in_channel) * in_area;
        const T* weight = weights + (in_channel * shape.oc + channel % shape.oc) * window.taps();
        for (int64_t kd = 0; kd < window.kernel[0]; ++kd) {
          for (int64_t kh = 0; kh < window.kernel[1]; ++kh) {
            for (int64_t kw = 0; kw < window.kernel[2]; ++kw) scatter_tap(window, {kd, kh, kw}, *weight++, in, out);
          }
        }
      }
    }
  }
}

template <typename T>
std::vector<Tensor> conv_transpose_of(const OpCall& call) {
  const TransposeShape shape = read_transpose_shape(call, call.input(0).shape(), call.input(1).shape());
  const T* bias = call.has_input(2) ? elements<T>(call, 2, shape.groups * shape.oc).data() : nullptr;
  Tensor y = new_tensor<T>(output_shape(shape.batch, shape.groups * shape.oc, shape.window, shape.spatial_rank));
  convolve_transposed(shape, elements<T>(call, 0).data(), elements<T>(call, 1).data(), bias,
                      y.mutable_data<T>().data());
  return {y};
}

}  // namespace

std::vector<Tensor> conv_transpose(const OpCall& call) {
  // ONNX has no ConvTranspose of int32; quantized networks are summed up with it.
  if (call.input(0).dtype() == DType::Int32) return conv_transpose_of<int32_t>(call);
  return in_floating(call, []<typename T>(const OpCall& c) { return conv_transpose_of<T>(c); });
}

}  // namespace halftone::sim::ops
