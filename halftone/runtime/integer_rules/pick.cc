// Moves that no box describes (Resize, Gather, Expand, Tile, DepthToSpace ...): the operator's own function, run once
// on the numbers of the elements, says where each comes from.
#include "halftone/kernels/move/pick_pixels.h"
#include "halftone/runtime/integer_rules/code_steps.h"
#include "halftone/runtime/split.h"
#include "halftone/sim/interpreter.h"

namespace halftone::runtime {
namespace {

// Numbers of elements that float32 holds exactly.
constexpr int64_t kMostElements = int64_t{1} << 24;

// For each element of the result its number in the operand; empty where another operand is not constant.
std::vector<int32_t> find_sources(const Lowering& lowering, const Node& node, const Shape& x) {
  Tensor numbers(DType::Float, x);
  float next = 0;
  for (float& number : numbers.mutable_data<float>()) number = next++;
  sim::OpCall call{lowering.graph(), node, lowering.graph().opset(), {&numbers}};
  for (size_t i = 1; i < node.inputs.size(); ++i) {
    const Tensor* constant = lowering.constant(node.inputs[i]);
    if (node.inputs[i] != ValueId::None && constant == nullptr) return {};
    call.inputs.push_back(constant);
  }
  return to_vector<int32_t>(sim::compute(call)[0]);
}

// Whether all channels of all images are picked alike; then `pixels` tells for one of them.
bool picks_pixels(const std::vector<int32_t>& sources, const Shape& x, const Shape& y, std::vector<int32_t>& pixels) {
  if (x.size() < 3 || y.size() != x.size() || y[0] != x[0] || y[1] != x[1]) return false;
  const Channels from = channels_of(x), to = channels_of(y);
  pixels.assign(sources.begin(), sources.begin() + to.s);
  for (int64_t plane = 0; plane < to.n * to.c; ++plane) {
    for (int64_t i = 0; i < to.s; ++i) {
      if (sources[static_cast<size_t>(plane * to.s + i)] != plane * from.s + pixels[static_cast<size_t>(i)])
        return false;
    }
  }
  return true;
}

}  // namespace

std::string lower_integer_pick(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  const Node& node = lowering.node();
  if (plan.form != IntegerForm::Move || plan.outputs.size() != 1) return "no move with one result";
  if (node.is("MaxPool") || node.is("GlobalMaxPool") || node.is("Pad")) return "results are no elements of the operand";
  if (!all_narrow(plan)) return "codes of more than 8 bits";
  const std::optional<Shape> x = lowering.float_shape(node.inputs[0]), y = lowering.float_shape(node.outputs[0]);
  if (!x || !y || element_count(*y) == 0) return "a shape is unknown, or nothing to compute";
  if (element_count(*x) > kMostElements) return "too many elements to be numbered";
  std::vector<int32_t> sources = find_sources(lowering, node, *x);
  if (sources.empty()) return "the positions are computed by the network";

  std::vector<int32_t> pixels;
  const bool by_pixels = picks_pixels(sources, *x, *y, pixels);
  const Layout layout = by_pixels ? Layout::ChannelsLast : Layout::Plain;
  const IntegerOutput& output = plan.outputs[0];
  const Place from = add_table(lowering, lowering.codes(node.inputs[0], layout), *output.grid,
                               requantize_table(plan, *plan.inputs[0], output.multipliers[0]));
  const Place to = lowering.allocate_codes(*y, *output.grid, layout);
  // Without pixels in common, elements are pixels of one byte.
  const Channels value = by_pixels ? channels_of(*x) : Channels{1, 1, element_count(*x)};
  const int64_t from_stride = by_pixels ? from.pixel_stride : 1, to_stride = by_pixels ? to.pixel_stride : 1;
  const auto index = std::make_shared<const std::vector<int32_t>>(std::move(by_pixels ? pixels : sources));
  const auto picked = static_cast<int64_t>(index->size());
  const Split split{value.n * picked, 1, std::clamp<int64_t>(element_count(*y) / kCodeGrain, 1, lowering.threads())};
  Step step{describe(lowering.graph(), node), split.parts(), nullptr};
  step.bind = [from = from.where, to = to.where, value, from_stride, to_stride, index, picked,
               split](RunMemory& memory) -> Step::Work {
    const auto* source = reinterpret_cast<const uint8_t*>(memory.at(from));
    auto* target = reinterpret_cast<uint8_t*>(memory.at(to));
    return [=](int part) {
      for (int64_t begin = split.begin(part); begin < split.end(part);) {
        const int64_t image = begin / picked, first = begin - image * picked;
        const int64_t last = std::min(picked, first + split.end(part) - begin);
        kernels::pick_pixels(index->data(), from_stride, to_stride, value.c, source + image * value.s * from_stride,
                             target + image * picked * to_stride, first, last);
        begin += last - first;
      }
    };
  };
  lowering.add_step(std::move(step), {from.where, to.where});
  define_result(lowering, to);
  return "";
}

}  // namespace halftone::runtime
