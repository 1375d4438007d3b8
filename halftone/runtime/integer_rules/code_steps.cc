#include "halftone/runtime/integer_rules/code_steps.h"

#include <algorithm>

#include "halftone/kernels/wide_grid.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {
namespace {

bool changes_nothing(const kernels::Table& table, const Grid& from) {
  const kernels::StoredGrid grid = kernels::stored_grid(from);
  for (int32_t code = grid.low; code <= grid.high; ++code) {
    if (table[static_cast<size_t>(code)] != code) return false;
  }
  return true;
}

}  // namespace

Layout natural_layout(const Lowering& lowering, ValueId id) {
  const Place& held = lowering.held(id);
  if (held.grid) return held.layout;
  return held.shape.size() >= 4 ? Layout::ChannelsLast : Layout::Plain;
}

Place add_table(Lowering& lowering, const Place& from, const Grid& to, const kernels::Table& table, bool by_itself) {
  Place result = from;
  result.grid = to;
  if (changes_nothing(table, *from.grid)) return result;
  const bool dense = from.layout == Layout::Plain || from.pixel_stride == channels_of(from.shape).c;
  if (!dense || !by_itself || !lowering.last_use(from, lowering.position())) {
    result = lowering.allocate_codes(from.shape, to, from.layout);
  }
  kernels::Rows rows{1, element_count(from.shape), 0, 0};
  if (!dense) {
    const Channels value = channels_of(from.shape);
    rows = {value.n * value.s, value.c, from.pixel_stride, value.c};
  }
  const kernels::Choice<kernels::LutKernel> choice = kernels::choose_lut(table);
  lowering.note_choice(choice);
  const int64_t units = dense ? rows.columns : rows.count;
  const Split split{units, dense ? 64 : 1,
                    std::clamp<int64_t>(rows.count * rows.columns / kCodeGrain, 1, lowering.threads())};
  Step step{describe(lowering.graph(), lowering.node()), split.parts(), nullptr};
  step.bind = [from, result, table, rows, dense, split, run = choice.kernel->run](RunMemory& memory) -> Step::Work {
    const auto* source = reinterpret_cast<const uint8_t*>(memory.at(from.where));
    auto* target = reinterpret_cast<uint8_t*>(memory.at(result.where));
    return [=](int part) {
      const int64_t begin = split.begin(part);
      kernels::Rows share = rows;
      (dense ? share.columns : share.count) = split.end(part) - begin;
      run(table.data(), share, source + begin * (dense ? 1 : rows.from_stride),
          target + begin * (dense ? 1 : rows.to_stride));
    };
  };
  lowering.add_step(std::move(step), {from.where, result.where});
  return result;
}

kernels::Table requantize_table(const IntegerNode& plan, const Grid& from, float multiplier, size_t output) {
  const IntegerOutput& to = plan.outputs[output];
  return kernels::requantize_table(to.mode, kernels::stored_grid(from).zero_point, multiplier, stored_bounds(to));
}

bool all_narrow(const IntegerNode& plan) {
  return std::all_of(plan.inputs.begin(), plan.inputs.end(),
                     [](const std::optional<Grid>& grid) { return !grid || is_narrow(*grid); }) &&
         std::all_of(plan.outputs.begin(), plan.outputs.end(),
                     [](const IntegerOutput& output) { return !output.grid || is_narrow(*output.grid); });
}

bool any_bits(const IntegerNode& plan) {
  const auto is_bits = [](const std::optional<Grid>& grid) { return grid && grid->dtype == DType::Bit; };
  return std::any_of(plan.inputs.begin(), plan.inputs.end(), is_bits) ||
         std::any_of(plan.outputs.begin(), plan.outputs.end(),
                     [&](const IntegerOutput& output) { return is_bits(output.grid); });
}

bool works_on_wide(const IntegerNode& plan) {
  const std::optional<Grid>&from = plan.inputs[0], &to = plan.outputs[0].grid;
  return (from && is_wide(*from)) || (to && is_wide(*to));
}

kernels::StoredGrid stored_bounds(const IntegerOutput& output) {
  const DType dtype = output.grid->dtype;
  const int32_t offset = is_wide(*output.grid) ? kernels::wide_offset(dtype) : kernels::stored_offset(dtype);
  return {output.grid->zero_point + offset, output.low + offset, output.high + offset};
}

void define_result(Lowering& lowering, const Place& place) {
  if (const int activation = lowering.absorbed_activation(); activation >= 0) lowering.absorb(activation);
  lowering.define(lowering.integers().outputs[0].value, place);
}

}  // namespace halftone::runtime
