#include "halftone/runtime/integer_rules/add_table.h"

#include "halftone/runtime/split.h"

namespace halftone::runtime {

// Bytes that are worth a second thread's attention.
constexpr int64_t kTableGrain = 4 * kEltwiseGrain;

void add_table(Lowering& lowering, ValueId x, ValueId y, const Grid& to, const kernels::Table& table) {
  const Place& held = lowering.held(x);
  const Place from = lowering.codes(x, held.grid                ? held.layout
                                       : held.shape.size() >= 4 ? Layout::ChannelsLast
                                                                : Layout::Plain);
  const bool dense = from.layout == Layout::Plain || from.pixel_stride == channels_of(from.shape).c;
  Place result = from;
  result.grid = to;
  if (!dense || !lowering.last_use(from, lowering.position())) {
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
                    std::clamp<int64_t>(rows.count * rows.columns / kTableGrain, 1, lowering.threads())};
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
  lowering.define(y, result);
}

}  // namespace halftone::runtime
