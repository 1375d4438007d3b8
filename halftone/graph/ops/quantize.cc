#include "halftone/graph/ops/rules.h"

namespace halftone::rules {
namespace {

// Scales and zero points: one for the tensor, one per index of an axis, or (since opset 21) one per block along it.
void check_parameters(const InferContext& ctx) {
  const Dims* x = dims_of(ctx, 0);
  const Dims* scale = dims_of(ctx, 1);
  const DType scale_type = dtype_of_input(ctx, 1);
  if (scale_type != DType::Undefined && !is_floating(scale_type)) {
    ctx.refuse("its scale must be float, found {}", name_of(scale_type));
  }
  if (ctx.has_input(2) && scale != nullptr && dims_of(ctx, 2) != nullptr) {
    bool fits = scale->size() == dims_of(ctx, 2)->size();
    for (size_t i = 0; fits && i < scale->size(); ++i) {
      fits = unified((*scale)[i], (*dims_of(ctx, 2))[i]).has_value();
    }
    // A scalar beside a vector of one is written by some tools, and means the same.
    const auto single = [](const Dims& dims) { return dims.empty() || (dims.size() == 1 && dims[0] == Dim(1)); };
    if (!fits && !(single(*scale) && single(*dims_of(ctx, 2)))) {
      ctx.refuse("scale and zero point must have the same shape, found {} and {}", to_string(ctx.input(1)),
                 to_string(ctx.input(2)));
    }
  }
  if (x == nullptr || scale == nullptr || scale->empty()) return;
  const auto rank = static_cast<int64_t>(x->size());
  const int64_t block = ctx.node().int_or("block_size", 0);
  if (block < 0) ctx.refuse("block_size must not be negative, found {}", block);
  if (block == 0) {
    require_rank(ctx, 1, 0, 1);
    if (scale->front() == Dim(1)) return;
    const size_t axis = axis_in(ctx, ctx.node().int_or("axis", 1), rank);
    unify(ctx, scale->front(), (*x)[axis], fmt::format("the scales and the extent of axis {}", axis));
    return;
  }
  const size_t axis = axis_in(ctx, ctx.node().int_or("axis", 1), rank);
  require_rank(ctx, 1, rank, rank);
  for (size_t i = 0; i < x->size(); ++i) {
    Dim required = (*x)[i];
    if (i == axis && required.known()) required = required.value / block + (required.value % block != 0 ? 1 : 0);
    if (i == axis && !required.known()) continue;
    unify(ctx, (*scale)[i], required, fmt::format("the blocks of axis {} and the scales", i));
  }
}

DType stated_output_type(const InferContext& ctx) { return static_cast<DType>(ctx.node().int_or("output_dtype", 0)); }

}  // namespace

void quantize_linear(InferContext& ctx) {
  check_parameters(ctx);
  DType dtype = stated_output_type(ctx);
  const DType zero_point = dtype_of_input(ctx, 2);
  if (dtype != DType::Undefined && zero_point != DType::Undefined && dtype != zero_point) {
    ctx.refuse("output_dtype must be the zero point's type, found {} and {}", name_of(dtype), name_of(zero_point));
  }
  if (ctx.has_input(2)) {
    dtype = zero_point;
  } else if (dtype == DType::Undefined) {
    dtype = DType::UInt8;
  }
  ctx.set_output(0, typed(dtype, ctx.input(0).shape));
}

void dequantize_linear(InferContext& ctx) {
  if (ctx.has_input(2)) require_same_dtype(ctx, 0, 2);
  check_parameters(ctx);
  const DType stated = stated_output_type(ctx);
  ctx.set_output(0, typed(stated == DType::Undefined ? dtype_of_input(ctx, 1) : stated, ctx.input(0).shape));
}

void dynamic_quantize_linear(InferContext& ctx) {
  ctx.set_output(0, typed(DType::UInt8, ctx.input(0).shape));
  ctx.set_output(1, typed(DType::Float, Dims{}));
  ctx.set_output(2, typed(DType::UInt8, Dims{}));
}

}  // namespace halftone::rules
