#include "halftone/ptq/rounding/solve_layer.h"

#include <algorithm>
#include <optional>

#include "halftone/base/error.h"
#include "halftone/ptq/rounding/channel_grids.h"
#include "halftone/ptq/rounding/damping.h"
#include "halftone/ptq/rounding/layer_objective.h"
#include "halftone/ptq/rounding/layer_sums.h"
#include "halftone/ptq/rounding/scales.h"

namespace halftone::ptq {
namespace {

constexpr int64_t kRowTile = 256;

class Solver {
 public:
  Solver(const LayerShape& shape, LayerRows rows, const Tensor& weights, const QuantParams& params,
         const QuantSpec& spec, bool free_bias, const std::vector<double>& bias, double clip_low, double clip_high,
         const SolveOptions& options, ThreadTeam& team)
      : shape_(shape),
        float_targets_(std::move(rows.targets)),
        others_(std::move(rows.others)),
        free_bias_(free_bias),
        bias_(bias),
        clip_low_(clip_low),
        clip_high_(clip_high),
        options_(options),
        team_(team),
        sums_(shape, std::move(rows.inputs), rows.count, free_bias, team),
        given_(shape, sums_.order(), weights, params, spec),
        grids_(given_),
        free_scales_(spec.grid == "affine" && options.method->learns) {
    objective_.channels = shape.channels;
    objective_.iterations = options.iterations;
    objective_.team = &team;
  }

  LayerSolution solve() {
    targets_ = float_targets_;
    for (size_t i = 0; i < others_.size(); ++i) targets_[i] -= others_[i];
    settle_targets();
    aim_channels(make_quadratics());
    // Two weights at a time are worth their time only when nothing else moves any more.
    if (free_scales_ && options_.search_scales) search_scales(grids_, objective_);
    each_channel([&](size_t c) { options_.method->function(task(c), channel(c).steps); });
    if (options_.method->learns) {
      refit();
      for (int64_t pass = 0; pass < options_.clip_passes; ++pass) improve_clipped();
      objective_.pairs = true;
      each_channel([&](size_t c) { descend(task(c), channel(c).steps); });
      objective_.pairs = false;
      refit();
    }
    return finish();
  }

 private:
  ChannelWeights& channel(size_t c) { return grids_.channels()[c]; }
  RoundingTask task(size_t c) { return objective_.task(c, channel(c)); }
  template <typename F>
  void each_channel(const F& f) {
    team_.run(static_cast<int64_t>(grids_.channels().size()), [&](int64_t c) { f(static_cast<size_t>(c)); });
  }
  int64_t outputs() const { return shape_.groups * shape_.channels; }

  // Today's targets less what a bias makes up for.
  void settle_targets() {
    if (free_bias_) {
      target_means_ = centre(targets_, sums_.rows(), outputs());
    } else {
      for (size_t i = 0; i < targets_.size(); ++i) targets_[i] -= static_cast<float>(bias_[i % bias_.size()]);
    }
  }

  // Returns LayerSums::products of the targets, which it comes across.
  std::vector<std::vector<double>> make_quadratics() {
    SplitSums split(sums_, targets_);
    const double damping =
        options_.damping > 0 ? options_.damping : choose_damping(shape_, split, given_.channels(), team_);
    std::vector<std::vector<double>> products = split.products(), grams = std::move(split).grams();
    std::vector<std::optional<Quadratic>> made(grams.size());
    team_.run(shape_.groups, [&](int64_t group) {
      const auto g = static_cast<size_t>(group);
      made[g].emplace(shape_.features, std::move(grams[g]), damping);
    });
    for (auto& quadratic : made) objective_.by_group.push_back(std::move(*quadratic));
    return products;
  }

  void aim_channels(const std::vector<std::vector<double>>& products) {
    each_channel([&](size_t c) {
      aim(objective_.of(c), products[objective_.group_of(c)], shape_.channels,
          static_cast<int64_t>(c) % shape_.channels, channel(c));
    });
  }

  void refit() {
    if (free_scales_ && options_.refit_scales) refit_scales(grids_, given_, objective_);
  }

  // Other targets: downhill from where each channel is, or all over again, whichever leads further down.
  void improve_clipped() {
    clip_targets();
    settle_targets();
    aim_channels(sums_.products(targets_, {0, sums_.rows()}));
    each_channel([&](size_t c) {
      std::vector<int32_t> anew(channel(c).steps.size());
      options_.method->function(task(c), anew);
      descend(task(c), channel(c).steps);
      if (rounding_error(task(c), anew) < rounding_error(task(c), channel(c).steps)) channel(c).steps = anew;
    });
    refit();
  }

