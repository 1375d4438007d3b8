#include "halftone/train/train.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "halftone/base/file.h"
#include "halftone/graph/op_table.h"
#include "halftone/onnx/onnx.h"
#include "halftone/train/test_network.h"
#include "halftone/transform/insert_qdq.h"
#include "tests/support/data_files.h"
#include "tests/support/error_of.h"
#include "tests/support/temp_folder.h"

namespace halftone::train::train_test {
namespace {

using test::error_of;

// Two convolutions with batch normalization on 16 x 16 images.
Graph small_net(int64_t classes = 10, uint64_t seed = 1, int64_t width = 8) {
  Net net;
  Graph& graph = net.graph;
  const ValueId x = graph.add_value("x", {DType::Float, to_dims({-1, 3, 16, 16})});
  graph.inputs() = {x};
  const auto plain_norm = [&](ValueId id, const std::string& name, int64_t channels) {
    const auto filled = [&](const std::string& what, float value) {
      Tensor tensor(DType::Float, {channels});
      for (float& each : tensor.mutable_data<float>()) each = value;
      return graph.add_constant(name + what, tensor);
    };
    return net.add("BatchNormalization",
                   {id, filled(".gamma", 1), filled(".beta", 0), filled(".mean", 0), filled(".var", 1)}, name);
  };
  const auto conv = [&](ValueId id, const std::string& name, Shape weights) {
    const ValueId y = net.conv(id, name, weights, false, seed++);
    graph.nodes().back().set_attribute("strides", std::vector<int64_t>{2, 2});
    return y;
  };
  ValueId a = net.add("Relu", {plain_norm(conv(x, "c1", {width, 3, 3, 3}), "n1", width)}, "r1");
  a = net.add("Relu", {plain_norm(conv(a, "c2", {16, width, 3, 3}), "n2", 16)}, "r2");
  a = net.add("Flatten", {net.add("GlobalAveragePool", {a}, "pool")}, "flat");
  a = net.add("Gemm",
              {a, graph.add_constant("fc.w", reals({16, classes}, seed, 0.3)),
               graph.add_constant("fc.b", Tensor(DType::Float, {classes}))},
              "y");
  graph.outputs() = {a};
  infer_shapes(graph);
  return graph;
}

data::Preprocess small_pictures() {
  data::Preprocess recipe;
  recipe.height = recipe.width = 16;
  recipe.mean = {128, 128, 128};
  recipe.std = {64, 64, 64};
  return recipe;
}

TrainOptions options_of(const std::string& recipe, int64_t images = 200) {
  TrainOptions options;
  options.recipe = TrainRecipe::from_json(recipe, "recipe");
  options.training = fmt::format("synthetic:glyphs?count={}&seed=1", images);
  options.validation = "synthetic:glyphs?count=150&seed=2";
  options.preprocess = small_pictures();
  options.threads = 1;
  return options;
}

std::string file_of(const QuantizedModel& model) {
  return onnx::serialize_model(model.quantized() ? insert_qdq(model) : model.graph);
}

// Wants to stop after so many reports of progress.
struct Stopper : ProgressSink {
  std::atomic<bool> stop = false;
  int left;
  bool counts = false;  // not the images of calibration
  explicit Stopper(int steps) : left(steps) {}
  void begin(std::string_view phase, int64_t, std::string_view) override { counts = phase.starts_with("epoch"); }
  void advance(int64_t) override { stop = counts && --left <= 0; }
  void end() override {}
  void note(std::string_view) override {}
};

constexpr const char* kFloat = R"({"optimizer": "adam", "rate": 0.02, "batch": 20, "epochs": 8})";
// Everything that has a state of its own.
constexpr const char* kEverything = R"({
  "quantize": {"weights": {"type": "int4"}, "activations": {"type": "uint4"}},
  "quantizers": {"weights": "lsq", "activations": "straight_through:range=moving_average"},
  "losses": ["cross_entropy", {"loss": "features", "student": "r1", "weight": 0.1}],
  "augment": ["flip", "crop"], "mixup": 0.3, "average": 0.9, "clip": 5, "optimizer": "adam", "rate": 0.01,
  "schedule": "one_cycle", "freeze_batch_norm": 1.5, "batch": 20, "epochs": 2, "calibration_images": 20})";

TEST(Train, ImprovesANetworkAndKeepsTheBest) {
  TrainOptions options = options_of(kFloat, 100);
  options.validation = options.training;  // that it learns by heart
  const TrainResult result = train(small_net(), nullptr, options);
  EXPECT_TRUE(result.by_labels);
  EXPECT_FALSE(result.stopped);
  EXPECT_EQ(result.validation_samples, 100);
  EXPECT_LT(result.start_accuracy, 0.2);
  EXPECT_GT(result.accuracy, result.start_accuracy + 0.15);
  EXPECT_GE(result.best_epoch, 1);
  EXPECT_TRUE(result.model.encodings.empty());
  EXPECT_EQ(result.engine_agreement, 1);
}

