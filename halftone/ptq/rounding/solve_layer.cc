#include "halftone/ptq/rounding/solve_layer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>

#include "halftone/base/error.h"
#include "halftone/ptq/rounding/channel_grids.h"
#include "halftone/ptq/rounding/products.h"

namespace halftone::ptq {
namespace {

constexpr int64_t kRowTile = 256;
// Scales that are tried, as parts of the grid's own.
constexpr std::array<double, 12> kFactors = {1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45};
constexpr int kRefits = 3;
// Refitted scales stay near what the grid was made for; what is further away is no better grid but a channel that
// hardly matters.
constexpr double kLeastRatio = 0.25, kMostRatio = 2;

// Column means of `m`, in double; subtracts them from it.
std::vector<double> centre(std::vector<float>& m, int64_t rows, int64_t columns) {
  std::vector<double> mean(static_cast<size_t>(columns), 0.0);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c)
      mean[static_cast<size_t>(c)] += double{m[static_cast<size_t>(r * columns + c)]};
  }
  for (double& value : mean) value /= static_cast<double>(rows);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < columns; ++c) {
      float& value = m[static_cast<size_t>(r * columns + c)];
      value = static_cast<float>(double{value} - mean[static_cast<size_t>(c)]);
    }
  }
  return mean;
}

class Solver {
 public:
  Solver(const LayerShape& shape, LayerRows rows, const Tensor& weights, const QuantParams& params,
         const QuantSpec& spec, bool free_bias, const std::vector<double>& bias, double clip_low, double clip_high,
         const SolveOptions& options, ThreadTeam& team)
      : shape_(shape),
        rows_(std::move(rows)),
        free_bias_(free_bias),
        bias_(bias),
        clip_low_(clip_low),
        clip_high_(clip_high),
        options_(options),
        team_(team),
        order_(find_order()),
        given_(shape, order_, weights, params, spec),
        grids_(given_) {
    free_scales_ = spec.grid == "affine" && options.method->learns;
  }

  LayerSolution solve() {
    if (free_bias_) input_means_ = centre(rows_.inputs, rows_.count, shape_.groups * shape_.features);
    make_quadratics();
    targets_ = rows_.targets;
    for (size_t i = 0; i < rows_.others.size(); ++i) targets_[i] -= rows_.others[i];
    for (int64_t pass = 0; pass <= (options_.method->learns ? options_.clip_passes : 0); ++pass) {
      if (pass > 0) clip_targets();
      aim();
      if (pass == 0) {
        if (free_scales_ && options_.search_scales) search_scales();
        each_channel([&](size_t c) { options_.method->function(task(c), channel(c).steps); });
      } else {
        each_channel([&](size_t c) { improve(c); });
      }
      if (free_scales_ && options_.refit_scales) refit_scales();
    }
    return finish();
  }

 private:
  ChannelWeights& channel(size_t c) { return grids_.channels()[c]; }
  size_t group_of(size_t c) const { return c / static_cast<size_t>(shape_.channels); }
  RoundingTask task(size_t c) { return task_of(c, channel(c)); }
  RoundingTask task_of(size_t c, const ChannelWeights& weights) {
    return {quadratics_[group_of(c)], weights.best, weights.scale, weights.low, weights.high, options_.iterations};
  }
  template <typename F>
  void each_channel(const F& f) {
    team_.run(static_cast<int64_t>(grids_.channels().size()), [&](int64_t c) { f(static_cast<size_t>(c)); });
  }

  MatrixView inputs_of(int64_t group) const {
    const int64_t width = shape_.groups * shape_.features;
    return {rows_.inputs.data() + group * shape_.features, rows_.count, shape_.features, width, 1};
  }

