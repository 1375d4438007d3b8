#include "halftone/ptq/ranges/search.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "halftone/base/error.h"
#include "halftone/base/process.h"
#include "halftone/graph/cost.h"
#include "halftone/graph/op_table.h"
#include "halftone/ptq/staged_run.h"
#include "halftone/quant/assign.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/runtime/session.h"

namespace halftone::ptq {
namespace {

constexpr int64_t kSearchStagedBytes = int64_t{64} << 20;  // between stages
constexpr int64_t kFeedBytes = int64_t{96} << 20;          // of what a grid's part of the network reads

// What the search may cost: runs of the whole network for each sample, and how many runs of what is behind it a grid is
// taken to need (most need fewer).
constexpr double kMostRuns = 300;
constexpr double kRunsByGrid = 8;
// RangeSearch::images, where nobody says.
constexpr int64_t kManyImages = 60, kFewImages = 30;
constexpr int64_t kDearNetwork = 150'000'000;  // multiplications
// Samples by which grids are compared where there are too many of them.
constexpr size_t kFewSamples = 8;

// Samples take turns: one half chooses ranges, the other one checks them. A single one does both.
enum class Half { Choosing, Checking };

std::vector<size_t> samples_of(size_t batches, Half half) {
  std::vector<size_t> mine;
  for (size_t batch = 0; batch < batches; ++batch) {
    if (batches == 1 || (batch % 2 == 0) == (half == Half::Choosing)) mine.push_back(batch);
  }
  return mine;
}

struct Energy {
  double error = 0, square = 0;
};

Energy compare(const Tensor& expected, const Tensor& found) {
  Energy energy;
  if (expected.dtype() != DType::Float) return energy;
  const auto a = expected.data<float>(), b = found.data<float>();
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = double{a[i]} - double{b[i]};
    energy.error += difference * difference;
    energy.square += double{a[i]} * double{a[i]};
  }
  return energy;
}

// Squared error relative to the outputs' own squares, on some samples.
double harm_of(const std::vector<size_t>& mine, ThreadTeam& team, const std::vector<TensorMap>& expected,
               const std::function<TensorMap(size_t)>& found) {
  std::vector<std::map<std::string, Energy>> by_batch(mine.size());
  team.run(static_cast<int64_t>(mine.size()), [&](int64_t i) {
    const auto at = static_cast<size_t>(i);
    const TensorMap& real = expected[mine[at]];
    for (const auto& [name, output] : found(mine[at])) by_batch[at][name] = compare(real.at(name), output);
  });
  std::map<std::string, Energy> sums;
  for (const auto& of_batch : by_batch) {
    for (const auto& [name, energy] : of_batch) {
      sums[name].error += energy.error;
      sums[name].square += energy.square;
    }
  }
  double harm = 0;
  for (const auto& [name, energy] : sums) {
    if (energy.square > 0) harm += energy.error / energy.square;
  }
  return harm;
}

// The values of one grid, and where the last of those is made that the others are moved from.
struct Grids {
  std::vector<std::string> values;
  int node = -1;
};

std::vector<Grids> grids_of(const QuantizedModel& model, const Recipe& recipe) {
  const Graph& graph = model.graph;
  const GraphIndex index(graph);
  std::vector<Grids> all;
  for (const GridGroup& group : plan_quantization(graph, recipe).groups) {
    Grids grids;
    const auto in_group = [&](ValueId id) {
      return std::find(group.values.begin(), group.values.end(), id) != group.values.end();
    };
    bool same = true;
    const Encoding* first = nullptr;
    for (ValueId id : group.values) {
      const Encoding* encoding = find_encoding(model, id);
      if (encoding == nullptr || graph.value(id).constant) continue;
      same &= first == nullptr || encoding->params == first->params;
      first = encoding;
      grids.values.push_back(graph.value(id).name);
      const int producer = index.producer(id);
      if (producer < 0) continue;
      const auto& inputs = graph.nodes()[static_cast<size_t>(producer)].inputs;
      if (std::none_of(inputs.begin(), inputs.end(), in_group)) grids.node = std::max(grids.node, producer);
    }
    // Grids by channel have no two ends to move.
    if (first != nullptr && same && first->params.per_tensor()) all.push_back(std::move(grids));
  }
  std::stable_sort(all.begin(), all.end(), [](const Grids& a, const Grids& b) { return a.node < b.node; });
  return all;
}

// The error of each grid by itself, relative to the values' squares: what its harm may come from.
std::vector<double> own_errors(const QuantizedModel& model, const Graph& rounded, const std::vector<Grids>& all,
                               const std::vector<data::Batch>& batches, ThreadTeam& team) {
  SessionOptions options;
  std::map<std::string, size_t, std::less<>> grid_of;
  for (size_t i = 0; i < all.size(); ++i) {
    for (const std::string& name : all[i].values) {
      grid_of.emplace(name, i);
      if (!batches.front().inputs.contains(name)) options.taps.push_back(name);
    }
  }
  const Session session(rounded, options);
  const size_t count = std::min(batches.size(), kFewSamples);
  std::vector<std::vector<Energy>> by_batch(count, std::vector<Energy>(all.size()));
  team.run(static_cast<int64_t>(count), [&](int64_t i) {
    const auto batch = static_cast<size_t>(i);
    const auto look = [&](std::string_view name, const Tensor& value) {
      const auto found = grid_of.find(name);
      if (found == grid_of.end()) return;
      const Energy energy = compare(value, fake_quantize(value, model.encodings.find(name)->second.params));
      by_batch[batch][found->second].error += energy.error;
      by_batch[batch][found->second].square += energy.square;
    };
    for (const auto& [name, value] : batches[batch].inputs) look(name, value);
    session.run(batches[batch].inputs, look);
  });
  std::vector<double> errors;
  for (size_t grid = 0; grid < all.size(); ++grid) {
    Energy sum;
    for (const auto& of_batch : by_batch) {
      sum.error += of_batch[grid].error;
      sum.square += of_batch[grid].square;
    }
    errors.push_back(sum.square > 0 ? sum.error / sum.square : 0);
  }
  return errors;
}

// Every grid costs runs of what is behind it, so that all grids of a deep network would cost the square of its depth:
// where that is too much, those with the largest errors of their own, as many as kMostRuns allow.
std::vector<Grids> affordable(std::vector<Grids> all, const QuantizedModel& model, const Graph& rounded,
                              const std::vector<data::Batch>& batches, ThreadTeam& team) {
  const auto nodes = static_cast<double>(rounded.nodes().size());
  const auto runs = [&](const Grids& grids) { return kRunsByGrid * (nodes - 1 - grids.node) / nodes; };
  double sum = 0;
  for (const Grids& grids : all) sum += runs(grids);
  if (sum <= kMostRuns) return all;
  const std::vector<double> errors = own_errors(model, rounded, all, batches, team);
  std::vector<size_t> order(all.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return errors[a] > errors[b]; });
  std::vector<bool> taken(all.size(), false);
  sum = 0;
  for (const size_t i : order) {
    if (sum + runs(all[i]) > kMostRuns) break;
    sum += runs(all[i]);
    taken[i] = true;
  }
  std::vector<Grids> chosen;
  for (size_t i = 0; i < all.size(); ++i) {
    if (taken[i]) chosen.push_back(std::move(all[i]));
  }
  return chosen;
}

