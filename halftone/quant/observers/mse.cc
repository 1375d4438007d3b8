#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "halftone/quant/grid_error.h"
#include "halftone/quant/observer.h"
#include "halftone/quant/observers/parameter.h"

namespace halftone {
namespace {

// Looks for the range of least error. The error as a function of a bound is smooth on a large scale and ripples from
// step to step, so bounds are tried all the way down before the best are refined.
class Search {
 public:
  Search(const QuantSpec& spec, const Tally& tally)
      : error_(spec, tally.masses()),
        steps_(std::ldexp(1.0, spec.bits) - 1),
        symmetric_(spec.symmetric),
        extremes_{std::min(tally.extent().min, 0.0F), std::max(tally.extent().max, 0.0F)} {}

  Range best() {
    // Bounds are shares of the extremes: one for both where they move together, as on symmetric grids (in which only
    // the farther one counts) or where there are numbers on one side of zero only.
    const bool together = symmetric_ || extremes_.low == 0 || extremes_.high == 0;
    Shares best = together ? descend({1, 1}, {true, true}) : survey();
    for (int round = 0; round < (together ? 1 : 3); ++round) {
      const Shares before = best;
      if (!together) {
        best = descend(refine(best, {true, false}), {true, false});
        best = descend(refine(best, {false, true}), {false, true});
      }
      best = refine(best, {true, true});
      if (best == before) break;
    }
    return range_of(best);
  }

 private:
  struct Shares {
    double low, high;
    bool operator==(const Shares&) const = default;
  };
  struct Moves {
    bool low, high;
  };

  Range range_of(const Shares& shares) const {
    return {static_cast<float>(extremes_.low * shares.low), static_cast<float>(extremes_.high * shares.high)};
  }

  static Shares scaled(const Shares& shares, const Moves& moves, double factor) {
    return {moves.low ? shares.low * factor : shares.low, moves.high ? shares.high * factor : shares.high};
  }

  double error(const Shares& shares) const { return error_(range_of(shares)); }

  // What the grid of this range clips at least, and that of every range within it.
  double clipped(const Shares& shares) const {
    Range range = range_of(shares);
    if (symmetric_) {
      range.high = std::max(range.high, -range.low);
      range.low = -range.high;
    }
    // Rounding the zero point moves a grid by up to half a step.
    const float slack = symmetric_ ? 0 : static_cast<float>((double{range.high} - range.low) / steps_ / 2);
    return error_.clipping({range.low - slack, range.high + slack});
  }

  // Tries all the extremes times 2^(-i / 16), down to where clipping alone does more harm than the best.
  Shares descend(const Shares& from, const Moves& moves) const {
    const Shares top{moves.low ? 1 : from.low, moves.high ? 1 : from.high};
    Shares best = from;
    double least = error(from);
    for (int i = 0; i <= 16 * kOctaves; ++i) {
      const Shares shares = scaled(top, moves, std::exp2(-i / 16.0));
      if (clipped(shares) > least) break;
      keep(shares, best, least);
    }
    return best;
  }

  // Tries the neighbourhood, in ever smaller steps.
  Shares refine(Shares best, const Moves& moves) const {
    double least = error(best);
    for (double step : {1.0 / 160, 1.0 / 1280}) {
      const Shares centre = best;
      for (int i = -8; i <= 8; ++i) {
        const Shares shares = scaled(centre, moves, 1 + i * step);
        keep({std::min(shares.low, 1.0), std::min(shares.high, 1.0)}, best, least);
      }
    }
    return best;
  }

  // Tries pairs of bounds, for both matter: the wider side sets the step of the other.
  Shares survey() const {
    static constexpr std::array kShares = {1.0, 0.85, 0.7, 0.6, 0.5, 0.42, 0.35, 0.28, 0.21, 0.14, 0.08, 0.03, 0.005};
    Shares best{1, 1};
    double least = error(best);
    for (double low : kShares) {
      if (clipped({low, 1}) > least) break;
      for (double high : kShares) {
        if (clipped({low, high}) > least) break;
        keep({low, high}, best, least);
      }
    }
    return best;
  }

  void keep(const Shares& shares, Shares& best, double& least) const {
    const double here = error(shares);
    if (here < least) {
      best = shares;
      least = here;
    }
  }

  static constexpr int kOctaves = 12;

  GridError error_;
  double steps_;
  bool symmetric_;
  Range extremes_;
};

class LeastSquares final : public Observer {
 public:
  explicit LeastSquares(const QuantSpec& spec) : spec_(spec), tally_(spec) {}
  std::unique_ptr<Observer> clone() const override { return std::make_unique<LeastSquares>(*this); }

 private:
  void absorb(std::span<const float> batch, const Extent& extent) override { tally_.add(batch, extent); }
  void join(const Observer& other) override { tally_.merge(static_cast<const LeastSquares&>(other).tally_); }
  Range estimate() const override { return Search(spec_, tally_).best(); }

  QuantSpec spec_;
  Tally tally_;
};

}  // namespace

std::unique_ptr<Observer> make_mse(std::string_view parameter, const QuantSpec& spec) {
  no_parameter("mse", parameter);
  return std::make_unique<LeastSquares>(spec);
}

}  // namespace halftone