  // Inputs that matter most come last: rounding settles the last one first, and the others make up for it.
  std::vector<std::vector<int64_t>> find_order() const {
    const int64_t width = shape_.groups * shape_.features;
    std::vector<double> energy(static_cast<size_t>(width), 0.0), sum(energy);
    for (int64_t r = 0; r < rows_.count; ++r) {
      for (int64_t f = 0; f < width; ++f) {
        const double x = rows_.inputs[static_cast<size_t>(r * width + f)];
        energy[static_cast<size_t>(f)] += x * x;
        sum[static_cast<size_t>(f)] += x;
      }
    }
    for (size_t f = 0; f < energy.size(); ++f) {
      if (free_bias_) energy[f] -= sum[f] * sum[f] / static_cast<double>(rows_.count);
    }
    std::vector<std::vector<int64_t>> order(static_cast<size_t>(shape_.groups));
    for (size_t g = 0; g < order.size(); ++g) {
      order[g].resize(static_cast<size_t>(shape_.features));
      std::iota(order[g].begin(), order[g].end(), int64_t{0});
      const double* own = energy.data() + static_cast<int64_t>(g) * shape_.features;
      std::stable_sort(order[g].begin(), order[g].end(), [&](int64_t a, int64_t b) { return own[a] < own[b]; });
    }
    return order;
  }

  void make_quadratics() {
    const int64_t k = shape_.features;
    const auto size = static_cast<size_t>(k * k);
    const auto make = [&](int64_t group, const std::vector<double>& gram) {
      const std::vector<int64_t>& order = order_[static_cast<size_t>(group)];
      std::vector<double> sorted(size);
      for (int64_t i = 0; i < k; ++i) {
        for (int64_t j = 0; j < k; ++j) {
          sorted[static_cast<size_t>(i * k + j)] =
              gram[static_cast<size_t>(order[static_cast<size_t>(i)] * k + order[static_cast<size_t>(j)])] /
              static_cast<double>(rows_.count);
        }
      }
      return Quadratic(k, std::move(sorted), options_.damping);
    };
    if (shape_.groups == 1) {
      std::vector<double> gram(size);
      sum_gram(inputs_of(0), gram.data(), team_);
      quadratics_.push_back(make(0, gram));
      return;
    }
    std::vector<std::optional<Quadratic>> made(static_cast<size_t>(shape_.groups));
    team_.run(shape_.groups, [&](int64_t group) {
      std::vector<double> gram(size);
      sum_products(inputs_of(group), inputs_of(group), gram.data(), k);
      made[static_cast<size_t>(group)].emplace(make(group, gram));
    });
    for (auto& quadratic : made) quadratics_.push_back(std::move(*quadratic));
  }

  // Best weights for today's targets.
  void aim() {
    const int64_t k = shape_.features, n = shape_.channels, all = shape_.groups * n;
    if (free_bias_) {
      target_means_ = centre(targets_, rows_.count, all);
    } else {
      for (size_t i = 0; i < targets_.size(); ++i) targets_[i] -= static_cast<float>(bias_[i % bias_.size()]);
    }
    const auto aim_group = [&](int64_t group, const std::vector<double>& cross) {
      for (int64_t c = 0; c < n; ++c) {
        aim_channel(static_cast<size_t>(group * n + c), cross.data() + c, n);
      }
    };
    const auto targets_of = [&](int64_t group) {
      return MatrixView{targets_.data() + group * n, rows_.count, n, all, 1};
    };
    if (shape_.groups == 1) {
      std::vector<double> cross(static_cast<size_t>(k * n));
      sum_products(inputs_of(0), targets_of(0), cross.data(), n, team_);
      each_channel([&](size_t c) { aim_channel(c, cross.data() + c, n); });
      return;
    }
    team_.run(shape_.groups, [&](int64_t group) {
      std::vector<double> cross(static_cast<size_t>(k * n));
      sum_products(inputs_of(group), targets_of(group), cross.data(), n);
      aim_group(group, cross);
    });
  }

  // `cross`: sums of input times target by feature, `step` apart.
  void aim_channel(size_t c, const double* cross, int64_t step) {
    ChannelWeights& weights = channel(c);
    const Quadratic& quadratic = quadratics_[group_of(c)];
    std::vector<double> shift(weights.real.size());
    quadratic.multiply(weights.real, shift);
    const std::vector<int64_t>& order = order_[group_of(c)];
    for (size_t i = 0; i < shift.size(); ++i) {
      // Q less what was added to it is H.
      shift[i] =
          cross[order[i] * step] / static_cast<double>(rows_.count) - (shift[i] - quadratic.added() * weights.real[i]);
    }
    quadratic.solve(shift);
    for (size_t i = 0; i < shift.size(); ++i) weights.best[i] = weights.real[i] + shift[i];
  }

