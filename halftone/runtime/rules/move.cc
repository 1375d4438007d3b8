#include <algorithm>

#include "halftone/runtime/boxes.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {
namespace {

// Something that fills a whole place with one number: what the boxes leave out, and the padding of blocks.
void fill(std::byte* to, const Place& place, float value) {
  std::fill_n(reinterpret_cast<float*>(to), stored_elements(place.shape, place.layout), value);
}

}  // namespace

std::string lower_move(Lowering& lowering) {
  const Node& node = lowering.node();
  Move move;
  if (std::string reason = find_boxes(lowering, node, move); !reason.empty()) return reason;

  bool blocked = move.keeps_channels;
  for (size_t i = 0; i < data_inputs(node); ++i) {
    const Place place = lowering.place(node.inputs[i]);
    blocked = blocked && place.layout == Layout::Blocked && place.shape.size() >= 3;
  }
  struct Job {
    Place from, to;
    std::vector<StridedCopy> copies;
  };
  std::vector<Place> outputs;
  for (ValueId id : node.outputs) {
    outputs.push_back(lowering.allocate(lowering.type(id).dtype, *lowering.type(id).fixed_shape(),
                                        blocked ? Layout::Blocked : Layout::Plain));
  }
  const auto jobs = std::make_shared<std::vector<Job>>();
  std::vector<Operand> touched;
  int64_t elements = 0;
  for (const Move::Item& item : move.items) {
    const Place from = lowering.place(node.inputs[item.input]);
    const Place& to = outputs[item.output];
    jobs->push_back({from, to, copies_of(item.box, from, to)});
    touched.push_back(from.where);
    elements += stored_elements(to.shape, to.layout);
  }
  for (const Place& place : outputs) touched.push_back(place.where);
  const bool padded = blocked && std::ranges::any_of(outputs, [](const Place& place) {
                        return channels_of(place.shape).c != channels_of(place.shape).padded();
                      });
  const bool fills = move.fills || padded;
  const size_t size = static_cast<size_t>(bits_of(outputs[0].dtype)) / 8;
  // A fill comes before the copies, so filled moves are one part.
  const int parts = fills ? 1 : split_range(elements, lowering.threads(), kEltwiseGrain).parts();
  Step step{describe(lowering.graph(), node), parts, nullptr};
  step.bind = [jobs, outputs, fills, size, parts, value = move.fill](RunMemory& memory) -> Step::Work {
    return [jobs, outputs, fills, size, parts, value, &memory](int part) {
      if (fills) {
        for (const Place& place : outputs) fill(memory.at(place.where), place, value);
      }
      for (const Job& job : *jobs) {
        const std::byte* from = memory.at(job.from.where);
        std::byte* to = memory.at(job.to.where);
        for (const StridedCopy& copy : job.copies) {
          const Split share{copy.dims[0], 1, parts};
          run_copy(copy, from, to, size, share.begin(part), share.end(part));
        }
      }
    };
  };
  lowering.add_step(std::move(step), touched);
  for (size_t i = 0; i < outputs.size(); ++i) lowering.define(node.outputs[i], outputs[i]);
  return "";
}

}  // namespace halftone::runtime
