// Moves and concatenations as boxes of bytes.
#include "halftone/runtime/boxes.h"
#include "halftone/runtime/integer_rules/code_steps.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {
namespace {

struct Job {
  Operand from, to;
  std::vector<StridedCopy> copies;
};

void add_jobs(Lowering& lowering, std::vector<Job> jobs, const std::vector<Place>& results, bool fills, uint8_t fill) {
  std::vector<Operand> touched;
  int64_t bytes = 0;
  for (const Job& job : jobs) touched.push_back(job.from);
  for (const Place& result : results) {
    touched.push_back(result.where);
    bytes += element_count(result.shape);
  }
  // What fills comes before the copies, so that filled moves are one part.
  const int parts = fills ? 1 : static_cast<int>(std::clamp<int64_t>(bytes / kCodeGrain, 1, lowering.threads()));
  const auto shared = std::make_shared<const std::vector<Job>>(std::move(jobs));
  Step step{describe(lowering.graph(), lowering.node()), parts, nullptr};
  step.bind = [shared, to = results[0].where, bytes, parts, fills, fill](RunMemory& memory) -> Step::Work {
    return [shared, to, bytes, parts, fills, fill, &memory](int part) {
      if (fills) std::fill_n(reinterpret_cast<uint8_t*>(memory.at(to)), bytes, fill);
      for (const Job& job : *shared) {
        for (const StridedCopy& copy : job.copies) {
          const Split share{copy.dims[0], 1, parts};
          run_copy(copy, memory.at(job.from), memory.at(job.to), 1, share.begin(part), share.end(part));
        }
      }
    };
  };
  lowering.add_step(std::move(step), touched);
}

}  // namespace

std::string lower_integer_move(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  const Node& node = lowering.node();
  if (plan.form != IntegerForm::Move && plan.form != IntegerForm::Concatenation) return "no move";
  if (!all_narrow(plan)) return "codes of more than 8 bits";
  Move move;
  if (std::string reason = find_boxes(lowering, node, move); !reason.empty()) return reason;

  // Channels stay last where all operands have them there.
  bool last = move.keeps_channels;
  for (size_t i = 0; i < data_inputs(node); ++i) {
    const Shape& shape = lowering.held(node.inputs[i]).shape;
    last = last && shape.size() >= 3 && natural_layout(lowering, node.inputs[i]) == Layout::ChannelsLast;
  }
  const Layout layout = last ? Layout::ChannelsLast : Layout::Plain;
  // Grids change before the elements move, where one operand has one result; Split's results change theirs afterwards.
  const bool before = plan.outputs.size() == 1;
  std::vector<Place> sources, results;
  for (size_t i = 0; i < data_inputs(node); ++i) {
    const Place from = lowering.codes(node.inputs[i], layout);
    const float multiplier = plan.outputs[0].multipliers[i];
    if (before) {
      const kernels::Table table = requantize_table(plan, *plan.inputs[i], multiplier);
      sources.push_back(add_table(lowering, from, *plan.outputs[0].grid, table, data_inputs(node) == 1));
    } else {
      sources.push_back(from);
    }
  }
  for (size_t i = 0; i < plan.outputs.size(); ++i) {
    const Grid& grid = before ? *plan.outputs[i].grid : *plan.inputs[0];
    results.push_back(lowering.allocate_codes(*lowering.float_shape(plan.outputs[i].value), grid, layout));
  }
  std::vector<Job> jobs;
  for (const Move::Item& item : move.items) {
    const Place &from = sources[item.input], &to = results[item.output];
    jobs.push_back({from.where, to.where, copies_of(item.box, from, to)});
  }
  const int32_t offset = kernels::stored_offset(plan.outputs[0].grid->dtype);
  add_jobs(lowering, std::move(jobs), results, move.fills, static_cast<uint8_t>(plan.pad_code + offset));
  if (before) {
    define_result(lowering, results[0]);
    return "";
  }
  for (size_t i = 0; i < results.size(); ++i) {
    const IntegerOutput& output = plan.outputs[i];
    lowering.define(output.value, add_table(lowering, results[i], *output.grid,
                                            requantize_table(plan, *plan.inputs[0], output.multipliers[0], i)));
  }
  return "";
}

}  // namespace halftone::runtime
