#include "halftone/quant/value_moments.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>

#include "halftone/graph/op_table.h"

namespace halftone {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double density(double t) { return std::exp(-t * t / 2) / std::sqrt(2 * std::numbers::pi); }
double below(double t) { return std::erfc(-t / std::numbers::sqrt2) / 2; }
// x * y, where 0 times infinity is the limit that every product with a normal distribution's tail has.
double vanish(double x, double y) { return y == 0 ? 0 : x * y; }

using Channels = std::vector<ClippedNormal>;

ClippedNormal clipped(ClippedNormal x, double low, double high) {
  // A bound that the number keeps by itself clips nothing.
  if (low > x.least) {
    x.low = std::max(x.low, low);
    x.high = std::max(x.high, low);
    x.least = low;
    x.most = std::max(x.most, low);
  }
  if (high < x.most) {
    x.low = std::min(x.low, high);
    x.high = std::min(x.high, high);
    x.least = std::min(x.least, high);
    x.most = high;
  }
  return x;
}

ClippedNormal affine(const ClippedNormal& x, double scale, double shift) {
  const auto moved = [&](double bound) { return vanish(bound, scale) + shift; };
  ClippedNormal y{moved(x.centre), x.spread * std::abs(scale), moved(x.low), moved(x.high), moved(x.least),
                  moved(x.most)};
  if (scale < 0) {
    std::swap(y.low, y.high);
    std::swap(y.least, y.most);
  }
  return y;
}

ClippedNormal sum(const ClippedNormal& a, const ClippedNormal& b) {
  return {a.mean() + b.mean(), std::hypot(a.deviation(), b.deviation()), -kInfinity, kInfinity, a.least + b.least,
          a.most + b.most};
}

class Propagation {
 public:
  Propagation(const Graph& graph, const NormStatistics& statistics,
              const std::map<std::string, Range, std::less<>>& inputs)
      : graph_(graph), statistics_(statistics) {
    infer_shapes(graph_);
    for (ValueId id : graph_.inputs()) {
      const auto range = inputs.find(graph_.value(id).name);
      const std::optional<size_t> channels = channels_of(id);
      if (range == inputs.end() || !channels) continue;
      const double low = range->second.low, high = range->second.high;
      const ClippedNormal even{(low + high) / 2, (high - low) / std::sqrt(12.0), -kInfinity, kInfinity, low, high};
      known_[range->first] = Channels(*channels, even);
    }
  }

  ValueMoments run() && {
    for (const Node& node : graph_.nodes()) {
      if (node.output(0) == ValueId::None) continue;
      const std::string& name = graph_.value(node.outputs[0]).name;
      std::optional<Channels> channels = stated(name);
      if (!channels && node.domain.empty()) channels = concluded(node);
      const std::optional<size_t> count = channels_of(node.outputs[0]);
      if (channels && (!count || *count == channels->size())) known_[name] = std::move(*channels);
    }
    return std::move(known_);
  }

 private:
  using Rule = std::optional<Channels> (Propagation::*)(const Node&) const;

  std::optional<Channels> stated(const std::string& name) const {
    const auto found = statistics_.find(name);
    if (found == statistics_.end() || found->second.mean.size() != found->second.deviation.size()) return std::nullopt;
    Channels channels;
    for (size_t c = 0; c < found->second.mean.size(); ++c) {
      channels.push_back({found->second.mean[c], found->second.deviation[c]});
    }
    return channels;
  }

  std::optional<Channels> concluded(const Node& node) const {
    static constexpr auto kRules = std::to_array<std::pair<std::string_view, Rule>>({
        {"Relu", &Propagation::relu},
        {"Clip", &Propagation::clip},
        {"Min", &Propagation::bound},
        {"Max", &Propagation::bound},
        {"Add", &Propagation::add},
        {"Sub", &Propagation::add},
        {"Mul", &Propagation::scale},
        {"Div", &Propagation::scale},
        {"Concat", &Propagation::concat},
        {"Identity", &Propagation::keep},
        {"Dropout", &Propagation::keep},
        {"MaxPool", &Propagation::keep},
        {"AveragePool", &Propagation::keep},
        {"GlobalMaxPool", &Propagation::keep},
        {"GlobalAveragePool", &Propagation::keep},
        {"ReduceMean", &Propagation::reduce},
        {"Resize", &Propagation::keep},
        {"Upsample", &Propagation::keep},
        {"Flatten", &Propagation::reshape},
        {"Reshape", &Propagation::reshape},
        {"Squeeze", &Propagation::reshape},
        {"Unsqueeze", &Propagation::reshape},
    });
    const auto found =
        std::find_if(kRules.begin(), kRules.end(), [&](const auto& rule) { return rule.first == node.op_type; });
    return found == kRules.end() ? std::nullopt : (this->*found->second)(node);
  }

