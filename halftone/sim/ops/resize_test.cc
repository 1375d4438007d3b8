#include <cmath>

#include "halftone/sim/ops/test_one_op.h"

namespace halftone::sim::resize_test {
namespace {

// Resizes a line of numbers by `scale`.
struct Line {
  std::vector<float> x;
  float scale;
  Attributes attributes;

  OneOp op() const {
    return {"Resize", {tensor({static_cast<int64_t>(x.size())}, x), Tensor(), tensor({1}, {scale})}, attributes};
  }
};

Attributes words(const char* mode, const char* coordinates, const char* nearest = "round_prefer_floor") {
  return {{"mode", std::string(mode)},
          {"coordinate_transformation_mode", std::string(coordinates)},
          {"nearest_mode", std::string(nearest)}};
}

TEST(Resize, NearestModesRoundTies) {
  // Coordinates 0, 0.5, 1, 1.5.
  const auto run = [](const char* nearest) {
    return Line{{1, 2}, 2, words("nearest", "asymmetric", nearest)}.op().run();
  };
  expect_equal(run("round_prefer_floor"), {4}, {1, 1, 2, 2});
  expect_equal(run("round_prefer_ceil"), {4}, {1, 2, 2, 2});
  expect_equal(run("floor"), {4}, {1, 1, 2, 2});
  expect_equal(run("ceil"), {4}, {1, 2, 2, 2});
}

TEST(Resize, LinearCoordinateModes) {
  const std::vector<float> x = {0, 10, 20};
  const auto run = [&](const char* coordinates) { return Line{x, 2, words("linear", coordinates)}.op().run(); };
  expect_near(run("half_pixel"), {6}, {0, 2.5, 7.5, 12.5, 17.5, 20});
  expect_near(run("pytorch_half_pixel"), {6}, {0, 2.5, 7.5, 12.5, 17.5, 20});
  expect_near(run("half_pixel_symmetric"), {6}, {0, 2.5, 7.5, 12.5, 17.5, 20});
  expect_near(run("asymmetric"), {6}, {0, 5, 10, 15, 20, 20});
  expect_near(run("align_corners"), {6}, {0, 4, 8, 12, 16, 20});
  // A single output element: pytorch_half_pixel takes the first, half_pixel the middle.
  expect_near(Line{x, 0.4f, words("linear", "pytorch_half_pixel")}.op().run(), {1}, {0});
  expect_near(Line{x, 0.4f, words("linear", "half_pixel")}.op().run(), {1}, {7.5}, 1e-5);
  // 3 * 0.7 = 2.1 becomes 2: symmetric puts both at equal distance from the ends.
  const std::vector<float> pair = to_vector<float>(Line{x, 0.7f, words("linear", "half_pixel_symmetric")}.op().run());
  ASSERT_EQ(pair.size(), 2u);
  EXPECT_NEAR(pair[0] - 0, 20 - pair[1], 1e-4);
}

TEST(Resize, CropsAndExtrapolates) {
  Attributes attributes = words("linear", "tf_crop_and_resize");
  attributes.emplace_back("extrapolation_value", -1.0f);
  const OneOp op{"Resize",
                 {tensor({3}, {0, 10, 20}), tensor({2}, {0.25f, 1.25f}), Tensor(), tensor<int64_t>({1}, {3})},
                 attributes};
  // Coordinates 0.5, 1.5, 2.5.
  expect_near(op.run(), {3}, {5, 15, -1});
  OneOp nearest = op;
  nearest.attributes[0].second = std::string("nearest");
  expect_near(nearest.run(), {3}, {0, 10, -1});
  nearest.inputs[1] = tensor({2}, {NAN, 1});
  EXPECT_REFUSED(nearest, "must be finite");
}

TEST(Resize, CubicReproducesItsInputAndLines) {
  const std::vector<float> x = {3, 1, 4, 1, 5};
  expect_near(Line{x, 1, words("cubic", "half_pixel")}.op().run(), {5}, {3, 1, 4, 1, 5});
  // Keys' kernel with a = -0.5 reproduces straight lines wherever all four taps are inside.
  Attributes attributes = words("cubic", "asymmetric");
  attributes.emplace_back("cubic_coeff_a", -0.5f);
  const std::vector<double> y = to_vector<double>(Line{{0, 1, 2, 3, 4, 5}, 2, attributes}.op().run());
  for (size_t i = 2; i <= 8; ++i) EXPECT_NEAR(y[i], static_cast<double>(i) / 2, 1e-6);
}

TEST(Resize, ExcludeOutsideKeepsConstants) {
  for (const char* mode : {"linear", "cubic"}) {
    Attributes attributes = words(mode, "half_pixel");
    attributes.emplace_back("exclude_outside", int64_t{1});
    expect_near(Line{{7, 7, 7}, 2.5f, attributes}.op().run(), {7}, std::vector<double>(7, 7));
  }
}

TEST(Resize, AntialiasAverages) {
  Attributes attributes = words("linear", "half_pixel");
  attributes.emplace_back("antialias", int64_t{1});
  // Halving: a triangle of half-width 2 around 0.5, 2.5: weights 1 3 3 1 over 8, the edge repeated.
  expect_near(Line{{8, 16, 24, 40}, 0.5f, attributes}.op().run(), {2},
              {(8 + 24 + 48 + 24) / 8.0, (16 + 72 + 120 + 40) / 8.0});
  expect_near(Line{{0, 10}, 2, attributes}.op().run(), {4}, {0, 2.5, 7.5, 10});
}

TEST(Resize, SizesAxesAndAspectRatio) {
  const auto run = [](const char* policy) {
    return OneOp{"Resize",
                 {counting({1, 4, 8}), Tensor(), Tensor(), tensor<int64_t>({2}, {8, 8})},
                 {{"axes", Ints{-1, 1}}, {"keep_aspect_ratio_policy", std::string(policy)}}}
        .run()
        .shape();
  };
  EXPECT_EQ(run("stretch"), (Shape{1, 8, 8}));
  EXPECT_EQ(run("not_larger"), (Shape{1, 4, 8}));
  EXPECT_EQ(run("not_smaller"), (Shape{1, 8, 16}));
}

TEST(Resize, OtherElementTypes) {
  const Tensor scales = tensor({1}, {2});
  const Attributes nearest = {{"mode", std::string("nearest")}}, linear = {{"mode", std::string("linear")}};
  const Tensor words_tensor = OneOp{"Resize", {Tensor::from_strings({2}, {"a", "b"}), Tensor(), scales}, nearest}.run();
  EXPECT_EQ(words_tensor.strings(), (std::vector<std::string>{"a", "a", "b", "b"}));
  expect_equal(OneOp{"Resize", {tensor<uint8_t>({2}, {0, 10}), Tensor(), scales}, linear}.run(), {4}, {0, 2, 7, 10});
}

TEST(Resize, RefusesContradictions) {
  const auto op = [](Tensor scales, Tensor sizes, Attributes attributes = {}) {
    return OneOp{"Resize", {counting({2, 2}), Tensor(), std::move(scales), std::move(sizes)}, std::move(attributes)};
  };
  EXPECT_REFUSED(op({}, {}), "either scales or sizes");
  EXPECT_REFUSED(op(tensor({2}, {1, 1}), tensor<int64_t>({2}, {1, 1})), "either scales or sizes");
  EXPECT_REFUSED(op(tensor({1}, {1}), {}), "must be 2 floating-point numbers");
  EXPECT_REFUSED(op(tensor({2}, {1, 0}), {}), "scales must be positive");
  EXPECT_REFUSED(op(tensor({2}, {1, NAN}), {}), "scales must be positive");
  EXPECT_REFUSED(op(tensor({2}, {1, 1e30f}), {}), "scales must be positive and lead to at most");
  EXPECT_REFUSED(op({}, tensor<int64_t>({2}, {-1, 4})), "sizes must lie in");
  EXPECT_REFUSED(op({}, tensor<int64_t>({2}, {1 << 20, 1 << 20})), "elements");
  EXPECT_REFUSED(op(tensor({2}, {1, 1}), {}, {{"mode", std::string("lanczos")}}), "mode 'lanczos' is unknown");
}

TEST(Resize, BeforeOpset11ShrinkingTakesTheNextElement) {
  const OneOp down{"Resize", {tensor({4}, {1, 2, 3, 4}), tensor({1}, {0.6f})}, {}, 10};
  expect_equal(down.run(), {2}, {1, 3});
  const OneOp up{"Resize", {tensor({2}, {1, 2}), tensor({1}, {1.5f})}, {}, 10};
  expect_equal(up.run(), {3}, {1, 1, 2});
}

TEST(Upsample, ScalesAreAnAttributeThenAnInput) {
  const Tensor x = tensor({1, 2}, {1, 2});
  expect_equal(OneOp{"Upsample", {x}, {{"scales", Floats{2, 2}}}, 7}.run(), {2, 4}, {1, 1, 2, 2, 1, 1, 2, 2});
  const Attributes linear = {{"mode", std::string("linear")}};
  expect_equal(OneOp{"Upsample", {x, tensor({2}, {1, 2})}, linear, 9}.run(), {1, 4}, {1, 1.5, 2, 2});
}

}  // namespace
}  // namespace halftone::sim::resize_test
