#include "halftone/transform/split_channels.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "halftone/base/error.h"
#include "halftone/graph/op_table.h"
#include "halftone/transform/layer_weights.h"

namespace halftone::transform {
namespace {

// Which input channel each one of the wider layer reads, and what share of its weights it has: halves of halves where a
// channel was split again.
struct Split {
  std::vector<int64_t> source;
  std::vector<float> share;
  float range = 0;  // the largest weight afterwards
};

Split choose(std::vector<float> largest, int64_t added) {
  Split split;
  split.source.resize(largest.size());
  std::iota(split.source.begin(), split.source.end(), 0);
  split.share.assign(largest.size(), 1);
  for (int64_t i = 0; i < added; ++i) {
    const auto worst = static_cast<size_t>(std::max_element(largest.begin(), largest.end()) - largest.begin());
    largest[worst] /= 2;
    split.share[worst] /= 2;
    largest.push_back(largest[worst]);
    split.share.push_back(split.share[worst]);
    split.source.push_back(split.source[worst]);
  }
  split.range = *std::max_element(largest.begin(), largest.end());
  return split;
}

std::vector<float> largest_by_input(std::span<const float> weights, const WeightLayout& layout) {
  std::vector<float> largest(static_cast<size_t>(layout.inputs()));
  layout.for_each([&](int64_t, int64_t in, int64_t offset) {
    float& most = largest[static_cast<size_t>(in)];
    for (int64_t k = offset; k < offset + layout.inner; ++k)
      most = std::max(most, std::abs(weights[static_cast<size_t>(k)]));
  });
  return largest;
}

// The weights of the wider layer. Parts of one weight lie evenly around their mean, `step` times their share apart, so
// that rounding them spreads as rounding the whole would: of two, (w - step / 2) / 2 and (w + step / 2) / 2.
Tensor widen(const Tensor& weights, const WeightLayout& layout, const Split& split, float step) {
  const auto inputs = static_cast<int64_t>(split.source.size());
  WeightLayout wide = layout;
  (layout.rows_are_outputs ? wide.columns : wide.rows) = inputs;
  Shape shape = weights.shape();
  shape[layout.rows_are_outputs ? 1 : 0] = inputs;
  std::vector<int> parts(static_cast<size_t>(layout.inputs()));
  for (const int64_t source : split.source) ++parts[static_cast<size_t>(source)];
  Tensor result(DType::Float, shape);
  const std::span<const float> from = weights.data<float>();
  const std::span<float> to = result.mutable_data<float>();
  wide.for_each([&](int64_t out, int64_t in, int64_t offset) {
    const auto at = static_cast<size_t>(in);
    const int64_t source = split.source[at];
    const bool halves = parts[static_cast<size_t>(source)] == 2;
    const float shift = !halves ? 0 : (in < layout.inputs() ? -step / 4 : step / 4);
    const int64_t row = layout.rows_are_outputs ? out : source, column = layout.rows_are_outputs ? source : out;
    const int64_t first = (row * layout.columns + column) * layout.inner;
    for (int64_t k = 0; k < layout.inner; ++k) {
      to[static_cast<size_t>(offset + k)] = from[static_cast<size_t>(first + k)] * split.share[at] + shift;
    }
  });
  return result;
}

bool split_layer(Graph& graph, size_t i, const SplitOptions& options, ChannelSplit& result) {
  static const KeepNames kNone;
  const RewriteIndex index(graph, kNone);
  const Node& node = graph.nodes()[i];
  if (!node.is("Conv") && !node.is("Gemm")) return false;
  const Tensor* content = index.fixed_constant(node.input(1));
  if (content == nullptr || content->dtype() != DType::Float || node.int_or("transA", 0) != 0) return false;
  const Tensor weights = *content;
  const std::optional<WeightLayout> layout = weight_layout(node, weights.shape());
  if (!layout || layout->groups != 1) return false;
  const std::span<const float> numbers = weights.data<float>();
  if (!std::all_of(numbers.begin(), numbers.end(), [](float w) { return std::isfinite(w); })) return false;

  const std::vector<float> largest = largest_by_input(numbers, *layout);
  const auto added = static_cast<int64_t>(std::ceil(options.ratio * static_cast<double>(layout->inputs())));
  const Split split = choose(largest, added);
  const float step = split.range / static_cast<float>((int64_t{1} << (options.bits - 1)) - 1);
  if (*std::max_element(largest.begin(), largest.end()) < split.range + step || step == 0) return false;

  const ValueId x = node.inputs[0];
  const std::string x_name = graph.value(x).name, w_name = graph.value(node.inputs[1]).name;
  Node gather;
  gather.op_type = "Gather";
  if (!node.name.empty()) gather.name = node.name + "_split";
  const Tensor places = Tensor::from<int64_t>({static_cast<int64_t>(split.source.size())}, split.source);
  gather.inputs = {x, graph.add_constant(graph.fresh_name(w_name + "_channels"), places)};
  gather.outputs = {graph.add_value(graph.fresh_name(x_name + "_split"))};
  gather.set_attribute("axis", int64_t{1});
  Tensor wide = widen(weights, *layout, split, step);
  const ValueId w = replace_constant(graph, index, node.inputs[1], std::move(wide));
  Node& layer = graph.nodes()[i];
  layer.inputs[0] = gather.outputs[0];
  layer.inputs[1] = w;
  graph.nodes().insert(graph.nodes().begin() + static_cast<std::ptrdiff_t>(i), std::move(gather));
  ++result.layers;
  result.channels += added;
  return true;
}

}  // namespace

ChannelSplit split_channels(Graph graph, const SplitOptions& options) {
  if (!(options.ratio >= 0 && options.ratio <= 1)) {
    fail(ErrorCode::InvalidArgument, "split_channels", "ratio must lie between 0 and 1, found {}", options.ratio);
  }
  if (options.bits < 2 || options.bits > 16) {
    fail(ErrorCode::InvalidArgument, "split_channels", "bits must lie between 2 and 16, found {}", options.bits);
  }
  ChannelSplit result;
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    if (split_layer(graph, i, options, result)) ++i;
  }
  result.graph = std::move(graph);
  infer_shapes(result.graph);
  return result;
}

}  // namespace halftone::transform