// The part of the network behind the values of a grid: what rounding them does to the outputs. Looks at as many samples
// as it has room for.
class Behind {
 public:
  // `expected`: the outputs where nothing is rounded.
  Behind(const StagedRun& run, const Grids& grids, const std::vector<TensorMap>& expected, ThreadTeam& team)
      : team_(team), session_(run.network_behind(grids.node)), feeds_(expected.size()), expected_(expected) {
    const std::vector<std::string> behind = run.values_behind(grids.node);
    for (const std::string& name : grids.values) {
      if (std::find(behind.begin(), behind.end(), name) != behind.end()) rounded_.push_back(name);
    }
    int64_t bytes = 0;
    run.compute(behind, 1, [&](size_t, const TensorMap& values) {
      for (const Session::Port& port : session_.inputs()) {
        bytes += static_cast<int64_t>(values.at(port.name).bytes().size());
      }
    });
    // Both halves need one.
    const auto most = std::max<size_t>(2, static_cast<size_t>(kFeedBytes / std::max<int64_t>(bytes, 1)));
    feeds_.resize(std::min(feeds_.size(), most));
    run.compute(behind, feeds_.size(), [&](size_t batch, const TensorMap& values) {
      for (const Session::Port& port : session_.inputs()) feeds_[batch].emplace(port.name, values.at(port.name));
    });
  }

