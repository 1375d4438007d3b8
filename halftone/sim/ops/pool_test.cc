#include <cmath>

#include "halftone/sim/ops/test_one_op.h"

namespace halftone::sim::pool_test {
namespace {

TEST(MaxPool, IndicesCountTheWholeTensor) {
  OneOp op{"MaxPool", {tensor({1, 2, 2, 3}, {1, 9, 2, 3, 4, 5, 8, 0, 0, 0, 0, 7})}, {{"kernel_shape", Ints{2, 2}}}};
  op.outputs = 2;
  std::vector<Tensor> results = op.run_all();
  expect_equal(results[0], {1, 2, 1, 2}, {9, 9, 8, 7});
  expect_equal(results[1], {1, 2, 1, 2}, {1, 1, 6, 11});
  // Column-major within a plane: (row 0, column 1) is 0 + 2 * 1.
  op.attributes.emplace_back("storage_order", int64_t{1});
  expect_equal(op.run_all()[1], {1, 2, 1, 2}, {2, 2, 6, 11});
}

TEST(MaxPool, PaddingNeverWins) {
  const OneOp op{"MaxPool", {tensor({1, 1, 3}, {-5, -7, -6})}, {{"kernel_shape", Ints{2}}, {"pads", Ints{1, 1}}}};
  expect_equal(op.run(), {1, 1, 4}, {-5, -5, -6, -6});
  const Tensor codes = tensor<int8_t>({1, 1, 2}, {-128, -100});
  expect_equal(OneOp{"MaxPool", {codes}, op.attributes}.run(), {1, 1, 3}, {-128, -100, -100});
}

TEST(MaxPool, CeilModeDropsAWindowThatStartsInThePadding) {
  const Tensor x = tensor({1, 1, 4}, {1, 2, 3, 4});
  const auto run = [&](int64_t kernel, int64_t stride, Ints pads) {
    return OneOp{"MaxPool",
                 {x},
                 {{"kernel_shape", Ints{kernel}}, {"strides", Ints{stride}}, {"pads", pads}, {"ceil_mode", int64_t{1}}}}
        .run();
  };
  expect_equal(run(3, 2, {0, 0}), {1, 1, 2}, {3, 4});
  // Windows at 0, 3 (reaching beyond) and 6, which would start after the input and its first padding.
  expect_equal(run(2, 3, {0, 1}), {1, 1, 2}, {2, 4});
  expect_equal(run(1, 4, {0, 1}), {1, 1, 1}, {1});
}

TEST(MaxPool, Dilation) {
  const OneOp op{"MaxPool", {counting({1, 1, 3, 3})}, {{"kernel_shape", Ints{2, 2}}, {"dilations", Ints{2, 2}}}};
  expect_equal(op.run(), {1, 1, 1, 1}, {8});
}

TEST(AveragePool, WhatCounts) {
  const Tensor x = tensor({1, 1, 4}, {1, 2, 3, 4});
  const auto run = [&](int64_t kernel, int64_t stride, Ints pads, int64_t include, int64_t ceil) {
    return OneOp{"AveragePool",
                 {x},
                 {{"kernel_shape", Ints{kernel}},
                  {"strides", Ints{stride}},
                  {"pads", pads},
                  {"count_include_pad", include},
                  {"ceil_mode", ceil}}}
        .run();
  };
  expect_equal(run(2, 1, {1, 1}, 0, 0), {1, 1, 5}, {1, 1.5, 2.5, 3.5, 4});
  expect_equal(run(2, 1, {1, 1}, 1, 0), {1, 1, 5}, {0.5, 1.5, 2.5, 3.5, 2});
  // The last window covers 4 and one place beyond the padded input, which never counts.
  expect_equal(run(2, 3, {0, 0}, 1, 1), {1, 1, 2}, {1.5, 4});
  expect_equal(run(3, 3, {0, 1}, 1, 1), {1, 1, 2}, {2, 2});
}

TEST(AveragePool, Dilation) {
  const OneOp op{"AveragePool", {counting({1, 1, 5})}, {{"kernel_shape", Ints{2}}, {"dilations", Ints{3}}}};
  expect_equal(op.run(), {1, 1, 2}, {1.5, 2.5});
}

TEST(AveragePool, SameLowerPadsTheStart) {
  const OneOp op{"AveragePool",
                 {tensor({1, 1, 3}, {1, 2, 4})},
                 {{"kernel_shape", Ints{2}}, {"auto_pad", std::string("SAME_LOWER")}}};
  expect_equal(op.run(), {1, 1, 3}, {1, 1.5, 3});
}

TEST(LpPool, Norms) {
  const Tensor x = tensor({1, 1, 3}, {3, -4, 0});
  expect_near(OneOp{"LpPool", {x}, {{"kernel_shape", Ints{2}}}}.run(), {1, 1, 2}, {5, 4});
  expect_near(OneOp{"LpPool", {x}, {{"kernel_shape", Ints{2}}, {"p", int64_t{1}}}}.run(), {1, 1, 2}, {7, 4});
}

TEST(Pools, RefuseContradictions) {
  const Tensor x = counting({1, 1, 4, 4});
  EXPECT_REFUSED((OneOp{"MaxPool", {x}}), "kernel_shape");
  EXPECT_REFUSED((OneOp{"MaxPool", {x}, {{"kernel_shape", Ints{2}}}}), "kernel_shape");
  EXPECT_REFUSED((OneOp{"MaxPool", {x}, {{"kernel_shape", Ints{0, 1}}}}), "kernel_shape must lie in");
  EXPECT_REFUSED((OneOp{"AveragePool", {x}, {{"kernel_shape", Ints{5, 1}}}}), "reaches over 5 elements");
  EXPECT_REFUSED((OneOp{"MaxPool", {counting({1, 1, 1, 1, 1, 1})}, {{"kernel_shape", Ints{1, 1, 1, 1}}}}), "1 to 3");
}

TEST(GlobalPools, AnyNumberOfDimensions) {
  const Tensor x = tensor({1, 2, 1, 2, 1}, {3, 4, -6, 8});
  expect_equal(OneOp{"GlobalAveragePool", {x}}.run(), {1, 2, 1, 1, 1}, {3.5, 1});
  expect_equal(OneOp{"GlobalMaxPool", {x}}.run(), {1, 2, 1, 1, 1}, {4, 8});
  expect_near(OneOp{"GlobalLpPool", {x}}.run(), {1, 2, 1, 1, 1}, {5, 10});
  EXPECT_REFUSED((OneOp{"GlobalAveragePool", {Tensor(DType::Float, {1, 2, 0})}}), "at least one element");
}

TEST(DepthToSpace, BothOrdersAndBack) {
  const Tensor x = counting({1, 8, 1, 1});
  const auto run = [](const char* op, const Tensor& t, const char* mode) {
    return OneOp{op, {t}, {{"blocksize", int64_t{2}}, {"mode", std::string(mode)}}}.run();
  };
  expect_equal(run("DepthToSpace", x, "DCR"), {1, 2, 2, 2}, {0, 2, 4, 6, 1, 3, 5, 7});
  expect_equal(run("DepthToSpace", x, "CRD"), {1, 2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  const Tensor y = counting({2, 3, 4, 6});
  for (const char* mode : {"DCR", "CRD"}) {
    EXPECT_TRUE(run("DepthToSpace", run("SpaceToDepth", y, mode), mode).same_as(y)) << mode;
  }
  EXPECT_REFUSED((OneOp{"DepthToSpace", {counting({1, 6, 1, 1})}, {{"blocksize", int64_t{2}}}}), "multiple of 4");
  EXPECT_REFUSED((OneOp{"SpaceToDepth", {counting({1, 1, 3, 2})}, {{"blocksize", int64_t{2}}}}), "multiples of 2");
  EXPECT_REFUSED((OneOp{"SpaceToDepth", {counting({1, 1, 2, 2})}}), "blocksize");
}

}  // namespace
}  // namespace halftone::sim::pool_test
