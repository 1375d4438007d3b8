#include "halftone/transform/equalize.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "halftone/graph/op_table.h"
#include "halftone/ptq/ranges/channel_ranges.h"
#include "halftone/ptq/step.h"
#include "halftone/transform/channel_groups.h"

namespace halftone::ptq {
namespace {

using transform::Balance;
using transform::UpperBounds;

constexpr std::string_view kBalances[] = {"auto", "weights", "activations", "noise"};
constexpr std::string_view kBounds[] = {"keep", "per_channel", "replace"};

// Channels that stay at zero for so many deviations count as dead.
constexpr double kDead = 6;

// What a scale for the whole tensor has to cover decides: with one for each row of weights, only activations are left.
// Noise can be predicted where batch normalization tells what values are like, and Clips keep their bounds.
Balance balance_of(const std::string& word, UpperBounds bounds, const Workbench& bench) {
  if (word == "auto") {
    if (bench.recipe->weights.granularity != Granularity::PerTensor) return Balance::Activations;
    return bounds == UpperBounds::Keep && !bench.norms.empty() ? Balance::Noise : Balance::Weights;
  }
  return word == "noise" ? Balance::Noise : (word == "weights" ? Balance::Weights : Balance::Activations);
}

// Evening out the activations that dense layers read makes the columns of their weights uneven. Where weights have
// fewer bits than activations that costs more than it gains: mobilenet_v2's 4-bit weights alone leave 13.9 dB with 0,
// 13.6 with 0.25 and 12.6 with 0.5.
double usual_exponent(const Workbench* bench) {
  return bench != nullptr && bench->recipe->weights.bits < bench->recipe->activations.bits ? 0 : 0.5;
}

UpperBounds bounds_of(const std::string& word) {
  return word == "keep" ? UpperBounds::Keep : (word == "replace" ? UpperBounds::Replace : UpperBounds::PerChannel);
}

// A few samples show how widely a channel spreads rather than how far it reaches to either side: one that was seen to
// be mostly negative is given as much room above zero before it may be scaled towards a Clip's bound.
transform::ChannelRanges with_margin(transform::ChannelRanges ranges) {
  for (auto& [name, of_value] : ranges) {
    for (Range& range : of_value) {
      const float reach = std::max(-range.low, range.high);
      range = {-reach, reach};
    }
  }
  return ranges;
}

// What Clips cut off above. Features reach further than normal numbers of their deviation, so what batch normalization
// says of them is no range that a channel may be scaled up to a Clip with: MobileNetV2 with 8-bit weights per channel
// was left 10 dB so, of 20.
std::set<std::string> bounded_values(Graph graph) {
  infer_shapes(graph);
  std::set<std::string> names;
  const transform::ChannelGroups groups(graph);
  for (const auto& clip : groups.clips()) {
    names.insert(graph.value(graph.nodes()[static_cast<size_t>(clip.node)].inputs[0]).name);
  }
  return names;
}

}  // namespace

void step_equalize(Workbench* bench, StepWords& words) {
  const std::string balance = words.choice("balance", kBalances), bounds = words.choice("bounds", kBounds);
  const double exponent = words.number("exponent", usual_exponent(bench), 0, 1);
  const double deviations = words.number("deviations", 4, 1, 100);
  const int64_t images = words.count("images", 128, 1, INT32_MAX);
  words.finish();
  if (balance == "noise" && bounds != "keep") {
    fail(ErrorCode::InvalidArgument, "step 'equalize'",
         "'balance=noise' requires 'bounds=keep', found 'bounds={}'; leave one of the two out", bounds);
  }
  if (bench == nullptr) return;

  transform::EqualizeOptions options;
  options.upper_bounds = bounds_of(bounds);
  options.balance = balance_of(balance, options.upper_bounds, *bench);
  options.exponent = exponent;
  if (options.balance == Balance::Noise) {
    options.moments = propagate_moments(bench->reference, bench->norms, bench->input_ranges);
    options.weight_bits = bench->recipe->weights.bits;
    options.activation_bits = bench->recipe->activations.bits;
  }
  const auto ranges_at = [&](double reach) {
    return transform::expected_ranges(propagate_moments(bench->reference, bench->norms, bench->input_ranges), reach);
  };
  const std::set<std::string> bounded = bounded_values(bench->reference);
  // Noise goes by moments alone.
  const bool by_samples =
      bench->samples != nullptr && options.balance != Balance::Noise && (bench->norms.empty() || !bounded.empty());
  options.ranges = by_samples
                       ? with_margin(watch_channel_ranges(bench->reference, *bench->samples, images, *bench->team))
                       : ranges_at(deviations);
  if (options.balance == Balance::Activations && !by_samples) {
    for (const std::string& name : bounded) options.ranges.erase(name);
  }
  if (options.balance == Balance::Weights)
    bench->reference =
        transform::zero_dead_weights(std::move(bench->reference), by_samples ? options.ranges : ranges_at(kDead));
  transform::Equalization equalization = transform::equalize(std::move(bench->reference), options);
  bench->norms = transform::scale(std::move(bench->norms), equalization);
  if (equalization.factors.empty())
    bench->progress->note("equalize found no channels that it may scale, or gains nothing by it");
  else if (equalization.noise_before > 0)
    bench->progress->note(fmt::format("equalize takes {:.1f} dB from the predicted noise of the layers",
                                      10 * std::log10(equalization.noise_before / equalization.noise_after)));
  else if (equalization.scaled_below_bounds > 0)
    bench->progress->note(
        fmt::format("equalize scales {} channels that a Clip bounds; results change where they exceed "
                    "what is known of them",
                    equalization.scaled_below_bounds));
  bench->reference = std::move(equalization.graph);
}

}  // namespace halftone::ptq
