#include "halftone/kernels/gemm/gemm_steps.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "halftone/base/error.h"

namespace halftone::kernels {
namespace {

constexpr int kMaxSlots = kMaxLanes * 2;
// The most that one side of a slot may weigh: 255 * 128 = 32640. Complemented bytes reach 255 whatever x_high is.
constexpr int kSide = 128;
// A weight of -128 can't be negated; this absolute value keeps it from being dealt.
constexpr int kTooLarge = 1000;
// How many other groups are tried as the partner of one. More find few more pairs.
constexpr size_t kTries = 12;

// A group as its slots see it. All numbers are absolute values.
struct Slots {
  int16_t first[kMaxSlots], second[kMaxSlots];       // of the two weights
  int16_t positive[kMaxSlots], negative[kMaxSlots];  // of the sums of weights as they stand
};

class Planner {
 public:
  Planner(std::vector<StepGroup>& groups, int lanes, int32_t x_high)
      : groups_(groups), slots_(2 * lanes), most_(32767 / std::max(x_high, 1)), least_(32768 / std::max(x_high, 1)) {}

  std::vector<Step> plan() {
    views_.reserve(groups_.size() + 1);
    for (size_t i = 0; i < groups_.size(); ++i) classify(i);  // may append groups
    std::vector<Step> steps, masked;
    take_fours(steps);
    take_pairs(StepKind::Two, safe_, safe_, steps);
    take_pairs(StepKind::TwoMasked, unsafe_, unsafe_, masked);
    take_pairs(StepKind::TwoMasked, unsafe_, safe_, masked);
    for (int32_t i : safe_) steps.push_back({StepKind::One, {i}});
    steps.insert(steps.end(), masked.begin(), masked.end());
    for (int32_t i : unsafe_) steps.push_back({StepKind::OneMasked, {i}});
    return steps;
  }

 private:
  void classify(size_t i) {
    Slots& view = views_.emplace_back();
    // In 16 bits and without branches, so that the compiler puts 8 slots into a vector.
    const int8_t* weights = groups_[i].weights;
    int16_t most = 0, least = 0;
    for (int s = 0; s < slots_; ++s) {
      const int16_t a = weights[2 * s], b = weights[2 * s + 1], zero = 0;
      const auto up_a = std::max(a, zero), up_b = std::max(b, zero);
      const auto down_a = static_cast<int16_t>(up_a - a), down_b = static_cast<int16_t>(up_b - b);
      view.first[s] = static_cast<int16_t>(down_a == 128 ? kTooLarge : up_a + down_a);
      view.second[s] = static_cast<int16_t>(down_b == 128 ? kTooLarge : up_b + down_b);
      view.positive[s] = static_cast<int16_t>(up_a + up_b);
      view.negative[s] = static_cast<int16_t>(down_a + down_b);
      most = std::max(most, view.positive[s]);
      least = std::max(least, view.negative[s]);
    }
    if (most == 0 && least == 0) return;
    const bool safe = most <= most_ && least <= least_;
    constexpr int kNoComplementHelps = 2 * 128;
    if (!safe && least == kNoComplementHelps) {
      StepGroup other = groups_[i];
      for (int s = 0; s < slots_; ++s) groups_[i].weights[2 * s + 1] = other.weights[2 * s] = 0;
      groups_.push_back(other);
      views_.pop_back();
      return classify(i);
    }
    (safe ? safe_ : unsafe_).push_back(static_cast<int32_t>(i));
  }

  // The groups' sums fit 16 bits as they stand.
  template <int kCount>
  bool add_up(const int32_t* members) const {
    int16_t most = 0, least = 0;
    for (int s = 0; s < slots_; ++s) {
      int16_t positive = 0, negative = 0;
      for (int i = 0; i < kCount; ++i) {
        const Slots& member = views_[static_cast<size_t>(members[i])];
        positive = static_cast<int16_t>(positive + member.positive[s]);
        negative = static_cast<int16_t>(negative + member.negative[s]);
      }
      most = std::max(most, positive);
      least = std::max(least, negative);
    }
    return most <= most_ && least <= least_;
  }

  // The four weights of each slot of two groups can be dealt to two sides of at most kSide.
  bool can_deal(const Slots& g, const Slots& h) const {
    int16_t worst = 0;
    for (int s = 0; s < slots_; ++s) {
      const int16_t a = g.first[s], b = g.second[s], c = h.first[s], d = h.second[s];
      const auto all = static_cast<int16_t>(a + b + c + d);
      const auto larger = [all](int side) {
        return std::max(static_cast<int16_t>(side), static_cast<int16_t>(all - side));
      };
      const int16_t one = std::min(std::min(larger(a), larger(b)), std::min(larger(c), larger(d)));
      const int16_t two = std::min(std::min(larger(a + b), larger(a + c)), larger(a + d));
      worst = std::max(worst, std::min(std::min(one, two), all));
    }
    return worst <= kSide;
  }