  // Targets beyond what follows lets through become today's outputs, as far as those are beyond as well.
  void clip_targets() {
    const int64_t k = shape_.features, n = shape_.channels, all = shape_.groups * n;
    std::vector<float> codes(static_cast<size_t>(all * k));
    each_channel([&](size_t c) {
      const ChannelWeights& weights = channel(c);
      const std::vector<int64_t>& order = order_[group_of(c)];
      for (size_t i = 0; i < order.size(); ++i) {
        codes[c * static_cast<size_t>(k) + static_cast<size_t>(order[i])] = static_cast<float>(weights.value(i));
      }
    });
    const int64_t tiles = (rows_.count + kRowTile - 1) / kRowTile;
    team_.run(tiles, [&](int64_t tile) {
      const int64_t first = tile * kRowTile, count = std::min(kRowTile, rows_.count - first);
      std::vector<double> y(static_cast<size_t>(count * n));
      for (int64_t group = 0; group < shape_.groups; ++group) {
        MatrixView x = inputs_of(group);
        x.data += first * x.row_step;
        x.rows = count;
        const MatrixView w{codes.data() + group * n * k, k, n, 1, k};
        sum_products(x.transposed(), w, y.data(), n);
        for (int64_t r = 0; r < count; ++r) {
          for (int64_t c = 0; c < n; ++c) {
            const auto out = static_cast<size_t>(group * n + c);
            const auto at = static_cast<size_t>((first + r) * all) + out;
            const double other = rows_.others.empty() ? 0.0 : rows_.others[at];
            const double now =
                y[static_cast<size_t>(r * n + c)] + (free_bias_ ? target_means_[out] : bias_[out]) + other;
            const double t = rows_.targets[at];
            const double aim = t <= clip_low_    ? std::min(now, clip_low_)
                               : t >= clip_high_ ? std::max(now, clip_high_)
                                                 : t;
            targets_[at] = static_cast<float>(aim - other);
          }
        }
      }
    });
  }

  // GPTQ's error on grids of several sizes; the best for each unit of channels.
  void search_scales() {
    const size_t count = grids_.channels().size();
    std::vector<std::vector<double>> errors(kFactors.size(), std::vector<double>(count));
    each_channel([&](size_t c) {
      ChannelWeights trial = channel(c);
      const RoundingMethod& gptq = find_rounding_method("gptq");
      for (size_t f = 0; f < kFactors.size(); ++f) {
        for (size_t i = 0; i < trial.scale.size(); ++i) trial.scale[i] = channel(c).scale[i] * kFactors[f];
        const RoundingTask t = task_of(c, trial);
        gptq.function(t, trial.steps);
        errors[f][c] = rounding_error(t, trial.steps);
      }
    });
    std::vector<size_t> best(grids_.unit_count(), 0);
    std::vector<std::vector<double>> sums(kFactors.size(), std::vector<double>(grids_.unit_count(), 0.0));
    for (size_t f = 0; f < kFactors.size(); ++f) {
      for (size_t c = 0; c < count; ++c) sums[f][grids_.unit_of(c)] += errors[f][c];
      for (size_t u = 0; u < best.size(); ++u) {
        if (sums[f][u] < sums[best[u]][u]) best[u] = f;
      }
    }
    std::vector<bool> done(grids_.class_count(), false);
    for (size_t c = 0; c < count; ++c) {
      for (const uint32_t index : channel(c).index) {
        const size_t of_class = grids_.class_of(index);
        if (done[of_class]) continue;
        done[of_class] = true;
        const double factor = kFactors[best[grids_.unit_of(c)]];
        grids_.set_scale(of_class, static_cast<float>(double{grids_.scales()[index]} * factor));
      }
    }
    each_channel([&](size_t c) { grids_.read_scales(channel(c)); });
  }

  // Other targets: downhill from where the channel is, or all over again, whichever leads further down.
  void improve(size_t c) {
    std::vector<int32_t> anew(channel(c).steps.size());
    options_.method->function(task(c), anew);
    descend(task(c), channel(c).steps);
    if (rounding_error(task(c), anew) < rounding_error(task(c), channel(c).steps)) channel(c).steps = anew;
  }

