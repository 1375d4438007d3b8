// Observers watch a tensor's numbers go by and propose the range that its grid should cover.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "halftone/quant/extent.h"
#include "halftone/quant/quant_params.h"

namespace halftone {

struct Range {
  float low = 0, high = 0;
  bool operator==(const Range&) const = default;
};

struct ClippedNormal;  // halftone/quant/value_moments.h

// Constant memory, whatever the number of batches. Not thread-safe: give each thread its own and merge them.
class Observer {
 public:
  virtual ~Observer() = default;

  // One batch. `where` names the tensor. Errors: Error{NumericRange} at `where` for infinite numbers and NaN.
  void observe(std::span<const float> batch, std::string_view where);

  // Whether the range comes from numbers; otherwise it comes from what is known of them beforehand.
  virtual bool needs_data() const { return true; }
  // What is known of the channels of one tensor. Only for observers that need no data.
  void expect(std::span<const ClippedNormal> channels);

  // As if `other` had gone on observing where this one stopped. Errors: InternalError when `other` is of another kind.
  // Determinism: unless order_matters, the state depends on the set of numbers alone, bit for bit.
  void merge(const Observer& other);

  // Whether the order and the sizes of the batches make a difference.
  virtual bool order_matters() const { return false; }

  // low <= 0 <= high, both finite. An observer that has seen nothing but zeros, or nothing at all, gives [0, 0].
  Range range() const;

  virtual std::unique_ptr<Observer> clone() const = 0;

 protected:
  Observer() = default;
  Observer(const Observer&) = default;
  Observer& operator=(const Observer&) = default;

 private:
  // `extent` is the batch's, all numbers finite; the batch is not empty.
  virtual void absorb(std::span<const float> batch, const Extent& extent) = 0;
  // `other` is of this class.
  virtual void join(const Observer& other) = 0;
  virtual void learn(std::span<const ClippedNormal>) {}
  // Only called after something was absorbed or learnt; need not contain 0.
  virtual Range estimate() const = 0;

  bool empty_ = true;
};

// An observer by name, with its parameter where it has one: "min_max", "percentile", "percentile:99.9". `spec` is the
// grid that its range is for: one that weighs rounding against clipping has to know the number of codes. Errors:
// Error{InvalidArgument} for an unknown name (with the nearest known one) and for a parameter it can't take.
std::unique_ptr<Observer> make_observer(std::string_view description, const QuantSpec& spec = {});
// The one that the spec names.
inline std::unique_ptr<Observer> make_observer(const QuantSpec& spec) { return make_observer(spec.observer, spec); }

struct ObserverInfo {
  std::string_view name, summary, source;
};
// The lines of observers.def.
std::span<const ObserverInfo> all_observers();

}  // namespace halftone
