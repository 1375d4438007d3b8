// Sums and products of two operands, element by element, with broadcasting.
#include <algorithm>

#include "halftone/kernels/pair_loops.h"
#include "halftone/kernels/product/product.h"
#include "halftone/kernels/sum/sum.h"
#include "halftone/runtime/integer_rules/code_steps.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {
namespace {

// Strides of an operand along the axes of a result of that rank, 0 where it repeats.
std::vector<int64_t> broadcast_strides(const Shape& shape, const std::vector<int64_t>& own, size_t rank) {
  std::vector<int64_t> strides(rank, 0);
  const size_t missing = rank - shape.size();
  for (size_t axis = 0; axis < shape.size(); ++axis) strides[missing + axis] = shape[axis] == 1 ? 0 : own[axis];
  return strides;
}

std::vector<int64_t> strides_of(const Place& place) {
  std::vector<int64_t> strides = contiguous_strides(place.shape);
  if (place.layout == Layout::Plain) return strides;
  for (size_t axis = 2; axis < strides.size(); ++axis) strides[axis] *= place.pixel_stride;
  strides[0] = channels_of(place.shape).s * place.pixel_stride;
  strides[1] = 1;
  return strides;
}

// An operand: codes of the run, or constants of the plan.
struct PairOperand {
  Operand where;
  Shape shape;
  std::vector<int64_t> strides;
  bool constant = false;
};

// Floats, or what dyadic mode makes of them, as the kernels take them.
PairOperand constant_operand(Lowering& lowering, const IntegerNode& plan) {
  PairOperand operand{{}, plan.constant.shape(), contiguous_strides(plan.constant.shape()), true};
  const auto count = static_cast<size_t>(plan.constant.size());
  const auto put = [&](const auto& elements) {
    const size_t bytes = elements.size() * sizeof(elements[0]);
    operand.where = lowering.constant_blob(
        "constant", [&] { return bytes; },
        [&](std::byte* to) { std::copy_n(reinterpret_cast<const std::byte*>(elements.data()), bytes, to); });
  };
  if (plan.outputs[0].mode == RequantizeMode::Float) {
    put(plan.constant.data<float>());
  } else if (plan.form == IntegerForm::Sum) {
    const std::span<const int64_t> exact = plan.constant.data<int64_t>();
    put(std::vector<int32_t>(exact.begin(), exact.end()));
  } else {
    std::vector<Dyadic> factors;
    factors.reserve(count);
    for (float factor : plan.constant.data<float>()) factors.push_back(make_dyadic(factor));
    put(factors);
  }
  return operand;
}

// Axes of the result in the order in which its elements lie.
std::vector<size_t> memory_order(const Place& result) {
  std::vector<size_t> order;
  for (size_t axis = 0; axis < result.shape.size(); ++axis) {
    if (result.layout == Layout::Plain || axis != 1) order.push_back(axis);
  }
  if (result.layout == Layout::ChannelsLast) order.push_back(1);
  return order;
}

kernels::PairLoops loops_of(const Place& result, const PairOperand& a, const PairOperand& b) {
  const size_t rank = result.shape.size();
  const std::vector<int64_t> to = strides_of(result), from_a = broadcast_strides(a.shape, a.strides, rank),
                             from_b = broadcast_strides(b.shape, b.strides, rank);
  std::vector<kernels::PairAxis> axes;
  for (size_t axis : memory_order(result)) axes.push_back({result.shape[axis], from_a[axis], from_b[axis], to[axis]});
  if (axes.empty()) axes.push_back({1, 1, 1, 1});
  return kernels::make_pair_loops(axes);
}

// Adds the step; `run(rows, a, b, to)` is the kernel with its problem, `b_size` bytes the size of b's elements.
template <typename Run>
void add_pair_step(Lowering& lowering, const kernels::PairLoops& loops, const PairOperand& a, const PairOperand& b,
                   size_t b_size, const Place& result, const Run& run) {
  // A single row is cut into columns.
  const bool one_row = loops.row_count() == 1;
  const int64_t units = one_row ? loops.rows.columns : loops.row_count();
  const int64_t parts = std::clamp<int64_t>(element_count(result.shape) / kCodeGrain, 1, lowering.threads());
  const Split split{units, one_row ? 64 : 1, parts};
  Step step{describe(lowering.graph(), lowering.node()), split.parts(), nullptr};
  step.bind = [loops, a = a.where, b = b.where, b_size, to = result.where, one_row, split,
               run](RunMemory& memory) -> Step::Work {
    const auto* first = reinterpret_cast<const uint8_t*>(memory.at(a));
    const std::byte* second = memory.at(b);
    auto* target = reinterpret_cast<uint8_t*>(memory.at(to));
    return [=](int part) {
      const int64_t begin = split.begin(part), end = split.end(part);
      loops.run(one_row ? 0 : begin, one_row ? 1 : end,
                [&](const kernels::PairRows& all, int64_t at_a, int64_t at_b, int64_t at_to) {
                  kernels::PairRows rows = all;
                  const int64_t skipped = one_row ? begin : 0;
                  if (one_row) rows.columns = end - begin;
                  run(rows, first + at_a + skipped * loops.a_step,
                      second + static_cast<size_t>(at_b + skipped * loops.b_step) * b_size, target + at_to + skipped);
                });
    };
  };
  lowering.add_step(std::move(step), {a.where, b.where, result.where});
}

void add_sum(Lowering& lowering, const IntegerNode& plan, size_t first, const kernels::PairLoops& loops,
             const PairOperand& a, const PairOperand& b, const Place& result) {
  const IntegerOutput& output = plan.outputs[0];
  kernels::SumProblem problem;
  problem.mode = output.mode;
  problem.b_is_constant = b.constant;
  problem.a_zero_point = kernels::stored_grid(*plan.inputs[first]).zero_point;
  problem.dyadic = plan.dyadic_sum;
  problem.a_multiplier = output.multipliers[b.constant ? 0 : first];
  if (!b.constant) {
    problem.b_zero_point = kernels::stored_grid(*plan.inputs[1 - first]).zero_point;
    problem.b_multiplier = output.multipliers[1 - first];
    if (first == 1) std::swap(problem.dyadic.multiplier_a, problem.dyadic.multiplier_b);
  }
  problem.to = stored_bounds(output);
  problem.a_step = loops.a_step;
  problem.b_step = loops.b_step;
  const kernels::Choice<kernels::SumKernel> choice = choose_sum(problem);
  lowering.note_choice(choice);
  add_pair_step(
      lowering, loops, a, b, b.constant ? 4 : 1, result,
      [problem, kernel = choice.kernel->run](const kernels::PairRows& rows, const uint8_t* x, const std::byte* y,
                                             uint8_t* to) { kernel(problem, rows, x, y, to); });
}

void add_product(Lowering& lowering, const IntegerNode& plan, size_t first, const kernels::PairLoops& loops,
                 const PairOperand& a, const PairOperand& b, const Place& result) {
  const IntegerOutput& output = plan.outputs[0];
  kernels::ProductProblem problem;
  problem.mode = output.mode;
  problem.b_is_constant = b.constant;
  problem.a_zero_point = kernels::stored_grid(*plan.inputs[first]).zero_point;
  if (!b.constant) {
    problem.b_zero_point = kernels::stored_grid(*plan.inputs[1 - first]).zero_point;
    problem.factor = kernels::make_factor(output.multipliers[0]);
  }
  problem.to = stored_bounds(output);
  problem.a_step = loops.a_step;
  problem.b_step = loops.b_step;
  const kernels::Choice<kernels::ProductKernel> choice = choose_product(problem);
  lowering.note_choice(choice);
  const size_t constant_size = output.mode == RequantizeMode::Float ? sizeof(float) : sizeof(Dyadic);
  add_pair_step(
      lowering, loops, a, b, b.constant ? constant_size : 1, result,
      [problem, kernel = choice.kernel->run](const kernels::PairRows& rows, const uint8_t* x, const std::byte* y,
                                             uint8_t* to) { kernel(problem, rows, x, y, to); });
}

}  // namespace