  double harm(const QuantParams& params, Half half) const {
    return harm_of(samples_of(feeds_.size(), half), team_, expected_, [&](size_t batch) {
      TensorMap feed = feeds_[batch];
      for (const std::string& name : rounded_) {
        const auto value = feed.find(name);
        if (value != feed.end()) value->second = fake_quantize(value->second, params);
      }
      return session_.run(feed);
    });
  }

 private:
  ThreadTeam& team_;
  Session session_;
  std::vector<std::string> rounded_;
  std::vector<TensorMap> feeds_;
  const std::vector<TensorMap>& expected_;
};

Range range_of(const QuantParams& params) {
  const double scale = params.scale[0];
  const int64_t zero = params.zero_point[0];
  return {static_cast<float>(scale * static_cast<double>(params.q_min - zero)),
          static_cast<float>(scale * static_cast<double>(params.q_max - zero))};
}

// A range that keeps on getting better while it shrinks or grows is one that hardly matters.
constexpr int kMostMoves = 10;

// Goes to the range that does least harm, in steps of one end at a time that become smaller.
class RangeDescent {
 public:
  RangeDescent(const Behind& behind, const Encoding& encoding)
      : behind_(behind),
        spec_(encoding.spec),
        first_{range_of(encoding.params), encoding.params, behind.harm(encoding.params, Half::Choosing)},
        best_(first_) {}

  double harm() const { return first_.harm; }

  // The parameters that are better on both halves of the samples, if there are any.
  std::optional<QuantParams> run() {
    for (double step : {1.25, 1.1}) {
      if (spec_.symmetric) {
        walk(step, scale_both);
      } else {
        walk(step, scale_high);
        walk(step, scale_low);
      }
    }
    const auto checked = [&](const Point& point) { return behind_.harm(point.params, Half::Checking); };
    const bool better = best_.harm < first_.harm && checked(best_) < checked(first_);
    return better ? std::optional(best_.params) : std::nullopt;
  }

 private:
  struct Point {
    Range range;
    QuantParams params;
    double harm = 0;
  };
  static Range scale_high(Range range, double factor) { return {range.low, static_cast<float>(range.high * factor)}; }
  static Range scale_low(Range range, double factor) { return {static_cast<float>(range.low * factor), range.high}; }
  static Range scale_both(Range range, double factor) { return scale_low(scale_high(range, factor), factor); }

  void walk(double step, Range (*scale)(Range, double)) {
    // On coarse grids the harm goes up and down on its way, as codes pass the numbers that matter.
    const int patience = spec_.bits < 8 ? 4 : 1;
    const Range start = best_.range;
    for (double factor : {1 / step, step}) {
      bool moved = false;
      double total = factor;
      for (int move = 0, misses = 0; move < kMostMoves && misses < patience; ++move, total *= factor) {
        const bool better = try_range(scale(start, total));
        moved |= better;
        misses = better ? 0 : misses + 1;
      }
      if (moved) return;
    }
  }

  bool try_range(const Range& range) {
    if (range == best_.range || range == first_.range || !std::isfinite(range.low) || !std::isfinite(range.high))
      return false;
    Point point{range, choose_params(spec_, {range.low}, {range.high}), 0};
    point.harm = behind_.harm(point.params, Half::Choosing);
    if (!(point.harm < best_.harm)) return false;
    best_ = std::move(point);
    return true;
  }

