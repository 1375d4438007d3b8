#include "halftone/runtime/integer_rules/int8_weights.h"

#include <algorithm>

namespace halftone::runtime {
namespace {

// Copies `from` in the order asked for.
template <typename T>
void arrange(const T* from, const WeightOrder& order, T* to) {
  for (int64_t o = 0; o < order.outputs; ++o) {
    for (int64_t t = 0; t < order.taps; ++t) {
      const T* source = from + o * order.output_stride + t * order.tap_stride;
      for (int64_t i = 0; i < order.inputs; ++i) *to++ = source[i * order.input_stride];
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
    arrange(plan.weights.data<int8_t>().data(), order, result.values.data());
    return result;
  }
  std::vector<int32_t> ordered(size);
  arrange(centred_weights(plan).data(), order, ordered.data());
  return int8_sets(std::move(ordered), order.outputs);
}

Int8Weights int8_sets(std::vector<int32_t> weights, int64_t outputs) {
  Int8Weights result;
  for (int32_t w : weights) result.sets = std::max<int64_t>(result.sets, w < 0 ? (127 - w) / 128 : (126 + w) / 127);
  result.values.resize(weights.size() * static_cast<size_t>(result.sets));
  const auto size = static_cast<int64_t>(weights.size()) / std::max<int64_t>(outputs, 1);
  int8_t* to = result.values.data();
  for (int64_t o = 0; o < outputs; ++o) {
    int32_t* row = weights.data() + o * size;
    for (int64_t set = 0; set < result.sets; ++set) {
      for (int64_t i = 0; i < size; ++i) {
        *to = static_cast<int8_t>(std::clamp(row[i], -128, 127));
        row[i] -= *to++;
      }
    }
  }
  return result;
}

std::vector<int32_t> negative_sums(const std::vector<int8_t>& weights, int64_t outputs) {
  std::vector<int32_t> sums(static_cast<size_t>(outputs), 0);
  const size_t each = weights.size() / sums.size();
  for (size_t i = 0; i < weights.size(); ++i) sums[i / each] -= weights[i];
  return sums;
}

}  // namespace halftone::runtime
