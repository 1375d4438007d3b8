#include "halftone/report/training.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halftone/base/file.h"
#include "tests/support/error_of.h"
#include "tests/support/temp_folder.h"

namespace halftone::report::training_test {
namespace {

using test::error_of;

const std::string kStart =
    R"({"event":"start","model":"net.onnx","images":1000,"validation_images":50,"parameters":77,"epochs":2,"batch":100,)"
    R"("seed":18446744073709551615,"recipe":{"epochs":2},"future":[1]})"
    "\n";

std::string step(int number, const std::string& loss = "2.5") {
  return fmt::format(R"({{"event":"step","epoch":{},"step":{},"loss":{},"losses":{{"cross_entropy":1}},)"
                     R"("accuracy":0.5,"rate":0.25,"images_per_second":310.5,"seconds":1}})"
                     "\n",
                     (number - 1) / 10, number, loss);
}

std::string epoch(int number, const std::string& scales) {
  return fmt::format(R"({{"event":"epoch","epoch":{},"train_loss":1.5,"train_accuracy":0.6,"validation_loss":1.25,)"
                     R"("validation_accuracy":0.7,"rate":0.1,"seconds":9,"best":true,"scales":{}}})"
                     "\n",
                     number, scales);
}

class TrainingLog : public ::testing::Test {
 protected:
  Training read(const std::string& text) {
    write_file(folder_ / "run.jsonl", text);
    return read_training(folder_ / "run.jsonl");
  }
  test::TempFolder folder_;
};

TEST_F(TrainingLog, TellsTheRun) {
  const Training training =
      read(kStart + step(5) + step(10, "null") + epoch(1, R"({"b":0.5,"a":2})") +
           R"({"event":"resume","epoch":1,"step":10})"
           "\n"
           R"({"event":"checkpoint","file":"x"})"
           "\n"
           R"({"event":"of tomorrow","loss":"?"})"
           "\n" +
           step(15) + epoch(2, R"({"a":3})") +
           R"({"event":"end","best_epoch":2,"validation_accuracy":0.7,"agreement_with_engine":0.999,"seconds":21.5})"
           "\n");
  EXPECT_EQ(training.model, "net.onnx");
  EXPECT_EQ(training.recipe, R"({"epochs":2})");
  EXPECT_EQ(training.images, 1000);
  EXPECT_EQ(training.validation_images, 50);
  EXPECT_EQ(training.parameters, 77);
  EXPECT_EQ(training.epochs, 2);
  EXPECT_EQ(training.batch, 100);
  EXPECT_EQ(training.seed, "18446744073709551615");
  EXPECT_EQ(training.all_steps, 3);
  EXPECT_EQ(training.resumed, 1);
  ASSERT_EQ(training.steps.size(), 3U);
  EXPECT_EQ(training.steps[0].epoch, 0.5);
  EXPECT_EQ(training.steps[0].loss, 2.5);
  EXPECT_EQ(training.steps[0].accuracy, 0.5);
  EXPECT_EQ(training.steps[0].rate, 0.25);
  EXPECT_EQ(training.steps[1].epoch, 1);
  EXPECT_TRUE(std::isnan(training.steps[1].loss));
  EXPECT_EQ(training.steps[2].epoch, 1.5);
  ASSERT_EQ(training.epoch_ends.size(), 2U);
  EXPECT_EQ(training.epoch_ends[1].epoch, 2);
  EXPECT_EQ(training.epoch_ends[1].train_loss, 1.5);
  EXPECT_EQ(training.epoch_ends[1].train_accuracy, 0.6);
  EXPECT_EQ(training.epoch_ends[1].validation_loss, 1.25);
  EXPECT_EQ(training.epoch_ends[1].validation_accuracy, 0.7);
  ASSERT_EQ(training.scales.size(), 2U);
  EXPECT_EQ(training.scales[0].tensor, "a");
  EXPECT_EQ(training.scales[0].epochs, (std::vector<double>{1, 2}));
  EXPECT_EQ(training.scales[0].scales, (std::vector<double>{2, 3}));
  EXPECT_EQ(training.scales[1].scales, std::vector<double>{0.5});
  EXPECT_TRUE(training.finished);
  EXPECT_EQ(training.best_epoch, 2);
  EXPECT_EQ(training.validation_accuracy, 0.7);
  EXPECT_EQ(training.agreement, 0.999);
  EXPECT_EQ(training.seconds, 21.5);
  EXPECT_EQ(training.images_per_second, 310.5);
}

TEST_F(TrainingLog, ALineThatWasCutOffIsLeftOut) {
  const std::string whole = kStart + step(5), next = step(10);
  for (size_t length = 0; length + 1 < next.size(); ++length) {
    EXPECT_EQ(read(whole + next.substr(0, length)).steps.size(), 1U) << length;
  }
  EXPECT_FALSE(read(whole).finished);
  EXPECT_FALSE(read(whole).best_epoch);
  EXPECT_EQ(read(whole + next.substr(0, next.size() - 1)).steps.size(), 2U);
}

TEST_F(TrainingLog, DamageNamesTheLine) {
  const std::string cut = step(10).substr(0, 30) + "\n";
  EXPECT_CONTAINS(error_of([&] { read(kStart + cut + step(15)); }), "run.jsonl:2: a line of JSON");
  EXPECT_CONTAINS(error_of([&] { read(kStart + step(5) + "\n" + step(15)); }), "run.jsonl:3: a line of JSON");
  EXPECT_CONTAINS(error_of([&] { read(kStart + "[1]\n"); }), "run.jsonl:2: an object");
  EXPECT_CONTAINS(error_of([&] { read(kStart + "{\"event\":3}\n"); }), "run.jsonl:2: an object");
  EXPECT_CONTAINS(error_of([&] { read(kStart + step(5, "\"much\"")); }),
                  "run.jsonl:2: a number is required for \"loss\"");
  EXPECT_CONTAINS(error_of([&] { read("{\"event\":\"start\",\"images\":-1}\n"); }), "\"images\"");
  EXPECT_CONTAINS(error_of([&] { read(kStart + epoch(1, R"({"a":"b"})")); }), "\"a\"");
  EXPECT_CONTAINS(error_of([&] { read(kStart + std::string(17 << 20, ' ')); }), "16 MiB");
}

TEST_F(TrainingLog, OtherFilesAreRefused) {
  EXPECT_CONTAINS(error_of([&] { read(""); }), "\"event\": \"start\"");
  EXPECT_CONTAINS(error_of([&] { read(step(1)); }), "\"event\": \"start\"");
  EXPECT_THROW(read_training(folder_ / "none.jsonl"), Error);
}

TEST_F(TrainingLog, ARunThatBeginsAgainIsAnother) {
  const Training training = read(kStart + step(5) + epoch(1, "{}") + kStart + step(7));
  EXPECT_EQ(training.all_steps, 1);
  ASSERT_EQ(training.steps.size(), 1U);
  EXPECT_EQ(training.steps[0].epoch, 0.7);
  EXPECT_TRUE(training.epoch_ends.empty());
}

// The mean of what is kept is the mean of all, and the ends are there.
TEST_F(TrainingLog, LongRunsAreThinnedOut) {
  for (const int count : {1999, 2000, 2001, 30011}) {
    std::string text = kStart;
    double sum = 0;
    for (int i = 1; i <= count; ++i) {
      text += step(i, fmt::format("{}", i % 17));
      sum += i % 17;
    }
    const Training training = read(text);
    EXPECT_EQ(training.all_steps, count);
    ASSERT_LE(training.steps.size(), 2000U);
    ASSERT_GE(training.steps.size(), 1000U);
    EXPECT_DOUBLE_EQ(training.steps.back().epoch, count / 10.0);
    double kept = 0, last = 0;
    for (const TrainingStep& each : training.steps) {
      kept += each.loss * (each.epoch - last) * 10;  // a point stands for the steps since the one before
      last = each.epoch;
      EXPECT_DOUBLE_EQ(each.rate, 0.25);
    }
    EXPECT_NEAR(kept, sum, 1e-6 * sum);
  }
  std::string text = kStart;
  for (int i = 1; i <= 5003; ++i) text += epoch(i, fmt::format(R"({{"a":{},"b{}":1}})", i, i));
  const Training training = read(text);
  EXPECT_LE(training.epoch_ends.size(), 2000U);
  EXPECT_EQ(training.epoch_ends.front().epoch, 1);
  EXPECT_EQ(training.epoch_ends.back().epoch, 5003);
  EXPECT_EQ(training.scales.size(), 500U);
  EXPECT_LE(training.scales[0].scales.size(), 200U);
  EXPECT_EQ(training.scales[0].scales.front(), 1);
  EXPECT_EQ(training.scales[0].scales.back(), 5003);
  EXPECT_EQ(training.scales[0].epochs, training.scales[0].scales);
}

}  // namespace
}  // namespace halftone::report::training_test