  const Behind& behind_;
  const QuantSpec spec_;
  const Point first_;
  Point best_;
};

std::vector<TensorMap> outputs_of(const Graph& graph, const std::vector<data::Batch>& batches, ThreadTeam& team) {
  const Session session(graph);
  std::vector<TensorMap> outputs(batches.size());
  team.run(static_cast<int64_t>(batches.size()), [&](int64_t i) {
    const auto batch = static_cast<size_t>(i);
    outputs[batch] = session.run(batches[batch].inputs);
  });
  return outputs;
}

// Tells whether ranges do good to the whole network, as it is computed.
class Verdict {
 public:
  // By samples that no range is chosen or checked by, if there are more than `used` of them; else by those that check.
  Verdict(const Workbench& bench, const std::vector<data::Batch>& all, size_t used) : bench_(bench) {
    if (all.size() > used) {
      batches_.assign(all.begin() + static_cast<ptrdiff_t>(used), all.end());
    } else {
      for (const size_t batch : samples_of(used, Half::Checking)) batches_.push_back(all[batch]);
    }
    expected_ = outputs_of(bench.reference, batches_, *bench.team);
  }

  double harm() const {
    std::vector<size_t> all(batches_.size());
    std::iota(all.begin(), all.end(), size_t{0});
    const Session session(bench_.model);
    return harm_of(all, *bench_.team, expected_, [&](size_t batch) { return session.run(batches_[batch].inputs); });
  }

 private:
  const Workbench& bench_;
  std::vector<data::Batch> batches_;
  std::vector<TensorMap> expected_;
};

int64_t usual_images(Graph graph, const data::Batch& sample) {
  std::map<std::string, Shape> shapes;
  for (const auto& [name, tensor] : sample.inputs) shapes[name] = tensor.shape();
  infer_shapes(graph, shapes);
  int64_t macs = 0;
  for (const Node& node : graph.nodes()) macs += macs_of(graph, node).value_or(0);
  return macs > kDearNetwork ? kFewImages : kManyImages;
}

}  // namespace

void search_ranges(Workbench& bench, const RangeSearch& options) {
  Samples& samples = bench.required_samples("search_ranges");
  const int64_t images = options.images ? *options.images : usual_images(bench.reference, samples.kept(1).front());
  const std::vector<data::Batch> batches = samples.kept(images);
  const Verdict verdict(bench, samples.kept(images + images / 2), batches.size());
  const double before = verdict.harm();
  const size_t refused = plan_integers(bench.model).refusals.size();

  const Graph rounded = with_rounded_weights(bench.model);
  StagedRun run(rounded, batches, *bench.team, kSearchStagedBytes);
  const std::vector<TensorMap> exact = outputs_of(rounded, batches, *bench.team);
  const std::vector<Grids> all =
      affordable(grids_of(bench.model, *bench.recipe), bench.model, rounded, batches, *bench.team);
  const Encodings old = bench.model.encodings;
  bench.progress->begin("searching ranges", static_cast<int64_t>(all.size()), "grids");
  for (size_t i = 0; i < all.size(); ++i) {
    run.finish(all[i].node);
    const Behind behind(run, all[i], exact, *bench.team);
    const Encoding encoding = bench.model.encodings.at(all[i].values.front());
    RangeDescent descent(behind, encoding);
    if (descent.harm() >= options.least_share * before) {
      if (const std::optional<QuantParams> params = descent.run()) {
        for (const std::string& name : all[i].values) bench.model.encodings.at(name).params = *params;
        // A finer step may be too fine for a layer's bias.
        if (plan_integers(bench.model).refusals.size() > refused) {
          for (const std::string& name : all[i].values) bench.model.encodings.at(name).params = encoding.params;
        }
      }
    }
    release_freed_memory();
    bench.progress->advance(static_cast<int64_t>(i) + 1);
  }
  bench.progress->end();
  // Each range was looked for alone; together they have to be better as well.
  if (!(verdict.harm() <= before)) bench.model.encodings = old;
}

}  // namespace halftone::ptq
