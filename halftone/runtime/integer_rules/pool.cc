// Pools and means over the spatial dimensions, and means over neighbouring axes.
#include "halftone/kernels/max_pool/max_pool.h"
#include "halftone/kernels/mean_pool/mean_pool.h"
#include "halftone/kernels/row_mean/row_mean.h"
#include "halftone/runtime/integer_rules/code_steps.h"
#include "halftone/runtime/split.h"
#include "halftone/sim/ops/pool_loops.h"

namespace halftone::runtime {
namespace {

// One image of the input and the output of a pool.
struct Images {
  kernels::Window window;
  int64_t count = 1;
  int64_t from_stride = 0, to_stride = 0;  // bytes from image to image

  Images(const Place& from, const Place& to, const kernels::Window& extents) : window(extents) {
    const Channels x = channels_of(from.shape), y = channels_of(to.shape);
    window.channels = x.c;
    window.from_stride = from.pixel_stride;
    window.to_stride = to.layout == Layout::Plain ? y.c : to.pixel_stride;
    count = x.n;
    from_stride = x.s * window.from_stride;
    to_stride = y.s * window.to_stride;
  }
};

// The window of the node, or of a pool over everything.
kernels::Window read_window(Lowering& lowering, const Shape& x) {
  const Node& node = lowering.node();
  const sim::OpCall call{lowering.graph(), node, lowering.graph().opset(), {}};
  const sim::ops::Window read = sim::ops::read_pool_shape(call, x).window;
  kernels::Window window;
  window.in = read.in;
  window.out = read.out;
  window.kernel = read.kernel;
  window.stride = read.stride;
  window.dilation = read.dilation;
  window.pad_begin = read.pad_begin;
  window.pad_end = read.pad_end;
  return window;
}

kernels::Window whole_window(const Shape& x) {
  kernels::Window window;
  window.in = window.kernel = {1, 1, channels_of(x).s};
  return window;
}

// Windows all of whose taps may lie in the padding.
bool may_be_empty(const kernels::Window& window) {
  for (size_t axis = 0; axis < 3; ++axis) {
    const int64_t pad = std::max(window.pad_begin[axis], window.pad_end[axis]);
    if (pad > 0 && (window.dilation[axis] > 1 || pad >= window.kernel[axis])) return true;
  }
  return false;
}

// Adds a step in parts of output pixels of single images: `work(image of from, image of to, first, last pixel)`.
template <typename Work>
void add_image_step(Lowering& lowering, const Images& images, const Operand& from, const Operand& to, Work work) {
  const int64_t pixels = images.window.out_pixels(), total = images.count * pixels;
  const int64_t bytes = total * images.window.taps() * images.window.channels;
  const Split split{total, 1, std::clamp<int64_t>(bytes / kCodeGrain, 1, std::min<int64_t>(lowering.threads(), total))};
  Step step{describe(lowering.graph(), lowering.node()), split.parts(), nullptr};
  step.bind = [images, from, to, pixels, split, work](RunMemory& memory) -> Step::Work {
    const auto* source = reinterpret_cast<const uint8_t*>(memory.at(from));
    auto* target = reinterpret_cast<uint8_t*>(memory.at(to));
    return [=](int part) {
      for (int64_t begin = split.begin(part); begin < split.end(part);) {
        const int64_t image = begin / pixels, first = begin - image * pixels;
        const int64_t last = std::min(pixels, first + split.end(part) - begin);
        work(source + image * images.from_stride, target + image * images.to_stride, first, last);
        begin += last - first;
      }
    };
  };
  lowering.add_step(std::move(step), {from, to});
}

kernels::MeanProblem mean_problem(const IntegerNode& plan) {
  return {plan.outputs[0].mode, kernels::stored_grid(*plan.inputs[0]).zero_point, stored_bounds(plan.outputs[0])};
}

bool is_image(const std::optional<Shape>& shape) { return shape && shape->size() >= 3 && element_count(*shape) > 0; }

void add_mean_pool(Lowering& lowering, const IntegerNode& plan, const Images& images, bool include_pad,
                   const Operand& from, const Operand& to) {
  auto pool = std::make_shared<kernels::MeanPool>();
  pool->window = images.window;
  pool->problem = mean_problem(plan);
  pool->include_pad = include_pad;
  pool->factors.resize(1);
  for (int64_t n = 1; n <= pool->window.taps(); ++n) {
    pool->factors.push_back(kernels::make_factor(plan.mean_multiplier(n)));
  }
  const kernels::Choice<kernels::MeanPoolKernel> choice = choose_mean_pool(pool->problem);
  lowering.note_choice(choice);
  pool->kernel = choice.kernel;
  add_image_step(lowering, images, from, to,
                 [pool](const uint8_t* source, uint8_t* target, int64_t first, int64_t last) {
                   pool->run(source, target, first, last);
                 });
}

}  // namespace

std::string lower_integer_max_pool(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  const Node& node = lowering.node();
  if (!node.is("MaxPool") && !node.is("GlobalMaxPool")) return "no maximum over windows";
  if (!all_narrow(plan)) return "codes of more than 8 bits";
  const std::optional<Shape> x = lowering.float_shape(node.inputs[0]), y = lowering.float_shape(node.outputs[0]);
  if (!is_image(x) || !is_image(y)) return "a shape is unknown, or nothing to compute";

  const kernels::Window window = node.is("MaxPool") ? read_window(lowering, *x) : whole_window(*x);
  const IntegerOutput& output = plan.outputs[0];
  const kernels::Table table = requantize_table(plan, *plan.inputs[0], output.multipliers[0]);
  // What an empty window gives is the lowest code of the result's grid, which a table might map elsewhere.
  const kernels::StoredGrid grid = kernels::stored_grid(*plan.inputs[0]);
  if (may_be_empty(window) && table[static_cast<size_t>(grid.low)] != stored_bounds(output).low) {
    return "windows may lie in the padding alone, and the grid changes";
  }
  const Place from = lowering.codes(node.inputs[0], Layout::ChannelsLast);
  // Requantizing is monotone: the maximum is taken on the input's grid.
  const Place to = lowering.allocate_codes(*y, *plan.inputs[0], Layout::ChannelsLast);
  const Images images(from, to, window);
  const kernels::Choice<kernels::MaxPoolKernel> choice = choose_max_pool(images.window);
  lowering.note_choice(choice);
  add_image_step(lowering, images, from.where, to.where,
                 [window = images.window, kernel = choice.kernel, empty = static_cast<uint8_t>(grid.low)](
                     const uint8_t* source, uint8_t* target, int64_t first, int64_t last) {
                   max_pool(window, *kernel, empty, source, target, first, last);
                 });
  define_result(lowering, add_table(lowering, to, *output.grid, table));
  return "";
}

std::string lower_integer_mean_pool(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  if (plan.form != IntegerForm::WindowMean) return "no mean over windows";
  if (!all_narrow(plan)) return "codes of more than 8 bits";
  const Node& node = lowering.node();
  const std::optional<Shape> x = lowering.float_shape(node.inputs[0]), y = lowering.float_shape(node.outputs[0]);
  if (!is_image(x) || !is_image(y)) return "a shape is unknown, or nothing to compute";
  const Place from = lowering.codes(node.inputs[0], Layout::ChannelsLast);
  const Place to = lowering.allocate_codes(*y, *plan.outputs[0].grid, Layout::ChannelsLast);
  const Images images(from, to, read_window(lowering, *x));
  add_mean_pool(lowering, plan, images, node.int_or("count_include_pad", 0) != 0, from.where, to.where);
  define_result(lowering, to);
  return "";
}

std::string lower_integer_mean(Lowering& lowering) {
  const IntegerNode& plan = lowering.integers();
  if (plan.form != IntegerForm::Mean) return "no mean over axes";
  if (!all_narrow(plan)) return "codes of more than 8 bits";
  const Node& node = lowering.node();
  const std::optional<Shape> x = lowering.float_shape(node.inputs[0]), y = lowering.float_shape(node.outputs[0]);
  if (!x || !y || element_count(*x) == 0) return "a shape is unknown, or nothing to compute";
  if (plan.axes.empty()) return "no axes";
  const auto first = static_cast<size_t>(plan.axes.front()), last = static_cast<size_t>(plan.axes.back());
  if (last - first + 1 != plan.axes.size()) return "the axes are not neighbours";

  const bool spatial = first == 2 && last + 1 == x->size() && x->size() >= 3;
  const Place to = lowering.allocate_codes(*y, *plan.outputs[0].grid, Layout::Plain);
  if (spatial && natural_layout(lowering, node.inputs[0]) == Layout::ChannelsLast) {
    const Place from = lowering.codes(node.inputs[0], Layout::ChannelsLast);
    const Channels value = channels_of(*x);
    Place as_image = to;
    as_image.shape = {value.n, value.c};
    add_mean_pool(lowering, plan, {from, as_image, whole_window(*x)}, false, from.where, to.where);
    define_result(lowering, to);
    return "";
  }
  // [outer, averaged, inner] in the Plain layout.
  const auto product = [&](size_t begin, size_t end) {
    return element_count(Shape(x->begin() + static_cast<int64_t>(begin), x->begin() + static_cast<int64_t>(end)));
  };
  const int64_t outer = product(0, first), averaged = product(first, last + 1), inner = product(last + 1, x->size());
  const Place from = lowering.codes(node.inputs[0], Layout::Plain);
  if (inner > 1) {
    Place as_images = from, as_image = to;
    as_images.layout = Layout::ChannelsLast;
    as_images.shape = {outer, inner, averaged};
    as_images.pixel_stride = inner;
    as_image.shape = {outer, inner};
    add_mean_pool(lowering, plan, {as_images, as_image, whole_window(as_images.shape)}, false, from.where, to.where);
    define_result(lowering, to);
    return "";
  }
  const kernels::Choice<kernels::RowMeanKernel> choice = kernels::choose_row_mean(averaged);
  lowering.note_choice(choice);
  const Split split{outer, 1, std::clamp<int64_t>(outer * averaged / kCodeGrain, 1, lowering.threads())};
  Step step{describe(lowering.graph(), node), split.parts(), nullptr};
  step.bind = [problem = mean_problem(plan), factor = kernels::make_factor(plan.mean_multiplier(averaged)), averaged,
               kernel = choice.kernel, from = from.where, to = to.where, split](RunMemory& memory) -> Step::Work {
    const auto* source = reinterpret_cast<const uint8_t*>(memory.at(from));
    auto* target = reinterpret_cast<uint8_t*>(memory.at(to));
    return [=](int part) {
      const int64_t begin = split.begin(part);
      row_mean(problem, factor, *kernel, {split.end(part) - begin, averaged, averaged, 1}, source + begin * averaged,
               target + begin);
    };
  };
  lowering.add_step(std::move(step), {from.where, to.where});
  define_result(lowering, to);
  return "";
}

}  // namespace halftone::runtime