  const Channels* find(ValueId id) const {
    if (id == ValueId::None) return nullptr;
    const auto found = known_.find(graph_.value(id).name);
    return found == known_.end() ? nullptr : &found->second;
  }

  // The number of channels where it is known. A value of rank 1 has none.
  std::optional<size_t> channels_of(ValueId id) const {
    const TensorType& type = graph_.value(id).type;
    if (!type.ranked() || type.rank() < 2 || !(*type.shape)[1].known()) return std::nullopt;
    return static_cast<size_t>((*type.shape)[1].value);
  }

  // A constant as a number per channel of `value`, where it is the same all over each channel.
  std::optional<std::vector<double>> constant(ValueId id, ValueId value, size_t channels) const {
    if (id == ValueId::None || !graph_.value(id).constant) return std::nullopt;
    const Tensor& content = *graph_.value(id).constant;
    const TensorType& type = graph_.value(value).type;
    if (content.dtype() != DType::Float || content.size() == 0) return std::nullopt;
    const std::span<const float> numbers = content.data<float>();
    if (numbers.size() == 1) return std::vector<double>(channels, double{numbers[0]});
    const bool along_channels = type.ranked() && content.rank() <= type.rank() && content.rank() >= type.rank() - 1 &&
                                numbers.size() == channels &&
                                content.dim(content.rank() - type.rank() + 1) == static_cast<int64_t>(channels);
    if (!along_channels) return std::nullopt;
    return std::vector<double>(numbers.begin(), numbers.end());
  }

  template <typename F>
  static Channels map(const Channels& x, const F& f) {
    Channels y;
    for (size_t c = 0; c < x.size(); ++c) y.push_back(f(x[c], c));
    return y;
  }

  // The operand with moments and the other, a constant: first and second, or the other way round.
  struct Operands {
    const Channels* x;
    std::vector<double> constant;
    bool constant_first;
  };
  std::optional<Operands> with_constant(const Node& node) const {
    for (size_t i : {size_t{0}, size_t{1}}) {
      const Channels* x = find(node.input(i));
      if (x == nullptr || node.inputs.size() != 2) continue;
      std::optional<std::vector<double>> numbers = constant(node.input(1 - i), node.input(i), x->size());
      if (numbers) return Operands{x, std::move(*numbers), i == 1};
    }
    return std::nullopt;
  }

  std::optional<Channels> keep(const Node& node) const {
    const Channels* x = find(node.input(0));
    return x == nullptr ? std::nullopt : std::optional(*x);
  }

  std::optional<Channels> relu(const Node& node) const {
    const Channels* x = find(node.input(0));
    if (x == nullptr) return std::nullopt;
    return map(*x, [](const ClippedNormal& z, size_t) { return clipped(z, 0, kInfinity); });
  }

  std::optional<Channels> clip(const Node& node) const {
    const Channels* x = find(node.input(0));
    if (x == nullptr) return std::nullopt;
    // Attributes until opset 10, inputs since.
    std::vector<double> low(x->size(), node.float_or("min", -std::numeric_limits<float>::infinity()));
    std::vector<double> high(x->size(), node.float_or("max", std::numeric_limits<float>::infinity()));
    for (size_t i : {size_t{1}, size_t{2}}) {
      if (node.input(i) == ValueId::None) continue;
      const auto numbers = constant(node.input(i), node.input(0), x->size());
      if (!numbers) return std::nullopt;
      (i == 1 ? low : high) = *numbers;
    }
    return map(*x, [&](const ClippedNormal& z, size_t c) { return clipped(z, low[c], high[c]); });
  }

  std::optional<Channels> bound(const Node& node) const {
    const std::optional<Operands> operands = with_constant(node);
    if (!operands) return std::nullopt;
    const bool from_below = node.op_type == "Max";
    return map(*operands->x, [&](const ClippedNormal& z, size_t c) {
      const double bound = operands->constant[c];
      return from_below ? clipped(z, bound, kInfinity) : clipped(z, -kInfinity, bound);
    });
  }

  std::optional<Channels> add(const Node& node) const {
    const bool minus = node.op_type == "Sub";
    if (const std::optional<Operands> operands = with_constant(node)) {
      return map(*operands->x, [&](const ClippedNormal& z, size_t c) {
        const double number = operands->constant[c];
        return affine(z, minus && operands->constant_first ? -1 : 1,
                      minus && !operands->constant_first ? -number : number);
      });
    }
    const Channels* a = find(node.input(0));
    const Channels* b = find(node.input(1));
    if (a == nullptr || b == nullptr || a->size() != b->size()) return std::nullopt;
    return map(*a, [&](const ClippedNormal& z, size_t c) { return sum(z, affine((*b)[c], minus ? -1 : 1, 0)); });
  }

