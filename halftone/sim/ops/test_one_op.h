// What the tests of the operators on real numbers share: a node as a value, small operands, comparisons.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "halftone/base/rng.h"
#include "halftone/sim/test_node.h"

namespace halftone::sim {

using Ints = std::vector<int64_t>;
using Floats = std::vector<float>;

// A node with its operands; undefined tensors are operands left out.
struct OneOp {
  std::string op;
  std::vector<Tensor> inputs;
  Attributes attributes = {};
  int64_t opset = 21;
  size_t outputs = 1;

  std::vector<Tensor> run_all() const { return run_node(op, opset, inputs, attributes, outputs); }
  Tensor run() const { return run_all().at(0); }

  // The message with which the operator refuses, "" when it does not.
  std::string refusal() const {
    try {
      run_all();
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

template <typename T = float>
Tensor tensor(Shape shape, std::vector<T> values) {
  return Tensor::from<T>(std::move(shape), values);
}

// 0, 1, 2 ...
inline Tensor counting(Shape shape) {
  Tensor result(DType::Float, std::move(shape));
  float next = 0;
  for (float& x : result.mutable_data<float>()) x = next++;
  return result;
}

// Small integers as floats, so that sums are exact in any order.
inline Tensor random_integers(Rng& rng, Shape shape) {
  Tensor result(DType::Float, std::move(shape));
  for (float& x : result.mutable_data<float>()) x = static_cast<float>(rng.below(17)) - 8.0f;
  return result;
}

inline void expect_equal(const Tensor& found, const Shape& shape, const std::vector<double>& expected) {
  EXPECT_EQ(found.shape(), shape);
  EXPECT_EQ(to_vector<double>(found), expected);
}

inline void expect_near(const Tensor& found, const Shape& shape, const std::vector<double>& expected,
                        double bound = 1e-6) {
  EXPECT_EQ(found.shape(), shape);
  const std::vector<double> values = to_vector<double>(found);
  ASSERT_EQ(values.size(), expected.size());
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(values[i], expected[i], bound * std::max(1.0, std::abs(expected[i]))) << "element " << i;
  }
}

#define EXPECT_REFUSED(op, fragment) EXPECT_NE((op).refusal().find(fragment), std::string::npos) << (op).refusal()

}  // namespace halftone::sim
