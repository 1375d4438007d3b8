#include "halftone/transform/channel_links.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace halftone::transform::channel_links {
namespace {

const Node& node_of(const ChannelLinks& links, int i) { return links.graph().nodes()[static_cast<size_t>(i)]; }

// Weights may be rescaled when they are finite floats that only this node reads.
bool link_layer(ChannelLinks& links, int i) {
  const Node& node = node_of(links, i);
  const ValueId x = node.input(0), y = node.output(0), w = node.input(1);
  const Tensor* weights = links.index().replaceable_floats(w);
  if (weights == nullptr || links.index().sole_consumer(w) != i || node.int_or("transA", 0) != 0) return false;
  const std::optional<WeightLayout> layout = weight_layout(node, weights->shape());
  if (!layout || links.channels(x) != layout->inputs() || links.channels(y) != layout->outputs()) return false;
  // The channels of a matrix product are its columns.
  if ((node.is("Gemm") || node.is("MatMul")) && links.rank(x) != 2) return false;
  if (!bias_of(links.index(), node, layout->outputs())) return false;
  const std::span<const float> numbers = weights->data<float>();
  if (!std::all_of(numbers.begin(), numbers.end(), [](float v) { return std::isfinite(v); })) return false;
  links.layers.push_back({i, x, y, *layout});
  return true;
}

bool link_same(ChannelLinks& links, int i) {
  const Node& node = node_of(links, i);
  for (size_t k = 1; k < node.inputs.size(); ++k) links.fix(node.inputs[k]);
  return links.join_all(node.input(0), node.output(0));
}

bool link_dropout(ChannelLinks& links, int i) {
  const ValueId training = node_of(links, i).input(2);
  const Tensor* flag = links.constant(training);
  const bool inference = training == ValueId::None || (flag != nullptr && to_vector<int32_t>(*flag) == std::vector{0});
  return inference && link_same(links, i);
}

bool link_resize(ChannelLinks& links, int i) {
  const Node& node = node_of(links, i);
  return node.string_or("coordinate_transformation_mode", "half_pixel") != "tf_crop_and_resize" && link_same(links, i);
}

bool link_clip(ChannelLinks& links, int i) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kMost = std::numeric_limits<float>::max();  // what exporters write for no bound
  const Node& node = node_of(links, i);
  const std::optional<float> low = links.number(node, "min", 1, -kInfinity);
  const std::optional<float> high = links.number(node, "max", 2, kInfinity);
  if (!low || !high) return false;
  const bool bounded = *high < kMost;
  if (bounded ? *low != 0 || !(*high > 0) : *low != 0 && *low > -kMost) return false;
  if (!links.join_all(node.input(0), node.output(0))) return false;
  if (bounded) links.clips.push_back({i, *high});
  return true;
}

bool link_transpose(ChannelLinks& links, int i) {
  const std::vector<int64_t> order = node_of(links, i).ints_or("perm", {});
  return order.size() >= 2 && order[0] == 0 && order[1] == 1 && link_same(links, i);
}

// Over axes that hold no channels.
bool link_reduce(ChannelLinks& links, int i) {
  const Node& node = node_of(links, i);
  const std::optional<std::vector<int64_t>> axes = links.list(node, "axes", 1);
  const int64_t rank = links.rank(node.input(0));
  if (!axes || axes->empty()) return false;
  const bool spatial = std::all_of(axes->begin(), axes->end(), [&](int64_t axis) {
    const int64_t positive = axis < 0 ? axis + rank : axis;
    return positive >= 2 && positive < rank;
  });
  return spatial && links.join_all(node.input(0), node.output(0));
}

// A constant that is broadcast to the result without changing its shape and can be scaled by channel.
bool scales_by_channel(const ChannelLinks& links, ValueId constant, ValueId result) {
  const Tensor* content = links.index().replaceable_floats(constant);
  return content != nullptr && content->rank() <= links.rank(result);
}

bool link_sum(ChannelLinks& links, int i) {
  const Node& node = node_of(links, i);
  const ValueId y = node.output(0);
  for (size_t k = 0; k < node.inputs.size(); ++k) {
    const ValueId x = node.inputs[k];
    if (links.constant(x) != nullptr) {
      if (!scales_by_channel(links, x, y)) return false;
    } else if (links.rank(x) != links.rank(y) || links.channels(x) != links.channels(y)) {
      return false;
    }
  }
  for (size_t k = 0; k < node.inputs.size(); ++k) {
    if (links.constant(node.inputs[k]) != nullptr)
      links.constants.push_back({i, k});
    else if (!links.join_all(node.inputs[k], y))
      return false;
  }
  return true;
}

bool link_scaled(ChannelLinks& links, int i, size_t variable, size_t constant) {
  const Node& node = node_of(links, i);
  const ValueId x = node.input(variable), y = node.output(0);
  const Tensor* factor = links.constant(node.input(constant));
  return factor != nullptr && links.rank(x) == links.rank(y) && links.join_all(x, y);
}

bool link_product(ChannelLinks& links, int i) { return link_scaled(links, i, 0, 1) || link_scaled(links, i, 1, 0); }
bool link_quotient(ChannelLinks& links, int i) { return link_scaled(links, i, 0, 1); }

// The axis attribute as a non-negative number; -1 where there is none or the rank is unknown.
int64_t axis_of(const ChannelLinks& links, const Node& node, ValueId value, int64_t fallback) {
  const int64_t axis = node.int_or("axis", fallback), rank = links.rank(value);
  return rank < 0 ? -1 : (axis < 0 ? axis + rank : axis);
}

