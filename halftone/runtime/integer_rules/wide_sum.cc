// Sums of two operands of the result's shape, where one of the three has more than 8 bits: residual connections. The
// arithmetic is quant/requantize.h's own, in loops that the compiler vectorizes.
#include "halftone/kernels/wide_grid.h"
#include "halftone/runtime/codes.h"
#include "halftone/runtime/integer_rules/code_steps.h"
#include "halftone/runtime/layout.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {
namespace {

struct WideSum {
  int32_t zero_points[2];
  float multipliers[2];
  DyadicSum dyadic;
  kernels::StoredGrid to;
};

using Run = void (*)(const WideSum& sum, const std::byte* a, const std::byte* b, std::byte* to, int64_t first,
                     int64_t last);

template <typename A, typename B, typename To, bool kFloat>
void run(const WideSum& sum, const std::byte* a, const std::byte* b, std::byte* to, int64_t first, int64_t last) {
  const auto* x = reinterpret_cast<const A*>(a);
  const auto* y = reinterpret_cast<const B*>(b);
  auto* z = reinterpret_cast<To*>(to);
  const WideSum s = sum;  // which writing to z can't change
  for (int64_t i = first; i < last; ++i) {
    const int32_t p = x[i] - s.zero_points[0], q = y[i] - s.zero_points[1];
    if constexpr (kFloat) {
      const float left = static_cast<float>(p) * s.multipliers[0], right = static_cast<float>(q) * s.multipliers[1];
      z[i] = static_cast<To>(to_code(left + right, s.to.zero_point, s.to.low, s.to.high));
    } else {
      z[i] = static_cast<To>(requantize_dyadic_sum(p, q, s.dyadic, s.to.zero_point, s.to.low, s.to.high));
    }
  }
}

template <typename A, typename B>
Run choose(bool wide_result, bool is_float) {
  if (wide_result) return is_float ? run<A, B, int16_t, true> : run<A, B, int16_t, false>;
  return is_float ? run<A, B, uint8_t, true> : run<A, B, uint8_t, false>;
}

Run choose(const Place& a, const Place& b, const Place& to, RequantizeMode mode) {
  const bool wide = is_wide(*to.grid), is_float = mode == RequantizeMode::Float;
  if (is_wide(*a.grid)) {
    return is_wide(*b.grid) ? choose<int16_t, int16_t>(wide, is_float) : choose<int16_t, uint8_t>(wide, is_float);
  }
  return is_wide(*b.grid) ? choose<uint8_t, int16_t>(wide, is_float) : choose<uint8_t, uint8_t>(wide, is_float);
}

bool is_dense(const Place& place) {
  return place.layout == Layout::Plain || place.pixel_stride == channels_of(place.shape).c * code_bytes(*place.grid);
}

int32_t zero_point(const Grid& grid) {
  return (is_wide(grid) ? kernels::wide_grid(grid) : kernels::stored_grid(grid)).zero_point;
}

}  // namespace

std::string lower_integer_wide_sum(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  if (plan.form != IntegerForm::Sum) return "no sum of two operands";
  if (all_narrow(plan)) return "codes of at most 8 bits";
  if (any_bits(plan)) return "codes of single bits";
  if (plan.constant_input >= 0) return "an operand is constant";
  const Node& node = lowering.node();
  const std::optional<Shape> shape = lowering.float_shape(node.outputs[0]);
  if (!shape) return "a shape is unknown";
  if (lowering.float_shape(node.inputs[0]) != shape || lowering.float_shape(node.inputs[1]) != shape) {
    return "an operand repeats";
  }
  for (ValueId id : node.inputs) {
    if (lowering.held(id).grid && !is_dense(lowering.held(id))) return "an operand has gaps";
  }
  const Layout layout = natural_layout(lowering, node.inputs[0]);
  const Place a = lowering.codes(node.inputs[0], layout), b = lowering.codes(node.inputs[1], layout);

  const IntegerOutput& output = plan.outputs[0];
  const Place result = lowering.allocate_codes(*shape, *output.grid, layout);
  const WideSum sum = {{zero_point(*plan.inputs[0]), zero_point(*plan.inputs[1])},
                       {output.multipliers[0], output.multipliers[1]},
                       plan.dyadic_sum,
                       stored_bounds(output)};
  const Split split = split_range(element_count(*shape), lowering.threads(), kCodeGrain / 4);
  Step step{describe(lowering.graph(), node), split.parts(), nullptr};
  step.bind = [sum, split, from_a = a.where, from_b = b.where, to = result.where,
               compute = choose(a, b, result, output.mode)](RunMemory& memory) -> Step::Work {
    return [=, x = memory.at(from_a), y = memory.at(from_b), z = memory.at(to)](int part) {
      compute(sum, x, y, z, split.begin(part), split.end(part));
    };
  };
  lowering.add_step(std::move(step), {a.where, b.where, result.where});
  define_result(lowering, result);
  return "";
}

}  // namespace halftone::runtime
