#include "halftone/runtime/integer_rules/int8_weights.h"

#include <algorithm>

namespace halftone::runtime {
namespace {

// Copies `from` in the order asked for, as the set that `take` makes of each weight.
template <typename T, typename F>
void arrange(const T* from, const WeightOrder& order, int64_t sets, int64_t set, int8_t* to, const F& take) {
  const int64_t size = order.taps * order.inputs;
  for (int64_t o = 0; o < order.outputs; ++o) {
    int8_t* row = to + (o * sets + set) * size;
    for (int64_t t = 0; t < order.taps; ++t) {
      const T* source = from + o * order.output_stride + t * order.tap_stride;
      for (int64_t i = 0; i < order.inputs; ++i) *row++ = take(source[i * order.input_stride]);
    }
  }
}

bool is_centred(const IntegerNode& plan) {
  return plan.weights.dtype() == DType::Int8 &&
         std::all_of(plan.weight_zero_points.begin(), plan.weight_zero_points.end(),
                     [](int32_t zero_point) { return zero_point == 0; });
}

}  // namespace

Int8Weights int8_weights(const IntegerNode& plan, const WeightOrder& order) {
  Int8Weights result;
  const auto size = static_cast<size_t>(order.outputs * order.taps * order.inputs);
  if (is_centred(plan)) {
    result.values.resize(size);
    arrange(plan.weights.data<int8_t>().data(), order, 1, 0, result.values.data(), [](int8_t w) { return w; });
    return result;
  }
  std::vector<int32_t> weights = centred_weights(plan);
  for (int32_t w : weights) result.sets = std::max<int64_t>(result.sets, w < 0 ? (127 - w) / 128 : (126 + w) / 127);
  result.values.resize(size * static_cast<size_t>(result.sets));
  for (int64_t set = 0; set < result.sets; ++set) {
    arrange(weights.data(), order, result.sets, set, result.values.data(),
            [](int32_t w) { return static_cast<int8_t>(std::clamp(w, -128, 127)); });
    for (int32_t& w : weights) w -= std::clamp(w, -128, 127);
  }
  return result;
}

}  // namespace halftone::runtime
