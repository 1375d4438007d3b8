#include "halftone/quant/observer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <typeinfo>
#include <vector>

#include <fmt/format.h>

#include "halftone/base/error.h"

namespace halftone {

#define HT_OBSERVER(name, summary, source) \
  std::unique_ptr<Observer> make_##name(std::string_view parameter, const QuantSpec& spec);
#include "halftone/quant/observers.def"
#undef HT_OBSERVER

void Observer::observe(std::span<const float> batch, std::string_view where) {
  const Extent extent = measure(batch);
  if (extent.not_finite > 0) {
    fail(ErrorCode::NumericRange, where,
         "finite numbers are required to choose a grid, found {} infinite or NaN among {}; check the weights and the "
         "preprocessing, or keep the layer that makes them in float",
         extent.not_finite, batch.size());
  }
  if (batch.empty()) return;
  absorb(batch, extent);
  empty_ = false;
}

void Observer::expect(std::span<const ClippedNormal> channels) {
  HT_CHECK(!needs_data(), "an observer of numbers takes no moments");
  learn(channels);
  empty_ = false;
}

void Observer::merge(const Observer& other) {
  HT_CHECK(typeid(*this) == typeid(other), "observers of different kinds can't be merged");
  if (other.empty_) return;
  join(other);
  empty_ = false;
}

Range Observer::range() const {
  if (empty_) return {0, 0};
  const Range range = estimate();
  HT_CHECK(std::isfinite(range.low) && std::isfinite(range.high), "range [{}, {}]", range.low, range.high);
  return {std::min(range.low, 0.0F), std::max(range.high, 0.0F)};
}

std::unique_ptr<Observer> make_observer(std::string_view description, const QuantSpec& spec) {
  const size_t colon = description.find(':');
  const std::string_view name = description.substr(0, colon);
  if (description.ends_with(':')) {
    fail(ErrorCode::InvalidArgument, "observer", "a number is required after the colon, found '{}'", description);
  }
  const std::string_view parameter = colon == std::string_view::npos ? "" : description.substr(colon + 1);
#define HT_OBSERVER(known, summary, source) \
  if (name == #known) return make_##known(parameter, spec);
#include "halftone/quant/observers.def"
#undef HT_OBSERVER
  std::vector<std::string_view> names;
  for (const ObserverInfo& info : all_observers()) names.push_back(info.name);
  const std::string nearest = nearest_word(name, names);
  fail(ErrorCode::InvalidArgument, "observer", "one of {} is required, found '{}'{}", fmt::join(names, ", "), name,
       nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
}

std::span<const ObserverInfo> all_observers() {
#define HT_OBSERVER(name, summary, source) ObserverInfo{#name, summary, source},
  static constexpr auto kObservers = std::to_array<ObserverInfo>({
#include "halftone/quant/observers.def"
  });
#undef HT_OBSERVER
  return kObservers;
}

}  // namespace halftone
