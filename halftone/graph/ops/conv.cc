#include <string>

#include "halftone/graph/ops/window.h"

namespace halftone::rules {
namespace {

struct ConvOperands {
  const Dims* x = nullptr;  // [n, ic, spatial...]
  const Dims* w = nullptr;  // [oc, ic / group, kernel...], for ConvTranspose [ic, oc / group, kernel...]
  int64_t group = 1;
  std::optional<std::vector<int64_t>> kernel;  // nullopt: decided only in a run
};

// `w_input`: which input holds the weights.
ConvOperands operands_of(const InferContext& ctx, size_t w_input) {
  require_rank(ctx, 0, 3, INT64_MAX);
  require_rank(ctx, w_input, 3, INT64_MAX);
  ConvOperands operands{dims_of(ctx, 0), dims_of(ctx, w_input), ctx.node().int_or("group", 1), std::nullopt};
  if (operands.group < 1) ctx.refuse("group must be at least 1, found {}", operands.group);
  const bool ranks_known = operands.x != nullptr && operands.w != nullptr;
  if (ranks_known && operands.x->size() != operands.w->size()) {
    ctx.refuse("input and weights must have the same rank, found {} and {}", to_string(ctx.input(0)),
               to_string(ctx.input(w_input)));
  }
  std::vector<int64_t> kernel = ctx.node().ints_or("kernel_shape", {});
  if (operands.w != nullptr) {
    const std::span<const Dim> spatial = std::span(*operands.w).subspan(2);
    if (kernel.empty()) {
      for (const Dim& dim : spatial) {
        if (!dim.known()) return operands;
        kernel.push_back(dim.value);
      }
    }
    bool fits = kernel.size() == spatial.size();
    for (size_t i = 0; fits && i < kernel.size(); ++i) fits = !spatial[i].known() || spatial[i].value == kernel[i];
    if (!fits) {
      ctx.refuse("kernel_shape must be that of the weights, found {} and {}", to_string(Shape(kernel)),
                 to_string(ctx.input(w_input)));
    }
  }
  if (!kernel.empty()) operands.kernel = std::move(kernel);
  return operands;
}

void check_bias(const InferContext& ctx, size_t b_input, const Dim& channels) {
  require_rank(ctx, b_input, 1, 1);
  if (const Dims* bias = dims_of(ctx, b_input)) unify(ctx, bias->front(), channels, "bias and output channels");
}

// The output of a convolution whose weights are input w_input.
TensorType convolved(const InferContext& ctx, size_t w_input, size_t b_input, DType dtype) {
  const ConvOperands operands = operands_of(ctx, w_input);
  Dim oc;
  if (operands.w != nullptr) {
    oc = operands.w->front();
    if (oc.known() && oc.value % operands.group != 0) {
      ctx.refuse("group {} must divide the {} output channels", operands.group, oc.value);
    }
    if (operands.x != nullptr) {
      unify(ctx, (*operands.x)[1], multiply(ctx, (*operands.w)[1], operands.group),
            "the input's channels and the weights' times group");
    }
  }
  check_bias(ctx, b_input, oc);
  if (operands.x == nullptr) return typed(dtype);
  Dims y = unknown_dims(operands.x->size());
  y[0] = operands.x->front();
  y[1] = oc;
  if (operands.kernel) {
    if (operands.kernel->size() + 2 != y.size()) {
      ctx.refuse("kernel_shape must have {} entries for {}, found {}", y.size() - 2, to_string(ctx.input(0)),
                 operands.kernel->size());
    }
    const Window window = window_of(ctx, *operands.kernel);
    for (size_t i = 2; i < y.size(); ++i) y[i] = slide(ctx, window, i - 2, (*operands.x)[i], false);
  }
  return typed(dtype, std::move(y));
}

// One spatial extent of a transposed convolution: stride * (in - 1) + output_padding + reach - pads.
Dim unslide(const InferContext& ctx, const Window& window, size_t axis, const Dim& in, int64_t output_padding) {
  if (!in.known()) return {};
  if (window.padding == Window::Padding::Same) return multiply_checked(ctx, in.value, window.strides[axis]);
  int64_t out = multiply_checked(ctx, window.strides[axis], in.value - 1);
  out = add_checked(ctx, out, add_checked(ctx, output_padding, window.reach(ctx, axis)));
  if (window.padding == Window::Padding::Explicit) {
    out = add_checked(ctx, out, -add_checked(ctx, window.pads_begin[axis], window.pads_end[axis]));
  }
  if (out < 0) ctx.refuse("padding leaves spatial axis {} an extent of {}", axis, out);
  return out;
}

}  // namespace

void conv(InferContext& ctx) {
  require_same_dtype(ctx, 0, 1);
  ctx.set_output(0, convolved(ctx, 1, 2, dtype_of_input(ctx, 0)));
}

void conv_integer(InferContext& ctx) {
  constexpr size_t kNoBias = SIZE_MAX;
  ctx.set_output(0, convolved(ctx, 1, kNoBias, DType::Int32));
}

void qlinear_conv(InferContext& ctx) {
  // Inputs: x, x_scale, x_zero_point, w, w_scale, w_zero_point, y_scale, y_zero_point, bias.
  ctx.set_output(0, convolved(ctx, 3, 8, dtype_of_input(ctx, 7)));
}

void conv_transpose(InferContext& ctx) {
  require_same_dtype(ctx, 0, 1);
  const ConvOperands operands = operands_of(ctx, 1);
  const DType dtype = dtype_of_input(ctx, 0);
  Dim oc;
  if (operands.w != nullptr) {
    oc = multiply(ctx, (*operands.w)[1], operands.group);
    if (operands.x != nullptr)
      unify(ctx, (*operands.x)[1], operands.w->front(), "the input's channels and the weights'");
    if (operands.w->front().known() && operands.w->front().value % operands.group != 0) {
      ctx.refuse("group {} must divide the {} input channels", operands.group, operands.w->front().value);
    }
  }
  check_bias(ctx, 2, oc);
  if (operands.x == nullptr) {
    ctx.set_output(0, typed(dtype));
    return;
  }
  Dims y = unknown_dims(operands.x->size());
  const size_t spatial = y.size() - 2;
  y[0] = operands.x->front();
  y[1] = oc;
  const std::vector<int64_t> output_shape = ctx.node().ints_or("output_shape", {});
  if (!output_shape.empty()) {
    // Some exporters write the batch and the channels too.
    if (output_shape.size() != spatial && output_shape.size() != y.size()) {
      ctx.refuse("output_shape must have {} entries, found {}", spatial, output_shape.size());
    }
    for (size_t i = 0; i < spatial; ++i) {
      const int64_t extent = output_shape[output_shape.size() - spatial + i];
      if (extent < 0) ctx.refuse("output_shape must not be negative, found {}", extent);
      y[2 + i] = extent;
    }
  } else if (operands.kernel) {
    if (operands.kernel->size() != spatial) {
      ctx.refuse("kernel_shape must have {} entries, found {}", spatial, operands.kernel->size());
    }
    const Window window = window_of(ctx, *operands.kernel);
    const auto output_padding = ctx.node().ints_or("output_padding", std::vector<int64_t>(spatial, 0));
    if (output_padding.size() != spatial) {
      ctx.refuse("output_padding must have {} entries, found {}", spatial, output_padding.size());
    }
    for (size_t i = 0; i < spatial; ++i) y[2 + i] = unslide(ctx, window, i, (*operands.x)[2 + i], output_padding[i]);
  }
  ctx.set_output(0, typed(dtype, std::move(y)));
}

}  // namespace halftone::rules
