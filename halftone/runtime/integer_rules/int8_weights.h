// Weights of the integer plan in the order in which kernels take them.
#pragma once

#include <cstdint>
#include <vector>

#include "halftone/quant/integer_plan.h"

namespace halftone::runtime {

// Which weights there are, and how far apart in the model's tensor: the weight of output channel o, tap t and input
// channel i is element o * output_stride + t * tap_stride + i * input_stride.
struct WeightOrder {
  int64_t outputs = 1, taps = 1, inputs = 1;
  int64_t output_stride = 1, tap_stride = 1, input_stride = 1;
};

// Weights minus zero points as sums of int8 numbers, [output][set][tap][input]: one set where they are within
// [-128, 127], which is nearly always, else as many as it takes.
struct Int8Weights {
  std::vector<int8_t> values;
  int64_t sets = 1;
};
Int8Weights int8_weights(const IntegerNode& plan, const WeightOrder& order);

// Minus the sum of each output channel's weights: sum of (x - z) * w = sum of x * w - z * sum of w.
std::vector<int32_t> negative_sums(const std::vector<int8_t>& weights, int64_t outputs);

// int8_weights of weights that are centred and in order already, [output][tap][input], changing them.
Int8Weights int8_sets(std::vector<int32_t> weights, int64_t outputs);

}  // namespace halftone::runtime
