#include "halftone/ptq/bits/channel_grids.h"

#include <algorithm>
#include <map>
#include <memory>
#include <span>

#include "halftone/graph/op_table.h"
#include "halftone/ptq/bits/allocation.h"
#include "halftone/ptq/weights/scale_channels.h"
#include "halftone/quant/assign.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/quant/observer.h"
#include "halftone/runtime/session.h"

namespace halftone::ptq {
namespace {

constexpr int kMostBits = 8;
// Observers that are alive at a time, per thread; each has a histogram.
constexpr int64_t kChannelsAtATime = 4096;

// A signed code of one bit is 0 only: [-(2^(b-1) - 1), 2^(b-1) - 1].
int least_bits(const QuantSpec& spec) { return spec.is_signed ? 2 : 1; }

QuantSpec with_bits(QuantSpec spec, int bits) {
  spec.bits = bits;
  spec.narrow_range |= spec.is_signed;
  return spec;
}

// How many bits each of some channels gets, whose numbers have these ranges on grids of `spec`.
std::vector<int> bits_for(const std::vector<Range>& ranges, const QuantSpec& spec, double mean_bits) {
  std::vector<double> widths;
  for (const Range& range : ranges) widths.push_back(double{range.high} - double{range.low});
  return allocate_bits(widths, {mean_bits > 0 ? mean_bits : spec.bits, least_bits(spec), kMostBits});
}

// The grids of channels with so many bits each, over these ranges.
QuantParams grids_over(const std::vector<Range>& ranges, const std::vector<int>& bits, const QuantSpec& spec,
                       int64_t axis) {
  const int most = std::max(least_bits(spec), *std::max_element(bits.begin(), bits.end()));
  QuantParams params = choose_params(with_bits(spec, most), {0}, {0});
  params.scale.assign(ranges.size(), 1.0F);
  params.zero_point.assign(ranges.size(), 0);
  params.axis = axis;
  for (size_t c = 0; c < ranges.size(); ++c) {
    params.channel_bits.push_back(static_cast<int8_t>(bits[c]));
    if (bits[c] == 0) continue;
    const QuantParams one = choose_params(with_bits(spec, bits[c]), {ranges[c].low}, {ranges[c].high});
    params.scale[c] = one.scale[0];
    params.zero_point[c] = one.zero_point[0];
  }
  return params;
}

std::vector<float> slice_of(const Tensor& tensor, int64_t axis, int64_t channel) {
  const auto inner = static_cast<size_t>(contiguous_strides(tensor.shape())[static_cast<size_t>(axis)]);
  const auto step = inner * static_cast<size_t>(tensor.dim(axis));
  const auto numbers = tensor.data<float>();
  std::vector<float> slice;
  for (size_t at = static_cast<size_t>(channel) * inner; at < numbers.size(); at += step) {
    slice.insert(slice.end(), numbers.begin() + static_cast<ptrdiff_t>(at),
                 numbers.begin() + static_cast<ptrdiff_t>(at + inner));
  }
  return slice;
}

// Nodes that the integer arithmetic has no form for now say so.
void explain_refusals(QuantizedModel& model) {
  for (const auto& [position, reason] : plan_integers(model).refusals) {
    model.float_reasons.emplace(layer_name(model.graph, model.graph.nodes()[static_cast<size_t>(position)]), reason);
  }
}

// Values that get the grids of one group, channel by channel.
struct Shared {
  std::vector<std::string> values, observed;
  QuantSpec spec;
  int64_t channels = 0;
};

std::vector<Shared> shared_grids(const Workbench& bench, std::string_view pattern) {
  Graph typed = bench.reference;
  infer_shapes(typed);
  const auto channels_of = [&](std::string_view name) -> int64_t {
    const ValueId id = typed.find(name);
    if (id == ValueId::None) return -1;
    const TensorType& type = typed.value(id).type;
    return type.ranked() && type.rank() >= 2 && (*type.shape)[1].known() ? (*type.shape)[1].value : -1;
  };
  const Graph& graph = bench.model.graph;
  std::vector<Shared> all;
  for (const GridGroup& group : plan_quantization(graph, *bench.recipe).groups) {
    Shared shared;
    bool fits = true;
    for (ValueId id : group.values) {
      const Encoding* encoding = find_encoding(bench.model, id);
      if (encoding == nullptr || graph.value(id).constant) continue;
      const std::string& name = graph.value(id).name;
      shared.spec = encoding->spec;
      fits &= encoding->params.per_tensor() && encoding->params.levels.empty();
      if (shared.values.empty()) shared.channels = channels_of(name);
      fits &= shared.channels > 0 && shared.channels == channels_of(name) && glob_match(pattern, name);
      shared.values.push_back(name);
    }
    for (ValueId id : group.observed) shared.observed.push_back(graph.value(id).name);
    if (fits && !shared.values.empty() && !shared.observed.empty()) all.push_back(std::move(shared));
  }
  return all;
}

// What the channels of some values look like to the grids that they may get.
class ChannelObservers {
 public:
  ChannelObservers(const QuantSpec& spec, const std::vector<int>& bits) {
    for (int b : bits) observers_.push_back(make_observer(with_bits(spec, std::max(b, least_bits(spec)))));
  }
  void observe(const Tensor& value, std::string_view where) {
    for (size_t c = 0; c < observers_.size(); ++c) {
      observers_[c]->observe(slice_of(value, 1, static_cast<int64_t>(c)), where);
    }
  }
  void merge(const ChannelObservers& other) {
    for (size_t c = 0; c < observers_.size(); ++c) observers_[c]->merge(*other.observers_[c]);
  }
  bool order_matters() const { return observers_.front()->order_matters(); }
  std::vector<Range> ranges() const {
    std::vector<Range> ranges;
    for (const auto& observer : observers_) ranges.push_back(observer->range());
    return ranges;
  }