TEST(Train, WhatMakesItWorseIsNotKept) {
  const Graph net = small_net();
  TrainOptions options = options_of(R"({"rate": 0, "batch": 20})");
  const TrainResult still = train(net, nullptr, options);
  EXPECT_EQ(still.best_epoch, 0);
  EXPECT_EQ(still.accuracy, still.start_accuracy);
}

TEST(Train, QuantizedItIsWhatTheEngineComputes) {
  TrainOptions options = options_of(R"({"rate": 0.05, "batch": 20, "epochs": 2, "calibration_images": 50,
    "quantize": {"weights": {"type": "int4"}, "activations": {"type": "uint4"}}})",
                                    400);
  const TrainResult result = train(small_net(), nullptr, options);
  EXPECT_GT(result.model.encodings.size(), 4U);
  EXPECT_GE(result.engine_agreement, 0.995);
  EXPECT_GT(result.accuracy, result.start_accuracy);
}

TEST(Train, ResumedItIsTheSameAsUninterrupted) {
  const test::TempFolder folder;
  const Graph net = small_net(10, 1), teacher = small_net(10, 50, 6);  // narrower: features need an adapter
  for (const int steps : {1, 7, 10, 13}) {
    TrainOptions options = options_of(kEverything);
    options.log = folder / "whole.log";
    const TrainResult whole = train(net, &teacher, options);
    options.log = folder / "parts.log";
    options.checkpoint = folder / "parts.checkpoint";
    Stopper stopper(steps);
    options.progress = &stopper;
    options.stop = &stopper.stop;
    EXPECT_TRUE(train(net, &teacher, options).stopped);
    options.resume = true;
    options.progress = &silent_progress();
    options.stop = nullptr;
    const TrainResult parts = train(net, &teacher, options);
    EXPECT_TRUE(file_of(parts.model) == file_of(whole.model)) << steps;
    EXPECT_EQ(parts.accuracy, whole.accuracy);
    EXPECT_EQ(parts.best_epoch, whole.best_epoch);
    EXPECT_EQ(parts.start_accuracy, whole.start_accuracy);

    const auto lines = [&](const char* name) {
      std::vector<std::string> kept;
      std::ifstream file(folder / name);
      for (std::string line; std::getline(file, line);) {
        auto json = nlohmann::json::parse(line);
        if (json["event"] == "resume") continue;
        json.erase("seconds");
        json.erase("images_per_second");
        kept.push_back(json.dump());
      }
      return kept;
    };
    EXPECT_EQ(lines("parts.log"), lines("whole.log"));
    std::filesystem::remove(options.checkpoint);
  }
}

// Without a bound such a rate takes them anywhere in one step.
TEST(Train, ScalesStayNearWhereTheyWereInEveryStep) {
  const test::TempFolder folder;
  TrainOptions options = options_of(R"({"rate": 0.001, "scale_rate": 1000, "batch": 20, "calibration_images": 20,
    "quantize": {"weights": {"type": "int8"}, "activations": {"type": "uint8"}}})",
                                    60);
  options.log = folder / "log";
  train(small_net(), nullptr, options);
  std::vector<nlohmann::json> scales;
  std::ifstream log(options.log);
  for (std::string line; std::getline(log, line);) {
    const auto event = nlohmann::json::parse(line);
    if (event.at("event") == "epoch") scales.push_back(event.at("scales"));
  }
  ASSERT_EQ(scales.size(), 2U);
  ASSERT_GT(scales[0].size(), 4U);
  for (const auto& [name, before] : scales[0].items()) {
    const double change = scales[1].at(name).get<double>() / before.get<double>();
    EXPECT_GT(change, std::pow(0.99, 3) * 0.9999) << name;
    EXPECT_LT(change, std::pow(1.01, 3) * 1.0001) << name;
    EXPECT_NE(change, 1) << name;
  }
}

TEST(Train, SeedsDecide) {
  TrainOptions options = options_of(R"({"optimizer": "adam", "rate": 0.02, "batch": 20, "augment": ["flip"]})");
  options.validation = options.training;
  const std::string first = file_of(train(small_net(), nullptr, options).model);
  EXPECT_TRUE(file_of(train(small_net(), nullptr, options).model) == first);
  options.recipe.seed = 2;
  EXPECT_FALSE(file_of(train(small_net(), nullptr, options).model) == first);
}

TEST(Train, WithoutLabelsTheTeacherIsRight) {
  const test::TempFolder folder;
  // Images in a folder without classes.
  TrainOptions options = options_of(R"({"losses": ["soft_targets"], "rate": 0.05, "batch": 8})");
  const std::string path = folder / "x.npy";
  const Tensor pictures = reals({40, 3, 16, 16}, 3);
  const auto numbers = pictures.data<float>();
  write_file(path, test::npy_file("<f4", false, "(40, 3, 16, 16)",
                                  test::bytes_of(std::vector<float>(numbers.begin(), numbers.end()))));
  options.training = options.validation = path;
  options.preprocess.reset();
  const Graph teacher = small_net(10, 50);
  const TrainResult result = train(small_net(), &teacher, options);
  EXPECT_FALSE(result.by_labels);
  EXPECT_EQ(result.validation_samples, 40);
  // The network itself is its own best student.
  EXPECT_EQ(train(teacher, nullptr, options).start_accuracy, 1);
  options.recipe.losses = {{"cross_entropy", {}}};
  EXPECT_CONTAINS(error_of([&] { train(small_net(), nullptr, options); }), "needs labels");
}

