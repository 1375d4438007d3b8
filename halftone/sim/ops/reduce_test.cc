// Reductions against a plain walk over coordinates, and what they mean on nothing.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "halftone/base/rng.h"
#include "halftone/sim/test_node.h"

namespace halftone::sim::reduce_test {
namespace {

struct Reduction {
  const char* op;
  std::function<double(const std::vector<double>&)> formula;
};

double sum_of(const std::vector<double>& row, const std::function<double(double)>& f) {
  double sum = 0;
  for (const double x : row) sum += f(x);
  return sum;
}

const std::vector<Reduction>& reductions() {
  static const std::vector<Reduction> all = {
      {"ReduceSum", [](const auto& row) { return sum_of(row, [](double x) { return x; }); }},
      {"ReduceMean",
       [](const auto& row) { return sum_of(row, [](double x) { return x; }) / static_cast<double>(row.size()); }},
      {"ReduceMax", [](const auto& row) { return *std::max_element(row.begin(), row.end()); }},
      {"ReduceMin", [](const auto& row) { return *std::min_element(row.begin(), row.end()); }},
      {"ReduceProd",
       [](const auto& row) {
         double product = 1;
         for (const double x : row) product *= x;
         return product;
       }},
      {"ReduceL1", [](const auto& row) { return sum_of(row, [](double x) { return std::fabs(x); }); }},
      {"ReduceL2", [](const auto& row) { return std::sqrt(sum_of(row, [](double x) { return x * x; })); }},
      {"ReduceLogSum", [](const auto& row) { return std::log(sum_of(row, [](double x) { return x; })); }},
      {"ReduceLogSumExp", [](const auto& row) { return std::log(sum_of(row, [](double x) { return std::exp(x); })); }},
      {"ReduceSumSquare", [](const auto& row) { return sum_of(row, [](double x) { return x * x; }); }},
  };
  return all;
}

// The elements that meet in each result, found by dividing every position into coordinates.
std::map<std::vector<int64_t>, std::vector<double>> group(const Tensor& x, unsigned reduced) {
  std::map<std::vector<int64_t>, std::vector<double>> groups;
  const std::vector<double> values = to_vector<double>(x);
  for (size_t i = 0; i < values.size(); ++i) {
    std::vector<int64_t> kept(static_cast<size_t>(x.rank()));
    auto rest = static_cast<int64_t>(i);
    for (int64_t d = x.rank() - 1; d >= 0; --d) {
      kept[static_cast<size_t>(d)] = reduced >> d & 1 ? 0 : rest % x.dim(d);
      rest /= x.dim(d);
    }
    groups[kept].push_back(values[i]);
  }
  return groups;
}

TEST(Reduce, EveryOperatorOverEverySetOfAxes) {
  Rng rng(7);
  Tensor x(DType::Float, {2, 3, 1, 4});
  for (float& value : x.mutable_data<float>()) value = static_cast<float>(rng.uniform(0.1, 2.0));
  for (const Reduction& reduction : reductions()) {
    for (unsigned reduced = 1; reduced < 16; ++reduced) {
      SCOPED_TRACE(fmt::format("{} over the axes {:04b}", reduction.op, reduced));
      std::vector<int64_t> axes;
      Shape kept, squeezed;
      for (int64_t d = 0; d < 4; ++d) {
        if (reduced >> d & 1) axes.push_back(d % 2 == 0 ? d : d - 4);
        kept.push_back(reduced >> d & 1 ? 1 : x.dim(d));
        if (!(reduced >> d & 1)) squeezed.push_back(x.dim(d));
      }
      const Tensor by_input = run_node(reduction.op, 18, {x, vector_of(axes)})[0];
      const Tensor by_attribute = run_node(reduction.op, 11, {x}, {{"axes", ints(axes)}, {"keepdims", int64_t{0}}})[0];
      EXPECT_EQ(by_input.shape(), kept);
      EXPECT_EQ(by_attribute.shape(), squeezed);
      EXPECT_TRUE(by_input.reshaped(squeezed).same_as(by_attribute));
      size_t i = 0;
      for (const auto& [position, row] : group(x, reduced)) {
        EXPECT_NEAR(by_input.data<float>()[i++], reduction.formula(row),
                    1e-6 * (1 + std::fabs(reduction.formula(row))));
      }
    }
  }
}

TEST(Reduce, AxesBecameAnInputAtDifferentOpsets) {
  const Tensor x = Tensor::from({2, 2}, std::vector<int64_t>{1, 2, 3, 4});
  EXPECT_EQ(values_of("ReduceSum", 13, {x, vector_of({0})}), (std::vector<double>{4, 6}));
  EXPECT_EQ(values_of("ReduceMax", 17, {x}, {{"axes", ints({0})}}), (std::vector<double>{3, 4}));
  EXPECT_EQ(values_of("ReduceMax", 18, {x, vector_of({0})}), (std::vector<double>{3, 4}));
  EXPECT_EQ(values_of("ReduceMax", 18, {x}), std::vector<double>{4});
  EXPECT_EQ(values_of("ReduceMax", 18, {x, vector_of({})}, {{"noop_with_empty_axes", int64_t{1}}}),
            (std::vector<double>{1, 2, 3, 4}));
  EXPECT_THROW(run_node("ReduceSum", 13, {x, vector_of({0, -2})}), Error);
  EXPECT_THROW(run_node("ReduceSum", 13, {x, vector_of({2})}), Error);
}

TEST(Reduce, OfNothing) {
  const auto reduce = [](const char* op, DType dtype) {
    const Tensor result = run_node(op, 20, {Tensor(dtype, {2, 0}), vector_of({1})})[0];
    EXPECT_EQ(result.shape(), (Shape{2, 1}));
    return to_vector<double>(result)[1];
  };
  EXPECT_EQ(reduce("ReduceSum", DType::Float), 0);
  EXPECT_EQ(reduce("ReduceProd", DType::Int32), 1);
  EXPECT_EQ(reduce("ReduceMax", DType::Float16), -INFINITY);
  EXPECT_EQ(reduce("ReduceMin", DType::Double), INFINITY);
  EXPECT_EQ(reduce("ReduceMax", DType::Int8), -128);
  EXPECT_EQ(reduce("ReduceMin", DType::UInt8), 255);
  EXPECT_EQ(reduce("ReduceMax", DType::Bool), 0);
  EXPECT_EQ(reduce("ReduceMin", DType::Bool), 1);
  EXPECT_EQ(reduce("ReduceLogSumExp", DType::Float), -INFINITY);
  EXPECT_TRUE(std::isnan(reduce("ReduceMean", DType::Float)));
  EXPECT_THROW(reduce("ReduceMean", DType::Int32), Error);
}

TEST(Reduce, StaysExactWhereItCan) {
  const std::vector<double> large = values_of("ReduceLogSumExp", 18, {floats({1000, 1000})});
  EXPECT_NEAR(large[0], 1000 + std::log(2.0), 1e-4);
  // A float32 sum would lose the small terms.
  std::vector<float> terms(1001, 1.0f);
  terms[0] = 16777216.0f;
  EXPECT_EQ(values_of("ReduceSum", 13, {floats(terms)})[0], 16778216.0);
  const int64_t big = (int64_t{1} << 62) + 1;
  EXPECT_EQ(run_node("ReduceMax", 18, {vector_of({big, big - 1})})[0].data<int64_t>()[0], big);
  EXPECT_TRUE(std::isnan(values_of("ReduceMax", 18, {floats({1, NAN, 2})})[0]));
}

TEST(ArgMax, TiesAndTypes) {
  const Tensor x = vector_of({3, 7, 7, -1});
  EXPECT_EQ(values_of("ArgMax", 13, {x}), std::vector<double>{1});
  EXPECT_EQ(values_of("ArgMax", 13, {x}, {{"select_last_index", int64_t{1}}}), std::vector<double>{2});
  EXPECT_EQ(values_of("ArgMin", 13, {convert(x, DType::Int8)}), std::vector<double>{3});
  EXPECT_THROW(run_node("ArgMax", 13, {Tensor(DType::Float, {0})}), Error);
}

TEST(TopK, OrdersTiesAndNaN) {
  const Tensor x = floats({2, NAN, 5, 2, 5});
  const auto top = [&](int64_t k, int64_t largest) {
    return to_vector<int64_t>(run_node("TopK", 11, {x, vector_of({k})}, {{"largest", largest}}, 2)[1]);
  };
  EXPECT_EQ(top(5, 1), (std::vector<int64_t>{1, 2, 4, 0, 3}));
  EXPECT_EQ(top(3, 0), (std::vector<int64_t>{0, 3, 2}));
  EXPECT_EQ(top(0, 1), std::vector<int64_t>{});
  EXPECT_THROW(top(6, 1), Error);
  EXPECT_THROW(top(-1, 1), Error);
  const std::vector<Tensor> old = run_node("TopK", 9, {vector_of({1, 3, 2})}, {{"k", int64_t{2}}}, 2);
  EXPECT_EQ(to_vector<int64_t>(old[0]), (std::vector<int64_t>{3, 2}));
}

TEST(Det, HandValues) {
  const Tensor x = Tensor::from({2, 3, 3}, std::vector<float>{0, 2, 1, 1, 0, 0, 3, 4, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  const std::vector<double> det = values_of("Det", 11, {x});
  EXPECT_NEAR(det[0], 2.0, 1e-6);
  EXPECT_NEAR(det[1], 0.0, 1e-6);
  EXPECT_THROW(run_node("Det", 11, {floats({1, 2})}), Error);
}

}  // namespace
}  // namespace halftone::sim::reduce_test
