#include "halftone/ptq/ranges/search.h"

#include <algorithm>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/ptq/staged_run.h"
#include "halftone/quant/assign.h"
#include "halftone/quant/integer_plan.h"
#include "halftone/runtime/session.h"

namespace halftone::ptq {
namespace {

// Samples take turns: one half chooses ranges, the other one checks them. A single one does both.
enum class Half { Choosing, Checking };

bool belongs(size_t batch, size_t batches, Half half) {
  return batches == 1 || (batch % 2 == 0) == (half == Half::Choosing);
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

// Squared error relative to the outputs' own squares, on half of the samples.
double harm_of(size_t batches, Half half, ThreadTeam& team, const std::function<TensorMap(size_t)>& expected,
               const std::function<TensorMap(size_t)>& found) {
  std::vector<size_t> mine;
  for (size_t batch = 0; batch < batches; ++batch) {
    if (belongs(batch, batches, half)) mine.push_back(batch);
  }
  std::vector<std::map<std::string, Energy>> by_batch(mine.size());
  team.run(static_cast<int64_t>(mine.size()), [&](int64_t i) {
    const auto at = static_cast<size_t>(i);
    const TensorMap real = expected(mine[at]);
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

// The part of the network behind the values of a grid: what rounding them does to the outputs.
class Behind {
 public:
  Behind(const StagedRun& run, const Grids& grids, ThreadTeam& team)
      : team_(team), session_(run.network_behind(grids.node)), feeds_(run.batch_count()), expected_(run.batch_count()) {
    const std::vector<std::string> behind = run.values_behind(grids.node);
    for (const std::string& name : grids.values) {
      if (std::find(behind.begin(), behind.end(), name) != behind.end()) rounded_.push_back(name);
    }
    run.compute(behind, [&](size_t batch, const TensorMap& values) {
      for (const Session::Port& port : session_.inputs()) feeds_[batch].emplace(port.name, values.at(port.name));
      expected_[batch] = session_.run(feeds_[batch]);
    });
  }

  double harm(const QuantParams& params, Half half) const {
    return harm_of(
        feeds_.size(), half, team_, [&](size_t batch) { return expected_[batch]; },
        [&](size_t batch) {
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
  std::vector<TensorMap> feeds_, expected_;
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
class Descent {
 public:
  Descent(const Behind& behind, const Encoding& encoding)
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

// The whole network's harm, as it is computed.
double whole_harm(const Workbench& bench, const std::vector<data::Batch>& batches,
                  const std::vector<TensorMap>& expected) {
  const Session session(bench.model);
  return harm_of(
      batches.size(), Half::Checking, *bench.team, [&](size_t batch) { return expected[batch]; },
      [&](size_t batch) { return session.run(batches[batch].inputs); });
}

}  // namespace

void search_ranges(Workbench& bench, const RangeSearch& options) {
  const std::vector<data::Batch> batches = bench.required_samples("search_ranges").kept(options.images);
  std::vector<TensorMap> expected(batches.size());
  {
    const Session reference(bench.reference);
    bench.team->run(static_cast<int64_t>(batches.size()), [&](int64_t i) {
      const auto batch = static_cast<size_t>(i);
      expected[batch] = reference.run(batches[batch].inputs);
    });
  }
  const double before = whole_harm(bench, batches, expected);
  const size_t refused = plan_integers(bench.model).refusals.size();

  const Graph rounded = with_rounded_weights(bench.model);
  StagedRun run(rounded, batches, *bench.team);
  const std::vector<Grids> all = grids_of(bench.model, *bench.recipe);
  const Encodings old = bench.model.encodings;
  bench.progress->begin("searching ranges", static_cast<int64_t>(all.size()), "grids");
  for (size_t i = 0; i < all.size(); ++i) {
    run.finish(all[i].node);
    const Behind behind(run, all[i], *bench.team);
    const Encoding encoding = bench.model.encodings.at(all[i].values.front());
    Descent descent(behind, encoding);
    if (descent.harm() >= options.least_share * before) {
      if (const std::optional<QuantParams> params = descent.run()) {
        for (const std::string& name : all[i].values) bench.model.encodings.at(name).params = *params;
        // A finer step may be too fine for a layer's bias.
        if (plan_integers(bench.model).refusals.size() > refused) {
          for (const std::string& name : all[i].values) bench.model.encodings.at(name).params = encoding.params;
        }
      }
    }
    bench.progress->advance(static_cast<int64_t>(i) + 1);
  }
  bench.progress->end();
  // Each range was looked for alone; together they have to be better as well.
  if (!(whole_harm(bench, batches, expected) <= before)) bench.model.encodings = old;
}

}  // namespace halftone::ptq
