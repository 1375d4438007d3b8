#include "halftone/train/fake_quantize.h"

#include <bit>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/train/slices.h"
#include "halftone/train/wide.h"

namespace halftone::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// One slice's grid, with the zero point that counts.
struct Grid {
  float scale, zero_point, low, high;  // codes relative to the zero point: low <= 0 <= high
};

Grid grid_of(const at::Tensor& scale, const at::Tensor& zero_point, const CodeGrid& codes, int64_t slice) {
  const auto at = [&](const at::Tensor& list) { return list.data_ptr<float>()[list.numel() == 1 ? 0 : slice]; };
  const auto low = static_cast<float>(codes.low), high = static_cast<float>(codes.high);
  const float z = std::clamp(std::nearbyintf(at(zero_point)), low, high);
  return {at(scale), z, low - z, high - z};
}

void check(const at::Tensor& x, const at::Tensor& list, const CodeGrid& codes) {
  HT_CHECK(x.scalar_type() == at::kFloat && list.scalar_type() == at::kFloat && list.is_contiguous());
  HT_CHECK(list.numel() == 1 || (codes.axis >= 0 && list.numel() == x.size(codes.axis)));
}

HT_WIDE void round_piece(const float* x, float* y, int64_t count, const Grid& grid) {
  const float low = grid.low, high = grid.high, scale = grid.scale;
  for (int64_t i = 0; i < count; ++i) {
    const float code = std::nearbyintf(x[i] / scale);
    const float above = code < low ? low : code;  // NaN stays
    y[i] = (above > high ? high : above) * scale;
  }
}

// What a piece adds to the gradients of its scale and its zero point.
struct Shares {
  double scale = 0, zero_point = 0;
};

struct Terms {
  alignas(64) float scale[kBlock], outside[kBlock];
};

// kInside: GridGradient::inside.
template <bool kInside>
__attribute__((always_inline)) inline void backward_block(const float* __restrict x, const float* __restrict dy,
                                                          float* __restrict dx, int64_t count, const Grid& grid,
                                                          Terms& __restrict terms) {
  const float low = grid.low, high = grid.high, scale = grid.scale;
  for (int64_t i = 0; i < count; ++i) {
    const float code = x[i] / scale, rounded = std::nearbyintf(code), given = dy[i];
    const float above = rounded < low ? low : rounded;
    const float clamped = above > high ? high : above;
    // Compared as integers, so that NaN counts as inside, as in what goes forward.
    const bool is_inside = std::bit_cast<int32_t>(clamped) == std::bit_cast<int32_t>(rounded);
    const float passed = is_inside ? given : 0.0f;
    const float without = is_inside ? (kInside ? code : clamped) : 0.0f;
    dx[i] = passed;
    terms.scale[i] = given * (clamped - without);
    terms.outside[i] = given - passed;
  }
}

HT_WIDE void backward_inside(const float* x, const float* dy, float* dx, int64_t count, const Grid& grid,
                             Terms& terms) {
  backward_block<true>(x, dy, dx, count, grid, terms);
}

HT_WIDE void backward_outside(const float* x, const float* dy, float* dx, int64_t count, const Grid& grid,
                              Terms& terms) {
  backward_block<false>(x, dy, dx, count, grid, terms);
}

Shares backward_piece(const float* x, const float* dy, float* dx, int64_t count, const Grid& grid, bool inside_too) {
  const auto block = inside_too ? backward_inside : backward_outside;
  StrandSum of_scale, outside;
  Terms terms = {};
  for (int64_t first = 0; first < count; first += kBlock) {
    if (count - first < kBlock) terms = {};  // the last strands may be incomplete
    block(x + first, dy + first, dx + first, std::min(kBlock, count - first), grid, terms);
    of_scale.add(terms.scale);
    outside.add(terms.outside);
  }
  return {of_scale.total(), -outside.total() * static_cast<double>(grid.scale)};
}

struct FakeQuantize : torch::autograd::Function<FakeQuantize> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& given, const at::Tensor& scale,
                            const at::Tensor& zero_point, double low, double high, int64_t axis, double factor,
                            bool inside) {
    const CodeGrid codes{low, high, axis};
    const at::Tensor x = given.contiguous();
    check(x, scale, codes);
    check(x, zero_point, codes);
    context->save_for_backward({x, scale, zero_point});
    context->saved_data["low"] = low;
    context->saved_data["high"] = high;
    context->saved_data["axis"] = axis;
    context->saved_data["factor"] = factor;
    context->saved_data["inside"] = inside;

    at::Tensor y = at::empty_like(x);
    const float* from = x.data_ptr<float>();
    float* to = y.data_ptr<float>();
    for_each_piece(Slices(x, axis), [&](int64_t slice, int64_t first, int64_t last, int64_t) {
      round_piece(from + first, to + first, last - first, grid_of(scale, zero_point, codes, slice));
    });
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &scale = saved[1], &zero_point = saved[2];
    const CodeGrid codes{context->saved_data["low"].toDouble(), context->saved_data["high"].toDouble(),
                         context->saved_data["axis"].toInt()};
    const double factor = context->saved_data["factor"].toDouble();
    const bool inside = context->saved_data["inside"].toBool();
    const at::Tensor dy = gradients[0].contiguous();
    at::Tensor dx = at::empty_like(x);
    const Slices slices(x, codes.axis);
    std::vector<double> of_scale(static_cast<size_t>(slices.count * pieces_per_slice(slices)));
    std::vector<double> of_zero_point(of_scale.size());
    const float *values = x.data_ptr<float>(), *from = dy.data_ptr<float>();
    float* to = dx.data_ptr<float>();
    for_each_piece(slices, [&](int64_t slice, int64_t first, int64_t last, int64_t number) {
      const Shares shares = backward_piece(values + first, from + first, to + first, last - first,
                                           grid_of(scale, zero_point, codes, slice), inside);
      of_scale[static_cast<size_t>(number)] = shares.scale * factor;
      of_zero_point[static_cast<size_t>(number)] = shares.zero_point * factor;
    });
    const auto summed = [&](const std::vector<double>& pieces, const at::Tensor& list) {
      at::Tensor sums = sums_of_slices(slices, pieces);
      if (list.numel() == 1 && slices.count > 1) sums = sums.sum();
      return sums.reshape(list.sizes());
    };
    return {dx, summed(of_scale, scale), summed(of_zero_point, zero_point), {}, {}, {}, {}, {}};
  }
};

}  // namespace

at::Tensor fake_quantize(const at::Tensor& x, const at::Tensor& scale, const at::Tensor& zero_point,
                         const CodeGrid& grid, const GridGradient& gradient) {
  return FakeQuantize::apply(x, scale, zero_point, grid.low, grid.high, grid.axis, gradient.factor, gradient.inside);
}

}  // namespace halftone::train