  bool fits(StepKind kind, int32_t a, int32_t b) const {
    if (kind == StepKind::TwoMasked) return can_deal(views_[static_cast<size_t>(a)], views_[static_cast<size_t>(b)]);
    const int32_t members[] = {a, b};
    return add_up<2>(members);
  }

  // Neighbours only: weights that are small enough for four are small throughout.
  void take_fours(std::vector<Step>& steps) {
    std::vector<int32_t> left;
    for (size_t i = 0; i < safe_.size();) {
      if (i + 4 <= safe_.size() && add_up<4>(&safe_[i])) {
        steps.push_back({StepKind::Four, {safe_[i], safe_[i + 1], safe_[i + 2], safe_[i + 3]}});
        i += 4;
      } else {
        left.push_back(safe_[i++]);
      }
    }
    safe_ = std::move(left);
  }

  // Pairs each of `heads` with the first of the next kTries `partners` that fits; both lists lose what was taken. They
  // may be the same list.
  void take_pairs(StepKind kind, std::vector<int32_t>& heads, std::vector<int32_t>& partners,
                  std::vector<Step>& steps) {
    constexpr int32_t kTaken = -1;
    const bool same = &heads == &partners;
    size_t first = 0;  // all partners before it are taken
    for (size_t i = 0; i < heads.size(); ++i) {
      if (heads[i] == kTaken) continue;
      while (first < partners.size() && partners[first] == kTaken) ++first;
      size_t tries = 0;
      for (size_t j = same ? i + 1 : first; j < partners.size() && tries < kTries; ++j) {
        if (partners[j] == kTaken) continue;
        ++tries;
        if (!fits(kind, heads[i], partners[j])) continue;
        steps.push_back({kind, {heads[i], partners[j]}});
        heads[i] = partners[j] = kTaken;
        break;
      }
    }
    std::erase(heads, kTaken);
    std::erase(partners, kTaken);
  }

  std::vector<StepGroup>& groups_;
  int slots_;
  int most_, least_;  // bounds of sums of weights as they stand
  std::vector<Slots> views_;
  std::vector<int32_t> safe_, unsafe_;
};

// Which of a slot's weights have to change sign for both sides to stay within kSide, as bits; none where possible.
unsigned flips_of(const int* weights, int count) {
  for (unsigned flips = 0; flips < 1U << count; ++flips) {
    int positive = 0, negative = 0;
    for (int i = 0; i < count; ++i) {
      const int w = (flips >> i & 1) != 0 ? -weights[i] : weights[i];
      (w > 0 ? positive : negative) += std::abs(w);
      if (w == 128) positive = kTooLarge;
    }
    if (positive <= kSide && negative <= kSide) return flips;
  }
  HT_CHECK(false);
  return 0;
}

}  // namespace

std::vector<Step> plan_steps(std::vector<StepGroup>& groups, int lanes, int32_t x_high) {
  return Planner(groups, lanes, x_high).plan();
}

void deal_weights(const Step& step, const std::vector<StepGroup>& groups, int lanes, DealtGroup* dealt,
                  uint32_t* folded) {
  const int members = groups_of(step.kind), count = 2 * members;
  for (int g = 0; g < members; ++g) {
    const StepGroup& group = groups[static_cast<size_t>(step.groups[g])];
    dealt[g].offset = group.offset;
    std::copy_n(group.weights, kMaxLanes * kGroup, dealt[g].weights);
    std::fill_n(dealt[g].mask, kMaxLanes * kGroup, uint8_t{0});
  }
  if (!is_masked(step.kind)) return;
  for (int slot = 0; slot < 2 * lanes; ++slot) {
    int weights[4];
    for (int i = 0; i < count; ++i) weights[i] = dealt[i / 2].weights[2 * slot + i % 2];
    const unsigned flips = flips_of(weights, count);
    for (int i = 0; i < count; ++i) {
      if ((flips >> i & 1) == 0) continue;
      const int at = 2 * slot + i % 2;
      dealt[i / 2].weights[at] = static_cast<int8_t>(-weights[i]);
      dealt[i / 2].mask[at] = 0xFF;
      folded[at / kGroup] += static_cast<uint32_t>(255 * weights[i]);
    }
  }
}

}  // namespace halftone::kernels
