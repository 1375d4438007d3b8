#include "halftone/graph/ops/rules.h"

namespace halftone::rules {
namespace {

// Scale, bias and statistics: one number per channel.
Dim channels_of(const InferContext& ctx, size_t parameters) {
  const Dims* x = dims_of(ctx, 0);
  Dim channels;
  if (x != nullptr) channels = x->size() > 1 ? (*x)[1] : Dim(1);
  for (size_t i = 1; i <= parameters; ++i) {
    require_rank(ctx, i, 1, 1);
    if (const Dims* parameter = dims_of(ctx, i)) {
      channels = unify(ctx, channels, parameter->front(), fmt::format("input {} and the channels", i));
    }
  }
  return channels;
}

}  // namespace

void batch_normalization(InferContext& ctx) {
  require_rank(ctx, 0, 1, INT64_MAX);
  const Dim channels = channels_of(ctx, 4);
  ctx.set_output(0, ctx.input(0));
  // In training form: the running mean and variance, and before opset 14 two saved ones.
  for (size_t i = 1; i < ctx.output_count(); ++i) ctx.set_output(i, typed(dtype_of_input(ctx, 3), Dims{channels}));
}

void channel_normalization(InferContext& ctx) {
  require_rank(ctx, 0, 2, INT64_MAX);
  // Before opset 21 GroupNormalization's parameters were per group.
  if (ctx.node().op_type == "GroupNormalization") {
    const int64_t groups = ctx.node().int_or("num_groups", 0);
    const Dims* x = dims_of(ctx, 0);
    if (groups < 1) ctx.refuse("requires the attribute num_groups of at least 1, found {}", groups);
    if (x != nullptr && (*x)[1].known() && (*x)[1].value % groups != 0) {
      ctx.refuse("num_groups {} must divide the {} channels", groups, (*x)[1].value);
    }
  } else {
    channels_of(ctx, 2);
  }
  ctx.set_output(0, ctx.input(0));
}

void layer_normalization(InferContext& ctx) {
  ctx.set_output(0, ctx.input(0));
  const auto statistics = static_cast<DType>(ctx.node().int_or("stash_type", static_cast<int64_t>(DType::Float)));
  std::optional<Dims> dims = ctx.input(0).shape;
  if (dims) {
    const auto rank = static_cast<int64_t>(dims->size());
    const size_t axis = axis_in(ctx, ctx.node().int_or("axis", -1), rank);
    for (size_t i = axis; i < dims->size(); ++i) (*dims)[i] = 1;
  }
  ctx.set_output(1, typed(statistics, dims));
  ctx.set_output(2, typed(statistics, dims));
}

void lp_normalization(InferContext& ctx) {
  if (const Dims* x = dims_of(ctx, 0)) axis_in(ctx, ctx.node().int_or("axis", -1), static_cast<int64_t>(x->size()));
  ctx.set_output(0, ctx.input(0));
}

void softmax(InferContext& ctx) {
  // Before opset 13 the axis is where the tensor is flattened to a matrix, which may be behind its last dimension.
  const bool flattens = ctx.opset() < 13;
  if (const Dims* x = dims_of(ctx, 0)) {
    const auto rank = static_cast<int64_t>(x->size());
    const int64_t axis = ctx.node().int_or("axis", flattens ? 1 : -1);
    if (!flattens || axis != rank) axis_in(ctx, axis, rank);
  }
  ctx.set_output(0, ctx.input(0));
}

}  // namespace halftone::rules
