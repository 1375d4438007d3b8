#include "halftone/kernels/gemm/gemm_steps.h"

#include <algorithm>
#include <cstdlib>

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
  uint16_t first[kMaxSlots], second[kMaxSlots];       // of the two weights
  uint16_t positive[kMaxSlots], negative[kMaxSlots];  // of the sums of weights as they stand
};

uint16_t size_of(int weight) { return static_cast<uint16_t>(weight == -128 ? kTooLarge : std::abs(weight)); }

class Planner {
 public:
  Planner(std::vector<StepGroup>& groups, int lanes, int32_t x_high)
      : groups_(groups), slots_(2 * lanes), most_(32767 / std::max(x_high, 1)), least_(32768 / std::max(x_high, 1)) {}

  std::vector<Step> plan() {
    for (size_t i = 0; i < groups_.size(); ++i) classify(i);  // may append groups
    take_fours();
    take_pairs(StepKind::Two, safe_, safe_);
    take_pairs(StepKind::TwoMasked, unsafe_, unsafe_);
    take_pairs(StepKind::TwoMasked, unsafe_, safe_);
    for (int32_t i : safe_) steps_.push_back({StepKind::One, {i}});
    for (int32_t i : unsafe_) steps_.push_back({StepKind::OneMasked, {i}});
    std::stable_sort(steps_.begin(), steps_.end(), [](const Step& a, const Step& b) { return a.kind < b.kind; });
    return std::move(steps_);
  }

 private:
  void classify(size_t i) {
    bool zero = true, safe = true, splits = false;
    Slots& view = views_.emplace_back();
    for (int s = 0; s < slots_; ++s) {
      const int a = groups_[i].weights[2 * s], b = groups_[i].weights[2 * s + 1];
      view.first[s] = size_of(a);
      view.second[s] = size_of(b);
      view.positive[s] = static_cast<uint16_t>(std::max(a, 0) + std::max(b, 0));
      view.negative[s] = static_cast<uint16_t>(-std::min(a, 0) - std::min(b, 0));
      zero &= a == 0 && b == 0;
      safe &= view.positive[s] <= most_ && view.negative[s] <= least_;
      splits |= a == -128 && b == -128;
    }
    if (zero) return;
    if (splits && !safe) {
      StepGroup other = groups_[i];
      for (int s = 0; s < slots_; ++s) groups_[i].weights[2 * s + 1] = other.weights[2 * s] = 0;
      groups_.push_back(other);
      views_.pop_back();
      return classify(i);
    }
    (safe ? safe_ : unsafe_).push_back(static_cast<int32_t>(i));
  }

  // The groups' sums fit 16 bits as they stand.
  bool add_up(const int32_t* members, int count) const {
    int most = 0, least = 0;
    for (int s = 0; s < slots_; ++s) {
      int positive = 0, negative = 0;
      for (int i = 0; i < count; ++i) {
        const Slots& member = views_[static_cast<size_t>(members[i])];
        positive += member.positive[s];
        negative += member.negative[s];
      }
      most = std::max(most, positive);
      least = std::max(least, negative);
    }
    return most <= most_ && least <= least_;
  }

  // The four weights of each slot of two groups can be dealt to two sides of at most kSide.
  bool can_deal(const Slots& g, const Slots& h) const {
    // In 16 bits, so that the compiler puts 8 slots into a vector.
    uint16_t worst = 0;
    for (int s = 0; s < slots_; ++s) {
      const uint16_t a = g.first[s], b = g.second[s], c = h.first[s], d = h.second[s];
      const auto all = static_cast<uint16_t>(a + b + c + d);
      const auto larger = [all](int side) {
        return std::max(static_cast<uint16_t>(side), static_cast<uint16_t>(all - side));
      };
      const uint16_t one = std::min(std::min(larger(a), larger(b)), std::min(larger(c), larger(d)));
      const uint16_t two = std::min(std::min(larger(a + b), larger(a + c)), larger(a + d));
      worst = std::max(worst, std::min(std::min(one, two), all));
    }
    return worst <= kSide;
  }

  bool fits(StepKind kind, int32_t a, int32_t b) const {
    if (kind == StepKind::TwoMasked) return can_deal(views_[static_cast<size_t>(a)], views_[static_cast<size_t>(b)]);
    const int32_t members[] = {a, b};
    return add_up(members, 2);
  }

  // Neighbours only: weights that are small enough for four are small throughout.
  void take_fours() {
    std::vector<int32_t> left;
    for (size_t i = 0; i < safe_.size();) {
      if (i + 4 <= safe_.size() && add_up(&safe_[i], 4)) {
        steps_.push_back({StepKind::Four, {safe_[i], safe_[i + 1], safe_[i + 2], safe_[i + 3]}});
        i += 4;
      } else {
        left.push_back(safe_[i++]);
      }
    }
    safe_ = std::move(left);
  }

  // Pairs each of `heads` with the first of the next kTries `partners` that fits; both lists lose what was taken. They
  // may be the same list.
  void take_pairs(StepKind kind, std::vector<int32_t>& heads, std::vector<int32_t>& partners) {
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
        steps_.push_back({kind, {heads[i], partners[j]}});
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
  std::vector<Step> steps_;
};

}  // namespace

std::vector<Step> plan_steps(std::vector<StepGroup>& groups, int lanes, int32_t x_high) {
  return Planner(groups, lanes, x_high).plan();
}

void deal_weights(const Step& step, const std::vector<StepGroup>& groups, int lanes, DealtGroup* dealt) {
  const int members = groups_of(step.kind), count = 2 * members;
  for (int g = 0; g < members; ++g) {
    const StepGroup& group = groups[static_cast<size_t>(step.groups[g])];
    dealt[g].offset = group.offset;
    std::copy_n(group.weights, kMaxLanes * kGroup, dealt[g].weights);
    std::fill_n(dealt[g].mask, kMaxLanes * kGroup, uint8_t{0});
  }
  if (!is_masked(step.kind)) return;
  for (int slot = 0; slot < 2 * lanes; ++slot) {
    // Bit i: weight i of the slot is on the positive side.
    for (unsigned side = 0; side < 1U << count; ++side) {
      int positive = 0, negative = 0;
      bool possible = true;
      for (int i = 0; i < count; ++i) {
        const int w = dealt[i / 2].weights[2 * slot + i % 2];
        const bool up = (side >> i & 1) != 0;
        possible &= !(up && w == -128);
        (up ? positive : negative) += std::abs(w);
      }
      if (!possible || positive > kSide || negative > kSide) continue;
      for (int i = 0; i < count; ++i) {
        int8_t& w = dealt[i / 2].weights[2 * slot + i % 2];
        if (w == 0 || (w > 0) == ((side >> i & 1) != 0)) continue;
        w = static_cast<int8_t>(-w);
        dealt[i / 2].mask[2 * slot + i % 2] = 0xFF;
      }
      break;
    }
  }
}

}  // namespace halftone::kernels
