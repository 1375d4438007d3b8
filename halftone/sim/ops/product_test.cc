#include <climits>

#include "halftone/sim/ops/test_one_op.h"

namespace halftone::sim::product_test {
namespace {

TEST(Gemm, AllAttributes) {
  const Tensor a = tensor({3, 2}, {1, 4, 2, 5, 3, 6});  // of 1 2 3 / 4 5 6
  const Tensor b = tensor({2, 3}, {1, 0, 2, 0, 1, 1});  // of 1 0 / 0 1 / 2 1
  const Attributes both = {{"transA", int64_t{1}}, {"transB", int64_t{1}}, {"alpha", 2.0f}, {"beta", 0.5f}};
  expect_equal(OneOp{"Gemm", {a, b, tensor({2}, {10, 20})}, both}.run(), {2, 2}, {19, 20, 37, 32});
  expect_equal(OneOp{"Gemm", {a, b, tensor({2, 1}, {10, 20})}, both}.run(), {2, 2}, {19, 15, 42, 32});
  expect_equal(OneOp{"Gemm", {a, b, Tensor::scalar(4.0f)}, both}.run(), {2, 2}, {16, 12, 34, 24});
  expect_equal(OneOp{"Gemm", {a, b}, both}.run(), {2, 2}, {14, 10, 32, 22});
}

TEST(Gemm, IntegersWrap) {
  const OneOp op{"Gemm", {tensor<int32_t>({1, 2}, {INT_MAX, 1}), tensor<int32_t>({2, 1}, {1, 1})}};
  expect_equal(op.run(), {1, 1}, {INT_MIN});
}

TEST(Gemm, RefusesContradictions) {
  EXPECT_REFUSED((OneOp{"Gemm", {counting({2, 3}), counting({2, 3})}}), "can't multiply a 2 x 3 by a 2 x 3");
  EXPECT_REFUSED((OneOp{"Gemm", {counting({2, 3, 1}), counting({3, 1})}}), "must be a matrix");
  EXPECT_REFUSED((OneOp{"Gemm", {counting({2, 3}), counting({3, 2}), counting({3})}}), "broadcast");
}

TEST(MatMul, ShapesAsInNumpy) {
  const auto shape = [](Shape a, Shape b) { return OneOp{"MatMul", {counting(a), counting(b)}}.run().shape(); };
  EXPECT_EQ(shape({3}, {3}), Shape{});
  EXPECT_EQ(shape({3}, {3, 2}), Shape{2});
  EXPECT_EQ(shape({2, 3}, {3}), Shape{2});
  EXPECT_EQ(shape({3}, {4, 3, 2}), (Shape{4, 2}));
  EXPECT_EQ(shape({5, 1, 2, 3}, {4, 3, 2}), (Shape{5, 4, 2, 2}));
  EXPECT_EQ(shape({0, 3}, {3, 2}), (Shape{0, 2}));
  EXPECT_EQ(shape({2, 0}, {0, 2}), (Shape{2, 2}));
}

TEST(MatMul, BatchesBroadcast) {
  // Each of two matrices with the one on the right.
  const OneOp op{"MatMul", {tensor({2, 1, 2}, {1, 2, 3, 4}), tensor({1, 2, 2}, {1, 10, 100, 1000})}};
  expect_equal(op.run(), {2, 1, 2}, {201, 2010, 403, 4030});
}

TEST(MatMul, RefusesContradictions) {
  EXPECT_REFUSED((OneOp{"MatMul", {counting({2, 3}), counting({2, 3})}}), "can't multiply [2, 3] by [2, 3]");
  EXPECT_REFUSED((OneOp{"MatMul", {counting({2, 2, 3}), counting({3, 3, 3})}}), "equal or 1");
  EXPECT_REFUSED((OneOp{"MatMul", {Tensor::scalar(1.0f), counting({1})}}), "scalar");
}

Tensor codes(Shape shape, std::vector<uint8_t> values) { return tensor<uint8_t>(std::move(shape), std::move(values)); }

TEST(MatMulInteger, ZeroPointsPerRowAndColumn) {
  const Tensor a = codes({2, 2}, {5, 6, 7, 8}), b = codes({2, 2}, {1, 2, 3, 4});
  // Rows minus 5 and 7: 0 1 / 0 1. Columns minus 1 and 4: 0 -2 / 2 0.
  expect_equal(OneOp{"MatMulInteger", {a, b, codes({2}, {5, 7}), codes({2}, {1, 4})}}.run(), {2, 2}, {2, 0, 2, 0});
  expect_equal(OneOp{"MatMulInteger", {a, b}}.run(), {2, 2}, {23, 34, 31, 46});
  EXPECT_REFUSED((OneOp{"MatMulInteger", {a, counting({2, 2})}}), "must be uint8 or int8");
  EXPECT_REFUSED((OneOp{"MatMulInteger", {a, b, codes({3}, {5, 7, 9})}}), "broadcast");
}

TEST(QLinearMatMul, ScalesPerColumn) {
  const OneOp op{"QLinearMatMul",
                 {codes({1, 2}, {3, 5}), Tensor::scalar(0.5f), codes({}, {1}), tensor<int8_t>({2, 2}, {1, -1, 1, 1}),
                  tensor({2}, {1, 4}), tensor<int8_t>({2}, {0, 0}), Tensor::scalar(1.0f), tensor<int8_t>({}, {-3})}};
  // Sums 6 and 2, times 0.5 and 2.
  const Tensor y = op.run();
  EXPECT_EQ(y.dtype(), DType::Int8);
  expect_equal(y, {1, 2}, {0, 1});
}

TEST(Einsum, Equations) {
  const auto run = [](const char* equation, std::vector<Tensor> inputs) {
    return OneOp{"Einsum", std::move(inputs), {{"equation", std::string(equation)}}}.run();
  };
  const Tensor m = counting({2, 3});
  expect_equal(run("ij->ji", {m}), {3, 2}, {0, 3, 1, 4, 2, 5});
  expect_equal(run("ij->", {m}), {}, {15});
  expect_equal(run("ij -> i", {m}), {2}, {3, 12});
  expect_equal(run("ii->i", {counting({3, 3})}), {3}, {0, 4, 8});
  expect_equal(run("ii", {counting({3, 3})}), {}, {12});
  expect_equal(run("ba", {m}), {3, 2}, {0, 3, 1, 4, 2, 5});
  expect_equal(run("i,j,i->ji", {tensor({2}, {1, 2}), tensor({2}, {3, 5}), tensor({2}, {7, 11})}), {2, 2},
               {21, 66, 35, 110});
  expect_equal(run("...ij,...jk", {counting({2, 1, 2}), counting({2, 1})}), {2, 1, 1}, {1, 3});
  expect_equal(run("i...->...", {m}), {3}, {3, 5, 7});
  expect_equal(run("ij,jk->ik", {counting({2, 0}), counting({0, 3})}), {2, 3}, {0, 0, 0, 0, 0, 0});
}

TEST(Einsum, RefusesContradictions) {
  const auto op = [](const char* equation, std::vector<Tensor> inputs) {
    return OneOp{"Einsum", std::move(inputs), {{"equation", std::string(equation)}}};
  };
  EXPECT_REFUSED(op("ij,jk->ik", {counting({2, 3})}), "2 terms for 1 operands");
  EXPECT_REFUSED(op("ijk->i", {counting({2, 3})}), "does not fit");
  EXPECT_REFUSED(op("ij->k", {counting({2, 3})}), "no operand has");
  EXPECT_REFUSED(op("ij->ii", {counting({2, 3})}), "twice");
  EXPECT_REFUSED(op("i1->i", {counting({2, 3})}), "letters");
  EXPECT_REFUSED(op("......->", {counting({2, 3})}), "at most one ellipsis");
  EXPECT_REFUSED(op("ij,jk->ik", {counting({2, 3}), counting({4, 2})}), "equal dimensions, found 3 and 4");
}

}  // namespace
}  // namespace halftone::sim::product_test