  std::optional<Channels> scale(const Node& node) const {
    const std::optional<Operands> operands = with_constant(node);
    const bool divide = node.op_type == "Div";
    if (!operands || (divide && operands->constant_first)) return std::nullopt;
    const auto& numbers = operands->constant;
    if (divide && std::find(numbers.begin(), numbers.end(), 0.0) != numbers.end()) return std::nullopt;
    return map(*operands->x,
               [&](const ClippedNormal& z, size_t c) { return affine(z, divide ? 1 / numbers[c] : numbers[c], 0); });
  }

  std::optional<Channels> concat(const Node& node) const {
    const TensorType& type = graph_.value(node.outputs[0]).type;
    const int64_t axis = node.int_or("axis", 0);
    if (axis != 1 && !(type.ranked() && axis + type.rank() == 1)) return std::nullopt;
    Channels joined;
    for (ValueId id : node.inputs) {
      const Channels* x = find(id);
      if (x == nullptr) return std::nullopt;
      joined.insert(joined.end(), x->begin(), x->end());
    }
    return joined;
  }

  // A mean over axes after the channels' keeps them apart.
  std::optional<Channels> reduce(const Node& node) const {
    const TensorType& type = graph_.value(node.input(0)).type;
    std::vector<int64_t> axes = node.ints_or("axes", {});
    if (node.input(1) != ValueId::None) {
      const auto& content = graph_.value(node.inputs[1]).constant;
      if (!content || content->dtype() != DType::Int64) return std::nullopt;
      axes.assign(content->data<int64_t>().begin(), content->data<int64_t>().end());
    }
    if (axes.empty() || !type.ranked()) return std::nullopt;
    const bool spatial = std::all_of(axes.begin(), axes.end(),
                                     [&](int64_t axis) { return (axis < 0 ? axis + type.rank() : axis) >= 2; });
    return spatial ? keep(node) : std::nullopt;
  }

  // [N, C, ...] to [N, C * k, ...]: the elements of a channel lie together, so each makes k of the new ones.
  std::optional<Channels> reshape(const Node& node) const {
    const Channels* x = find(node.input(0));
    const TensorType& from = graph_.value(node.input(0)).type;
    const std::optional<size_t> count = channels_of(node.outputs[0]);
    if (x == nullptr || !count || x->empty() || *count % x->size() != 0) return std::nullopt;
    const TensorType& to = graph_.value(node.outputs[0]).type;
    if (!from.ranked() || !((*from.shape)[0] == (*to.shape)[0]) || (*to.shape)[0] == Dim()) return std::nullopt;
    Channels repeated;
    for (const ClippedNormal& channel : *x) repeated.insert(repeated.end(), *count / x->size(), channel);
    return repeated;
  }

  Graph graph_;
  const NormStatistics& statistics_;
  ValueMoments known_;
};

}  // namespace

double ClippedNormal::mean() const {
  if (spread == 0) return std::clamp(centre, low, high);
  const double a = (low - centre) / spread, b = (high - centre) / spread;
  const double mean = spread * (density(a) - density(b)) + centre * (below(b) - below(a)) + vanish(low, below(a)) +
                      vanish(high, below(-b));
  return std::clamp(mean, least, most);
}

double ClippedNormal::deviation() const {
  if (spread == 0 || least == most) return 0;
  // About the middle of what is left, so that little cancels.
  const ClippedNormal about{0, spread, low - centre, high - centre};
  const double a = about.low / spread, b = about.high / spread;
  const double square = spread * spread * (below(b) - below(a)) +
                        spread * (vanish(about.low, density(a)) - vanish(about.high, density(b))) +
                        vanish(about.low * about.low, below(a)) + vanish(about.high * about.high, below(-b));
  const double mean = about.mean();
  return std::sqrt(std::max(square - mean * mean, 0.0));
}

Range ClippedNormal::range(double n) const {
  const auto held = [&](double x) { return static_cast<float>(std::clamp(std::clamp(x, low, high), least, most)); };
  return {held(centre - n * spread), held(centre + n * spread)};
}

ValueMoments propagate_moments(const Graph& graph, const NormStatistics& statistics,
                               const std::map<std::string, Range, std::less<>>& inputs) {
  return Propagation(graph, statistics, inputs).run();
}

}  // namespace halftone
