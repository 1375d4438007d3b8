#include "halftone/ptq/rounding/scales.h"

#include <set>

namespace halftone::ptq {
namespace {

// Scales that are tried, as parts of the grid's own.
constexpr int kFactors = 25;
double factor(size_t number) { return 1 - 0.025 * static_cast<double>(number); }
constexpr int kRefits = 3;
// Refitted scales stay near what the grid was made for; what is further away is no better grid but a channel that
// hardly matters.
constexpr double kLeastRatio = 0.25, kMostRatio = 2;

template <typename F>
void each_channel(const ChannelGrids& grids, const LayerObjective& objective, const F& f) {
  objective.team->run(static_cast<int64_t>(grids.channels().size()), [&](int64_t c) { f(static_cast<size_t>(c)); });
}

class Refit {
 public:
  Refit(ChannelGrids& grids, const ChannelGrids& given, const LayerObjective& objective)
      : grids_(grids), given_(given), objective_(objective) {}

  void run() {
    for (int i = 0; i < kRefits; ++i) {
      refit_classes();
      each_channel(grids_, objective_, [&](size_t c) {
        ChannelWeights& weights = grids_.channels()[c];
        if (grids_.sharing(c) == ChannelGrids::Sharing::OwnClasses) refit_blocks(c);
        grids_.read_scales(weights);
        descend(objective_.task(c, weights), weights.steps);
      });
    }
  }

 private:
  void refit_classes() {
    std::vector<double> above(grids_.channels().size()), below(above);
    each_channel(grids_, objective_, [&](size_t c) {
      const ChannelWeights& w = grids_.channels()[c];
      std::vector<double> steps(w.steps.begin(), w.steps.end()), product(steps.size());
      objective_.of(c).multiply(steps, product);
      for (size_t j = 0; j < steps.size(); ++j) {
        above[c] += product[j] * w.best[j];
        below[c] += product[j] * steps[j];
      }
    });
    std::vector<double> above_of(grids_.class_count(), 0.0), below_of(above_of);
    std::vector<bool> entangled(grids_.class_count(), false);
    for (size_t c = 0; c < above.size(); ++c) {
      const ChannelWeights& w = grids_.channels()[c];
      if (grids_.sharing(c) != ChannelGrids::Sharing::OneClass) {
        for (const uint32_t index : w.index) entangled[grids_.class_of(index)] = true;
        continue;
      }
      const size_t of_class = grids_.class_of(w.index.front());
      above_of[of_class] += above[c];
      below_of[of_class] += below[c];
    }
    for (size_t s = 0; s < above_of.size(); ++s) {
      if (!entangled[s] && below_of[s] > 0) offer(s, above_of[s] / below_of[s]);
    }
  }

  // The channel's scales, none of which is another's: s_b moves by -(q_b^T Q e) / (q_b^T Q q_b) with the codes q_b that
  // have it and today's error e.
  void refit_blocks(size_t c) {
    const ChannelWeights& w = grids_.channels()[c];
    const Quadratic& quadratic = objective_.of(c);
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
      offer(grids_.class_of(index), before - slope / curvature);
      const double moved = grids_.scales()[index] - before;
      for (size_t i = 0; i < gradient.size(); ++i) gradient[i] += moved * product[i];
    }
  }

  // Takes the scale if it is near the one that the grid was given with.
  void offer(size_t of_class, double scale) {
    const double ratio = scale / double{given_.scale_of(of_class)};
    if (ratio >= kLeastRatio && ratio <= kMostRatio) grids_.set_scale(of_class, static_cast<float>(scale));
  }

  ChannelGrids& grids_;
  const ChannelGrids& given_;
  const LayerObjective& objective_;
};

}  // namespace

void search_scales(ChannelGrids& grids, const LayerObjective& objective) {
  const size_t count = grids.channels().size();
  const RoundingMethod& gptq = find_rounding_method("gptq");
  std::vector<std::vector<double>> errors(kFactors, std::vector<double>(count));
  each_channel(grids, objective, [&](size_t c) {
    const ChannelWeights& own = grids.channels()[c];
    ChannelWeights trial = own;
    for (size_t f = 0; f < kFactors; ++f) {
      for (size_t i = 0; i < trial.scale.size(); ++i) trial.scale[i] = own.scale[i] * factor(f);
      const RoundingTask task = objective.task(c, trial);
      gptq.function(task, trial.steps);
      errors[f][c] = rounding_error(task, trial.steps);
    }
  });
  std::vector<size_t> best(grids.unit_count(), 0);
  std::vector<std::vector<double>> sums(kFactors, std::vector<double>(grids.unit_count(), 0.0));
  for (size_t f = 0; f < kFactors; ++f) {
    for (size_t c = 0; c < count; ++c) sums[f][grids.unit_of(c)] += errors[f][c];
    for (size_t u = 0; u < best.size(); ++u) {
      if (sums[f][u] < sums[best[u]][u]) best[u] = f;
    }
  }
  std::vector<bool> done(grids.class_count(), false);
  for (size_t c = 0; c < count; ++c) {
    for (const uint32_t index : grids.channels()[c].index) {
      const size_t of_class = grids.class_of(index);
      if (done[of_class]) continue;
      done[of_class] = true;
      grids.set_scale(of_class, static_cast<float>(double{grids.scales()[index]} * factor(best[grids.unit_of(c)])));
    }
  }
  each_channel(grids, objective, [&](size_t c) { grids.read_scales(grids.channels()[c]); });
}

void refit_scales(ChannelGrids& grids, const ChannelGrids& given, const LayerObjective& objective) {
  Refit(grids, given, objective).run();
}

}  // namespace halftone::ptq