TEST(Train, DivergenceKeepsTheLastCheckpoint) {
  const test::TempFolder folder;
  TrainOptions options = options_of(R"({"batch": 20, "epochs": 4, "schedule": "one_cycle:start=0:rise=1"})");
  options.checkpoint = folder / "c";
  options.checkpoint_interval = std::chrono::seconds(0);
  options.recipe.rates = {1e30, 1e30};  // the first step is tame: the rate begins at 0
  const std::string message = error_of([&] { train(small_net(), nullptr, options); });
  EXPECT_CONTAINS(message, "training diverged; lower \"rate\"");
  options.resume = true;
  options.recipe.rates = {1e-3, 1e-3};
  const TrainResult calmer = train(small_net(), nullptr, options);
  EXPECT_FALSE(calmer.stopped);
}

TEST(Train, MistakesAreToldBeforeTheWork) {
  const test::TempFolder folder;
  const auto message = [&](const std::string& recipe, const Graph& net, const Graph* teacher = nullptr) {
    return error_of([&] { train(net, teacher, options_of(recipe, 40)); });
  };
  const Graph teacher = small_net(7);
  EXPECT_CONTAINS(message(R"({"losses": ["soft_targets"]})", small_net(), &teacher), "10 classes are required");
  EXPECT_CONTAINS(message("{}", small_net(5)), "label");
  EXPECT_CONTAINS(message(R"({"losses": ["cross_entrpy"]})", small_net()), "did you mean 'cross_entropy'?");
  EXPECT_CONTAINS(message(R"({"losses": [{"loss": "features", "student": "r11"}]})", small_net()),
                  "did you mean 'r1'?");
  EXPECT_CONTAINS(message(R"({"augment": ["flap"]})", small_net()), "flip");
  EXPECT_CONTAINS(message(R"({"quantize": {"rules": [{"match": {"name": "nowhere"}, "keep": "float"}]},
                              "quantizers": {"rules": [{"match": {"name": "c3"}, "quantizer": "lsq"}]}})",
                          small_net()),
                  "no layer or tensor 'c3'");

  Net net{small_net()};
  net.graph.outputs() = {net.add("Shrink", {net.graph.outputs()[0]}, "shrunk")};
  EXPECT_CONTAINS(message("{}", net.graph), "Shrink has no gradient here");

  TrainOptions options = options_of("{}", 40);
  options.checkpoint = folder / "c";
  options.resume = true;
  EXPECT_CONTAINS(error_of([&] { train(small_net(), nullptr, options); }), "no checkpoint to go on from");
  write_file(options.checkpoint, "x");
  EXPECT_CONTAINS(error_of([&] { train(small_net(), nullptr, options); }), "the checkpoint is damaged");
  options.resume = false;
  EXPECT_CONTAINS(error_of([&] { train(small_net(), nullptr, options); }), "unfinished training");
}

TEST(Train, AnotherRunsCheckpointIsRefused) {
  const test::TempFolder folder;
  TrainOptions options = options_of(kFloat, 60);
  options.checkpoint = folder / "c";
  Stopper stopper(2);
  options.progress = &stopper;
  options.stop = &stopper.stop;
  EXPECT_TRUE(train(small_net(), nullptr, options).stopped);
  options.resume = true;
  options.stop = nullptr;
  EXPECT_CONTAINS(error_of([&] { train(small_net(10, 2), nullptr, options); }), "another network");
  options.recipe.seed = 5;
  EXPECT_CONTAINS(error_of([&] { train(small_net(), nullptr, options); }), "another seed");
}

TEST(Train, AFullDiskStopsNothing) {
  struct Notes : ProgressSink {
    std::string all;
    void begin(std::string_view, int64_t, std::string_view) override {}
    void advance(int64_t) override {}
    void end() override {}
    void note(std::string_view text) override { all += std::string(text) + "\n"; }
  } notes;
  TrainOptions options = options_of(kFloat, 60);
  options.checkpoint = "/proc/nowhere/checkpoint";
  options.log = "/dev/full";
  options.progress = &notes;
  EXPECT_FALSE(train(small_net(), nullptr, options).stopped);
  EXPECT_CONTAINS(notes.all, "warning: no checkpoint: ");
  EXPECT_CONTAINS(notes.all, "warning: the log has gaps: /dev/full: can't write the log: No space left");
  EXPECT_EQ(notes.all.find("the log has gaps"), notes.all.rfind("the log has gaps")) << "said once";
}

}  // namespace
}  // namespace halftone::train::train_test