// The parts' channels lie behind each other in those of the whole.
bool join_parts(ChannelLinks& links, const std::vector<ValueId>& parts, ValueId whole) {
  int64_t sum = 0;
  for (const ValueId part : parts) {
    if (links.channels(part) == 0) return false;
    sum += links.channels(part);
  }
  if (sum != links.channels(whole)) return false;
  int64_t first = 0;
  for (const ValueId part : parts) {
    for (int64_t c = 0; c < links.channels(part); ++c) links.join(part, c, whole, first + c);
    first += links.channels(part);
  }
  return true;
}

bool join_each(ChannelLinks& links, const std::vector<ValueId>& parts, ValueId whole) {
  return std::all_of(parts.begin(), parts.end(), [&](ValueId part) { return links.join_all(part, whole); });
}

bool link_concat(ChannelLinks& links, int i) {
  const Node& node = node_of(links, i);
  const int64_t axis = axis_of(links, node, node.output(0), 1);
  if (axis == 1) return join_parts(links, node.inputs, node.output(0));
  return axis > 1 && join_each(links, node.inputs, node.output(0));
}

bool link_split(ChannelLinks& links, int i) {
  const Node& node = node_of(links, i);
  const int64_t axis = axis_of(links, node, node.input(0), 0);
  if (axis == 1) return join_parts(links, node.outputs, node.input(0));
  return axis > 1 && join_each(links, node.outputs, node.input(0));
}

bool link_slice(ChannelLinks& links, int i) {
  const Node& node = node_of(links, i);
  const ValueId x = node.input(0), y = node.output(0);
  const auto starts = links.list(node, "starts", 1), ends = links.list(node, "ends", 2);
  auto axes = links.list(node, "axes", 3), steps = links.list(node, "steps", 4);
  const int64_t rank = links.rank(x), count = links.channels(x);
  if (!starts || !ends || !axes || !steps || rank < 0 || count == 0) return false;
  if (axes->empty()) {
    axes->resize(starts->size());
    std::iota(axes->begin(), axes->end(), 0);
  }
  if (steps->empty()) steps->assign(starts->size(), 1);
  if (axes->size() != starts->size() || steps->size() != starts->size()) return false;
  int64_t first = 0, step = 1;
  for (size_t k = 0; k < axes->size(); ++k) {
    if (((*axes)[k] + rank) % rank != 1) continue;
    step = (*steps)[k];
    first = (*starts)[k] < 0 ? (*starts)[k] + count : (*starts)[k];
    if (step < 1 || first < 0) return false;
  }
  const int64_t kept = links.channels(y);
  if (kept == 0 || first + (kept - 1) * step >= count) return false;
  for (int64_t c = 0; c < kept; ++c) links.join(x, first + c * step, y, c);
  return true;
}

// Channels that are added hold zeros, which have any scale.
bool link_pad(ChannelLinks& links, int i) {
  const Node& node = node_of(links, i);
  const ValueId x = node.input(0), y = node.output(0);
  const auto pads = links.list(node, "pads", 1);
  const std::optional<float> filling = links.number(node, "value", 2, 0.0f);
  const bool constant = node.string_or("mode", "constant") == "constant";
  if (node.input(3) != ValueId::None || !pads || pads->size() != static_cast<size_t>(2 * links.rank(x))) return false;
  if (constant && (!filling || *filling != 0)) return false;
  const int64_t before = (*pads)[1], after = (*pads)[static_cast<size_t>(links.rank(x)) + 1];
  if (before < 0 || after < 0 || (!constant && before + after > 0)) return false;
  if (links.channels(x) == 0 || links.channels(x) + before + after != links.channels(y)) return false;
  for (int64_t c = 0; c < links.channels(x); ++c) links.join(x, c, y, c + before);
  return true;
}

// Elements of one channel, -1 when unknown.
int64_t elements_per_channel(const ChannelLinks& links, ValueId id) {
  int64_t elements = 1;
  for (size_t d = 2; d < static_cast<size_t>(links.rank(id)); ++d) {
    if (links.dim(id, d) < 0) return -1;
    elements *= links.dim(id, d);
  }
  return elements;
}

// The same elements in the same order for each sample: channels become runs of narrower channels, or runs of channels
// one.
bool link_reshape(ChannelLinks& links, int i) {
  const Node& node = node_of(links, i);
  const ValueId x = node.input(0), y = node.output(0);
  const int64_t from = links.channels(x), to = links.channels(y);
  if (from == 0 || to == 0) return false;
  const int64_t wide = elements_per_channel(links, x), narrow = elements_per_channel(links, y);
  // Samples stay samples where each has as many elements before as after.
  if (wide < 1 || narrow < 1 || from * wide != to * narrow) return false;
  for (int64_t c = 0; c < std::max(from, to); ++c) {
    const int64_t element = c * std::min(wide, narrow);
    if (std::max(wide, narrow) % std::min(wide, narrow) != 0) return false;
    links.join(x, element / wide, y, element / narrow);
  }
  return true;
}

struct Line {
  std::string_view op;
  Rule rule;
};
constexpr Line kLines[] = {
#define HT_CHANNEL_LINK(op, rule) {#op, rule},
#include "halftone/transform/channel_links.def"
#undef HT_CHANNEL_LINK
};

}  // namespace

Rule find_rule(const Node& node) {
  const auto* line = std::find_if(std::begin(kLines), std::end(kLines), [&](const Line& l) { return node.is(l.op); });
  return line == std::end(kLines) ? nullptr : line->rule;
}

}  // namespace halftone::transform::channel_links
