#include "halftone/data/preprocess.h"

#include "tests/support/data_files.h"
#include "tests/support/testdata.h"

namespace halftone::data::preprocess_test {
namespace {

using test::error_of;

Preprocess parse(const std::string& json) { return Preprocess::from_json(json, "recipe"); }

TEST(Preprocess, ReadsEveryKey) {
  const Preprocess recipe = parse(R"({"color": "BGR", "layout": "NHWC", "crop": {"height": 4, "width": 6},
    "resize": {"height": 8, "width": 9, "filter": "bicubic", "antialias": true},
    "mean": [1, 2.5, 3], "std": [4, 5, 6.5], "label_offset": -1})");
  EXPECT_EQ(recipe.color, "BGR");
  EXPECT_EQ(recipe.layout, "NHWC");
  EXPECT_EQ(recipe.height, 8);
  EXPECT_EQ(recipe.width, 9);
  EXPECT_EQ(recipe.filter, Preprocess::Filter::Bicubic);
  EXPECT_TRUE(recipe.antialias);
  EXPECT_EQ(recipe.crop_height, 4);
  EXPECT_EQ(recipe.crop_width, 6);
  EXPECT_EQ(recipe.mean, (std::vector<float>{1, 2.5, 3}));
  EXPECT_EQ(recipe.std, (std::vector<float>{4, 5, 6.5}));
  EXPECT_EQ(recipe.label_offset, -1);
  EXPECT_EQ(parse(recipe.to_json()), recipe);
}

TEST(Preprocess, Defaults) {
  EXPECT_EQ(parse("{}"), Preprocess{});
  const Preprocess grey = parse(R"({"color": "GRAY"})");
  EXPECT_EQ(grey.mean, std::vector<float>{0});
  EXPECT_EQ(grey.std, std::vector<float>{1});
  EXPECT_EQ(parse(grey.to_json()), grey);
}

TEST(Preprocess, RefusesWhatItDoesNotKnow) {
  const auto message = [](const std::string& json) { return error_of([&] { parse(json); }); };
  EXPECT_CONTAINS(message(R"({"colour": "RGB"})"), "recipe: unknown key 'colour'; did you mean 'color'?");
  EXPECT_CONTAINS(message(R"({"resize": {"hieght": 3}})"),
                  "recipe: resize: unknown key 'hieght'; did you mean 'height'?");
  EXPECT_CONTAINS(message(R"({"resize": {"filter": "bilinaer"}})"), "did you mean 'bilinear'?");
  EXPECT_CONTAINS(message(R"({"color": "RBG"})"), "one of RGB, BGR, GRAY is required for 'color'");
  EXPECT_CONTAINS(message(R"({"mean": [1, 2]})"), "an array of 3 numbers");
  EXPECT_CONTAINS(message(R"({"mean": 1})"), "an array of 3 numbers");
  EXPECT_CONTAINS(message(R"({"std": [1, 0, 1]})"), "3 positive numbers");
  EXPECT_CONTAINS(message(R"({"std": [1, 1e-60, 1]})"), "3 positive numbers");
  EXPECT_CONTAINS(message(R"({"mean": [1e60, 0, 1]})"), "found [1e+60,0,1]");
  EXPECT_CONTAINS(message(R"({"resize": {"height": -1}})"), "an integer from 0 to 16384");
  EXPECT_CONTAINS(message(R"({"resize": {"height": 18446744073709551615}})"), "an integer from 0 to 16384");
  EXPECT_CONTAINS(message(R"({"resize": {"height": 1.5}})"), "an integer from 0 to 16384");
  EXPECT_CONTAINS(message(R"({"resize": []})"), "a JSON object is required");
  EXPECT_CONTAINS(message("[]"), "a JSON object is required");
  EXPECT_CONTAINS(message("{"), "JSON is required");
  EXPECT_CONTAINS(message(std::string(5000, '[')), "nested too deeply");
  EXPECT_CONTAINS(message("{\"color\": \"\xff\"}"), "JSON is required");
}

// 2 x 2, values 10 .. 120.
const Image kImage{2, 2, {10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120}};

std::vector<float> values(const Tensor& tensor) { return to_vector<float>(tensor); }

TEST(Preprocess, LayoutsAndColors) {
  Preprocess recipe;
  recipe.mean = {10, 20, 30};
  recipe.std = {2, 1, 0.5f};
  EXPECT_EQ(apply(recipe, kImage).shape(), (Shape{1, 3, 2, 2}));
  EXPECT_EQ(values(apply(recipe, kImage)), (std::vector<float>{0, 15, 30, 45, 0, 30, 60, 90, 0, 60, 120, 180}));
  recipe.layout = "NHWC";
  EXPECT_EQ(apply(recipe, kImage).shape(), (Shape{1, 2, 2, 3}));
  EXPECT_EQ(values(apply(recipe, kImage)), (std::vector<float>{0, 0, 0, 15, 30, 60, 30, 60, 120, 45, 90, 180}));
  recipe.color = "BGR";  // mean and std follow the order of the recipe: 10 belongs to blue
  EXPECT_EQ(values(apply(recipe, kImage))[0], (30 - 10) / 2.0f);
  EXPECT_EQ(values(apply(recipe, kImage))[2], (10 - 30) / 0.5f);
}

TEST(Preprocess, GreyIsLuma) {
  Preprocess recipe = parse(R"({"color": "GRAY"})");
  const Tensor tensor = apply(recipe, Image{1, 3, {255, 0, 0, 0, 255, 0, 77, 77, 77}});
  EXPECT_EQ(tensor.shape(), (Shape{1, 1, 1, 3}));
  // 0.299 * 255 = 76.2, 0.587 * 255 = 149.7
  EXPECT_EQ(values(tensor), (std::vector<float>{76, 150, 77}));
}

TEST(Preprocess, CropsTheCentre) {
  Image image{4, 5, {}};
  for (uint8_t i = 0; i < 20; ++i) image.pixels.insert(image.pixels.end(), 3, i);
  Preprocess recipe;
  recipe.crop_height = 2;
  recipe.crop_width = 3;
  const std::vector<float> expected = {6, 7, 8, 11, 12, 13};
  const std::vector<float> all = values(apply(recipe, image));
  EXPECT_EQ(std::vector<float>(all.begin(), all.begin() + 6), expected);
  recipe.crop_width = 6;
  EXPECT_CONTAINS(error_of([&] { apply(recipe, image); }), "at least 2 x 6 is required, found 4 x 5");
}

TEST(Preprocess, FoundInItsThreePlaces) {
  const test::TempFolder folder;
  const auto model = folder / "net.onnx";
  EXPECT_FALSE(find_preprocess(model, "").has_value());
  test::put(folder, "net.preprocess.json", R"({"label_offset": 1})");
  EXPECT_EQ(find_preprocess(model, "")->label_offset, 1);
  EXPECT_EQ(find_preprocess(model, R"({"label_offset": 2})")->label_offset, 2);
  const auto given = test::put(folder, "given.json", R"({"label_offset": 3})");
  EXPECT_EQ(find_preprocess(model, R"({"label_offset": 2})", given)->label_offset, 3);
  EXPECT_CONTAINS(error_of([&] { find_preprocess(model, "{", {}); }), "net.onnx (metadata halftone.preprocess)");
  EXPECT_THROW(find_preprocess(model, "", folder / "absent.json"), Error);
}

TEST(Preprocess, SharedRecipes) {
  const std::filesystem::path models = test::shared_folder() / "models";
  if (!std::filesystem::is_directory(models)) GTEST_SKIP() << "no shared models at " << models;
  int found = 0;
  for (const std::filesystem::path& model : test::models_below(models)) {
    const auto recipe = find_preprocess(model, "");
    if (!recipe) continue;
    ++found;
    EXPECT_GT(recipe->height, 0) << model;
    EXPECT_EQ(Preprocess::from_json(recipe->to_json(), "again"), *recipe);
  }
  EXPECT_GE(found, 8);
}

}  // namespace
}  // namespace halftone::data::preprocess_test