  // Targets beyond what follows lets through become today's outputs, as far as those are beyond as well.
  void clip_targets() {
    const int64_t k = shape_.features, n = shape_.channels, all = outputs();
    std::vector<float> codes(static_cast<size_t>(all * k));
    each_channel([&](size_t c) {
      const ChannelWeights& weights = channel(c);
      const std::vector<int64_t>& order = sums_.order()[objective_.group_of(c)];
      for (size_t i = 0; i < order.size(); ++i) {
        codes[c * static_cast<size_t>(k) + static_cast<size_t>(order[i])] = static_cast<float>(weights.value(i));
      }
    });
    const int64_t tiles = (sums_.rows() + kRowTile - 1) / kRowTile;
    team_.run(tiles, [&](int64_t tile) {
      const int64_t first = tile * kRowTile, count = std::min(kRowTile, sums_.rows() - first);
      std::vector<double> y(static_cast<size_t>(count * n));
      for (int64_t group = 0; group < shape_.groups; ++group) {
        MatrixView x = sums_.inputs(group);
        x.data += first * x.row_step;
        x.rows = count;
        const MatrixView w{codes.data() + group * n * k, k, n, 1, k};
        sum_products(x.transposed(), w, y.data(), n);
        for (int64_t r = 0; r < count; ++r) {
          for (int64_t c = 0; c < n; ++c) {
            const auto out = static_cast<size_t>(group * n + c);
            const auto at = static_cast<size_t>((first + r) * all) + out;
            const double other = others_.empty() ? 0.0 : others_[at];
            const double now =
                y[static_cast<size_t>(r * n + c)] + (free_bias_ ? target_means_[out] : bias_[out]) + other;
            const double t = float_targets_[at];
            const double aim = t <= clip_low_    ? std::min(now, clip_low_)
                               : t >= clip_high_ ? std::max(now, clip_high_)
                                                 : t;
            targets_[at] = static_cast<float>(aim - other);
          }
        }
      }
    });
  }

  // Nearest rounding on the given grid wherever it is no worse after all; then what the caller wants to know.
  LayerSolution finish() {
    const size_t count = grids_.channels().size();
    std::vector<double> nearest_error(count), error(count);
    each_channel([&](size_t c) {
      ChannelWeights& nearest = given_.channels()[c];
      for (size_t i = 0; i < nearest.steps.size(); ++i) {
        nearest.steps[i] = nearest_step(nearest.real[i], nearest.scale[i], nearest.low[i], nearest.high[i]);
      }
      nearest.best = channel(c).best;
      nearest_error[c] = rounding_error(objective_.task(c, nearest), nearest.steps);
      error[c] = rounding_error(task(c), channel(c).steps);
    });
    std::vector<double> gain(grids_.unit_count(), 0.0);
    for (size_t c = 0; c < count; ++c) gain[grids_.unit_of(c)] += nearest_error[c] - error[c];
    LayerSolution solution;
    double variance = 0;
    for (size_t c = 0; c < count; ++c) {
      if (!options_.method->learns || !(gain[grids_.unit_of(c)] > 0)) {
        for (const uint32_t index : channel(c).index) {
          grids_.set_scale(grids_.class_of(index), given_.scales()[index]);
        }
        channel(c) = given_.channels()[c];
        error[c] = nearest_error[c];
      }
      solution.nearest_error += nearest_error[c];
      solution.error += error[c];
    }
    for (const float t : targets_) variance += double{t} * double{t};
    variance /= static_cast<double>(sums_.rows());
    if (variance > 0) {
      solution.nearest_error /= variance;
      solution.error /= variance;
    }
    solution.weights = grids_.weights();
    solution.params = grids_.params();
    solution.bias = bias_;
    if (free_bias_) {
      for (size_t c = 0; c < count; ++c) {
        const ChannelWeights& w = channel(c);
        double sum = target_means_[c];
        for (size_t i = 0; i < w.steps.size(); ++i) sum -= w.value(i) * sums_.mean(objective_.group_of(c), i);
        solution.bias[c] = sum;
      }
    }
    return solution;
  }

  const LayerShape& shape_;
  const std::vector<float> float_targets_, others_;  // as in LayerRows
  const bool free_bias_;
  const std::vector<double>& bias_;
  const double clip_low_, clip_high_;
  const SolveOptions& options_;
  ThreadTeam& team_;
  const LayerSums sums_;
  ChannelGrids given_, grids_;
  const bool free_scales_;
  std::vector<float> targets_;  // today's
  std::vector<double> target_means_;
  LayerObjective objective_;
};

}  // namespace

LayerSolution solve_layer(const LayerShape& shape, LayerRows rows, const Tensor& weights, const QuantParams& params,
                          const QuantSpec& spec, bool free_bias, const std::vector<double>& bias, double clip_low,
                          double clip_high, const SolveOptions& options, ThreadTeam& team) {
  HT_CHECK(rows.count > 0 && static_cast<int64_t>(bias.size()) == shape.groups * shape.channels,
           "{} rows and {} biases", rows.count, bias.size());
  return Solver(shape, std::move(rows), weights, params, spec, free_bias, bias, clip_low, clip_high, options, team)
      .solve();
}

}  // namespace halftone::ptq