  // Where a channel has one scale, the best for its codes is s = (q^T Q w*) / (q^T Q q), over all channels that share
  // it. Several scales of one channel (blocks) are settled one after the other.
  void refit_scales() {
    for (int i = 0; i < kRefits; ++i) {
      std::vector<double> above(grids_.channels().size()), below(above);
      each_channel([&](size_t c) {
        const ChannelWeights& w = channel(c);
        std::vector<double> steps(w.steps.begin(), w.steps.end()), product(steps.size());
        quadratics_[group_of(c)].multiply(steps, product);
        for (size_t j = 0; j < steps.size(); ++j) {
          above[c] += product[j] * w.best[j];
          below[c] += product[j] * steps[j];
        }
      });
      std::vector<double> above_of(grids_.class_count(), 0.0), below_of(above_of);
      std::vector<bool> entangled(grids_.class_count(), false);
      for (size_t c = 0; c < above.size(); ++c) {
        if (grids_.sharing(c) != ChannelGrids::Sharing::OneClass) {
          for (const uint32_t index : channel(c).index) entangled[grids_.class_of(index)] = true;
          continue;
        }
        const size_t of_class = grids_.class_of(channel(c).index.front());
        above_of[of_class] += above[c];
        below_of[of_class] += below[c];
      }
      for (size_t s = 0; s < above_of.size(); ++s) {
        if (!entangled[s] && below_of[s] > 0) offer_scale(s, above_of[s] / below_of[s]);
      }
      each_channel([&](size_t c) {
        if (grids_.sharing(c) == ChannelGrids::Sharing::OwnClasses) refit_blocks(c);
        grids_.read_scales(channel(c));
        descend(task(c), channel(c).steps);
      });
    }
  }

  // The channel's scales, none of which is another's: s_b moves by -(q_b^T Q e) / (q_b^T Q q_b) with the codes q_b that
  // have it and today's error e.
  void refit_blocks(size_t c) {
    const ChannelWeights& w = channel(c);
    const Quadratic& quadratic = quadratics_[group_of(c)];
    std::vector<double> error(w.steps.size()), gradient(error), product(error), block(error);
    for (size_t i = 0; i < error.size(); ++i) error[i] = w.value(i) - w.best[i];
    quadratic.multiply(error, gradient);
    for (const uint32_t index : std::set<uint32_t>(w.index.begin(), w.index.end())) {
      for (size_t i = 0; i < block.size(); ++i) block[i] = w.index[i] == index ? w.steps[i] : 0;
      quadratic.multiply(block, product);
      double slope = 0, curvature = 0;
      for (size_t i = 0; i < block.size(); ++i) {
        slope += block[i] * gradient[i];
        curvature += block[i] * product[i];
      }
      if (!(curvature > 0)) continue;
      const double before = grids_.scales()[index];
      offer_scale(grids_.class_of(index), before - slope / curvature);
      const double moved = grids_.scales()[index] - before;
      for (size_t i = 0; i < gradient.size(); ++i) gradient[i] += moved * product[i];
    }
  }

  // Takes the scale if it is near the one that the grid was given with.
  void offer_scale(size_t of_class, double scale) {
    const double ratio = scale / double{given_.scale_of(of_class)};
    if (ratio >= kLeastRatio && ratio <= kMostRatio) grids_.set_scale(of_class, static_cast<float>(scale));
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
      nearest_error[c] = rounding_error(task_of(c, nearest), nearest.steps);
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
    variance /= static_cast<double>(rows_.count);
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
        const std::vector<int64_t>& order = order_[group_of(c)];
        const double* means = input_means_.data() + static_cast<int64_t>(group_of(c)) * shape_.features;
        double sum = target_means_[c];
        for (size_t i = 0; i < w.steps.size(); ++i) sum -= w.value(i) * means[order[i]];
        solution.bias[c] = sum;
      }
    }
    return solution;
  }

  const LayerShape& shape_;
  LayerRows rows_;
  const bool free_bias_;
  const std::vector<double>& bias_;
  const double clip_low_, clip_high_;
  const SolveOptions& options_;
  ThreadTeam& team_;
  std::vector<std::vector<int64_t>> order_;  // by group: features in the order of the quadratic's coordinates
  ChannelGrids given_, grids_;
  bool free_scales_ = false;
  std::vector<float> targets_;  // today's, centred once they were aimed at
  std::vector<double> input_means_, target_means_;
  std::vector<Quadratic> quadratics_;  // by group
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
