// A case of the tests of single nodes on codes.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "halftone/tensor/tensor_map.h"
#include "tests/support/quantized_net.h"

namespace halftone::test {

using Ints = std::vector<int64_t>;
using Attributes = std::vector<std::pair<std::string, AttributeValue>>;

// A node under test, on operands of random codes.
struct Net : NetBuilder {
  Rng rng{5};
  std::map<std::string, Shape> shapes;       // of inputs on grids
  std::map<std::string, Shape> real_shapes;  // of others

  ValueId image(const Shape& shape = {2, 5, 7, 6}) { return in("x", shape, uint8_grid(0.03F, 100)); }
  ValueId in(const std::string& name, const Shape& shape, const QuantParams& params) {
    shapes[name] = shape;
    return input(name, shape, params);
  }
  ValueId weights(const Shape& shape, const QuantParams& params) {
    return constant("w", shape, random_floats(rng, element_count(shape), -1.2, 1.2), params);
  }
  // Weights of int8, by output channel.
  ValueId weights(const Shape& shape, int64_t axis = 0) {
    std::vector<float> scales;
    for (int64_t i = 0; i < shape[static_cast<size_t>(axis)]; ++i) {
      scales.push_back(static_cast<float>(rng.uniform(0.003, 0.01)));
    }
    return weights(shape, weight_grid(scales, axis));
  }
  ValueId bias(int64_t count) { return constant("b", {count}, random_floats(rng, count, -1, 1)); }
  ValueId constant_of(const Shape& shape) {
    return constant("c", shape, random_floats(rng, element_count(shape), -2, 2));
  }
  ValueId scalar(const std::string& name, float value) { return constant(name, {}, {value}); }
  // Its result on a grid of its own.
  ValueId y(const std::string& op, std::vector<ValueId> operands, const Attributes& attributes = {}) {
    return node(op, std::move(operands), "y", int8_grid(0.04F, -7), attributes);
  }
  // Its result on the grid of `image`.
  ValueId same(const std::string& op, std::vector<ValueId> operands, const Attributes& attributes = {}) {
    return node(op, std::move(operands), "y", uint8_grid(0.03F, 100), attributes);
  }

  // Codes of all kinds with many at the ends; reals where the input has no grid.
  TensorMap random_inputs();
};

// uint8 weights with a zero point near an end, so that centred they leave int8.
inline QuantParams lopsided_weights() { return per_tensor(DType::UInt8, 0.006F, 10, 0, 255); }

struct Case {
  std::string name;
  std::string rule;
  std::function<ValueId(Net&)> build;
};
inline void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }
inline std::string name_of_case(const testing::TestParamInfo<Case>& info) { return info.param.name; }

// The rule that is meant for the node takes it, and gives the interpreter's codes: in both modes, on one thread and on
// several.
void expect_exact_node(const Case& node);

}  // namespace halftone::test
