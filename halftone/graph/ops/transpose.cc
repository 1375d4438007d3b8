#include "halftone/graph/ops/rules.h"

namespace halftone::rules {
namespace {

int64_t blocksize_of(const InferContext& ctx) {
  const int64_t block = ctx.node().int_or("blocksize", 0);
  if (block < 1) ctx.refuse("requires the attribute blocksize of at least 1, found {}", block);
  return block;
}

Dim divide(const InferContext& ctx, const Dim& dim, int64_t divisor, std::string_view what) {
  if (!dim.known()) return divisor == 1 ? dim : Dim{};
  if (dim.value % divisor != 0) ctx.refuse("{} must be a multiple of {}, found {}", what, divisor, dim.value);
  return dim.value / divisor;
}

}  // namespace

void transpose(InferContext& ctx) {
  const DType dtype = dtype_of_input(ctx, 0);
  const Dims* x = dims_of(ctx, 0);
  const std::vector<int64_t> perm = ctx.node().ints_or("perm", {});
  if (x == nullptr) {
    ctx.set_output(0, perm.empty() ? typed(dtype) : typed(dtype, unknown_dims(perm.size())));
    return;
  }
  if (perm.empty()) {
    ctx.set_output(0, typed(dtype, Dims(x->rbegin(), x->rend())));
    return;
  }
  if (perm.size() != x->size()) {
    ctx.refuse("perm must have {} entries for {}, found {}", x->size(), to_string(ctx.input(0)), perm.size());
  }
  Dims y;
  for (size_t axis : axes_in(ctx, perm, static_cast<int64_t>(x->size()))) y.push_back((*x)[axis]);
  ctx.set_output(0, typed(dtype, std::move(y)));
}

void depth_to_space(InferContext& ctx) {
  require_rank(ctx, 0, 4, 4);
  const int64_t block = blocksize_of(ctx);
  TensorType type = ctx.input(0);
  if (const Dims* x = dims_of(ctx, 0)) {
    type.shape = Dims{(*x)[0], divide(ctx, (*x)[1], multiply_checked(ctx, block, block), "the channels"),
                      multiply(ctx, (*x)[2], block), multiply(ctx, (*x)[3], block)};
  }
  ctx.set_output(0, std::move(type));
}

void space_to_depth(InferContext& ctx) {
  require_rank(ctx, 0, 4, 4);
  const int64_t block = blocksize_of(ctx);
  TensorType type = ctx.input(0);
  if (const Dims* x = dims_of(ctx, 0)) {
    type.shape = Dims{(*x)[0], multiply(ctx, (*x)[1], multiply_checked(ctx, block, block)),
                      divide(ctx, (*x)[2], block, "the height"), divide(ctx, (*x)[3], block, "the width")};
  }
  ctx.set_output(0, std::move(type));
}

}  // namespace halftone::rules