std::string lower_integer_pair(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  if (plan.form != IntegerForm::Sum && plan.form != IntegerForm::Product) return "no sum or product of two operands";
  if (!all_narrow(plan)) return "codes of more than 8 bits";
  const Node& node = lowering.node();
  const std::optional<Shape> shape = lowering.float_shape(node.outputs[0]);
  if (!shape) return "a shape is unknown";
  if (element_count(*shape) == 0) return "nothing to compute";

  // Operands of the result's shape are taken in its layout: that of the first of them.
  const auto full = [&](size_t i) {
    return static_cast<int>(i) != plan.constant_input && lowering.float_shape(node.inputs[i]) == shape;
  };
  if (!full(0) && !full(1)) return "both operands repeat";
  const size_t leader = full(0) ? 0 : 1;
  const Layout layout = natural_layout(lowering, node.inputs[leader]);
  PairOperand operands[2];
  std::optional<Place> in_place;
  for (size_t i = 0; i < 2; ++i) {
    if (static_cast<int>(i) == plan.constant_input) {
      operands[i] = constant_operand(lowering, plan);
      continue;
    }
    const Place place = lowering.codes(node.inputs[i], full(i) ? layout : Layout::Plain);
    operands[i] = {place.where, place.shape, strides_of(place)};
    const bool dense = layout == Layout::Plain || place.pixel_stride == channels_of(place.shape).c;
    if (full(i) && dense && lowering.last_use(place, lowering.position())) in_place = place;
  }
  // Where only one operand repeats, or is a constant, kernels want it second.
  const size_t first = leader;
  const PairOperand &a = operands[first], &b = operands[1 - first];
  Place result = in_place ? *in_place : lowering.allocate_codes(*shape, *plan.outputs[0].grid, layout);
  result.grid = plan.outputs[0].grid;
  const kernels::PairLoops loops = loops_of(result, a, b);
  if (plan.form == IntegerForm::Sum) {
    add_sum(lowering, plan, first, loops, a, b, result);
  } else {
    add_product(lowering, plan, first, loops, a, b, result);
  }
  define_result(lowering, result);
  return "";
}

}  // namespace halftone::runtime