 private:
  std::vector<std::unique_ptr<Observer>> observers_;
};

// The ranges of all channels for grids of the given widths, in one pass of the float network.
std::vector<std::vector<Range>> watch(const Workbench& bench, std::span<const Shared> grids,
                                      const std::vector<std::vector<int>>& bits,
                                      const std::vector<data::Batch>& batches) {
  SessionOptions options;
  std::map<std::string, size_t, std::less<>> grid_of;
  std::vector<ChannelObservers> fresh;
  bool order_matters = false;
  for (size_t g = 0; g < grids.size(); ++g) {
    fresh.emplace_back(grids[g].spec, bits[g]);
    order_matters |= fresh.back().order_matters();
    for (const std::string& name : grids[g].observed) {
      grid_of[name] = g;
      if (!batches.front().inputs.contains(name)) options.taps.push_back(name);
    }
  }
  const Session session(bench.reference, options);
  // What the threads have seen is put together at the end. Where the order matters one of them sees it all.
  std::vector<std::vector<ChannelObservers>> seen;
  for (int thread = 0; thread < bench.team->size(); ++thread) {
    std::vector<ChannelObservers>& own = seen.emplace_back();
    for (size_t g = 0; g < grids.size(); ++g) own.emplace_back(grids[g].spec, bits[g]);
  }
  const auto observe = [&](const data::Batch& batch, std::vector<ChannelObservers>& own) {
    const auto look = [&](std::string_view name, const Tensor& value) {
      const auto grid = grid_of.find(name);
      if (grid != grid_of.end()) own[grid->second].observe(value, name);
    };
    for (const auto& [name, value] : batch.inputs) look(name, value);
    session.run(batch.inputs, look);
  };
  if (order_matters) {
    for (const data::Batch& batch : batches) observe(batch, seen.front());
  } else {
    bench.team->run_indexed(static_cast<int64_t>(batches.size()), [&](int64_t batch, int thread) {
      observe(batches[static_cast<size_t>(batch)], seen[static_cast<size_t>(thread)]);
    });
  }
  std::vector<std::vector<Range>> ranges;
  for (size_t g = 0; g < grids.size(); ++g) {
    for (const auto& own : seen) fresh[g].merge(own[g]);
    ranges.push_back(fresh[g].ranges());
  }
  return ranges;
}

// As many grids from `first` on as are watched at a time.
size_t portion(std::span<const Shared> grids, size_t first) {
  size_t end = first;
  for (int64_t channels = 0; end < grids.size(); ++end) {
    channels += grids[end].channels;
    if (end > first && channels > kChannelsAtATime) break;
  }
  return end - first;
}

}  // namespace

void allocate_weight_bits(Workbench& bench, std::string_view pattern, double mean_bits) {
  for (const WeightedLayer& layer : weighted_layers(bench.model, pattern)) {
    Encoding& encoding = bench.model.encodings.find(layer.weights)->second;
    if (!has_own_scales(bench.model, layer) || !encoding.params.levels.empty() || !encoding.spec.is_signed) continue;
    const Tensor& weights = *bench.model.graph.value(bench.model.graph.find(layer.weights)).constant;
    const int64_t axis = encoding.params.axis, channels = weights.dim(axis);
    const auto range_of = [&](int64_t c, int bits) {
      const auto observer = make_observer(with_bits(encoding.spec, bits));
      observer->observe(slice_of(weights, axis, c), layer.weights);
      return observer->range();
    };
    std::vector<Range> ranges;
    for (int64_t c = 0; c < channels; ++c) ranges.push_back(range_of(c, encoding.spec.bits));
    const std::vector<int> bits = bits_for(ranges, encoding.spec, mean_bits);
    for (int64_t c = 0; c < channels; ++c) {
      const int own = bits[static_cast<size_t>(c)];
      if (own > 0) ranges[static_cast<size_t>(c)] = range_of(c, own);
    }
    const QuantParams before = encoding.params;
    const size_t refused = plan_integers(bench.model).refusals.size();
    encoding.params = grids_over(ranges, bits, encoding.spec, axis);
    // A channel with more bits has finer steps, which may be too fine for its bias.
    if (plan_integers(bench.model).refusals.size() > refused) encoding.params = before;
  }
}

void allocate_activation_bits(Workbench& bench, std::string_view pattern, double mean_bits, int64_t images) {
  const std::vector<Shared> all = shared_grids(bench, pattern);
  const std::vector<data::Batch> batches = bench.required_samples("allocate_bits").kept(images);
  for (size_t first = 0; first < all.size();) {
    const std::span<const Shared> grids(all.data() + first, portion(all, first));
    first += grids.size();
    std::vector<std::vector<int>> bits;
    for (const Shared& grid : grids) bits.emplace_back(static_cast<size_t>(grid.channels), grid.spec.bits);
    const auto ranges = watch(bench, grids, bits, batches);
    for (size_t g = 0; g < grids.size(); ++g) bits[g] = bits_for(ranges[g], grids[g].spec, mean_bits);
    const auto own_ranges = watch(bench, grids, bits, batches);
    for (size_t g = 0; g < grids.size(); ++g) {
      const QuantParams params = grids_over(own_ranges[g], bits[g], grids[g].spec, 1);
      for (const std::string& name : grids[g].values) bench.model.encodings.find(name)->second.params = params;
    }
  }
  explain_refusals(bench.model);
}

}  // namespace halftone::ptq
