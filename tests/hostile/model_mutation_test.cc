// Thousands of damaged models: each is refused with an Error or accepted; nothing crashes, hangs or fails otherwise.
#include <gtest/gtest.h>

#include <chrono>

#include "halftone/base/file.h"
#include "halftone/base/rng.h"
#include "tests/fuzz/import_harness.h"
#include "tests/hostile/damage.h"
#include "tests/hostile/seed_models.h"
#include "tests/support/onnx_text.h"
#include "tests/support/temp_folder.h"

namespace halftone {
namespace {

class ModelMutation : public testing::Test {
 protected:
  ModelMutation() { write_file(folder_ / "weights", std::string(test::kExternalBytes, '\1')); }

  // Feeds `bytes`; a failure names the seed and the number, which make it again.
  void feed(const std::string& bytes, const std::string& seed, uint64_t number) {
    try {
      const auto start = std::chrono::steady_clock::now();
      const std::string refusal = test::import_anything(test::as_span(bytes), folder_.path());
      ++(refusal.empty() ? accepted_ : refused_);
      EXPECT_EQ(refusal.find('\n'), std::string::npos) << seed << " " << number << ": " << refusal;
      EXPECT_LT(refusal.size(), 4000U) << seed << " " << number;
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      EXPECT_LT(seconds.count(), 5.0) << seed << " " << number;
    } catch (const std::exception& error) {
      ADD_FAILURE() << seed << " " << number << ": " << error.what();
    }
  }

  const std::vector<test::SeedModel> seeds_ = test::seed_models();
  test::TempFolder folder_;
  int accepted_ = 0;
  int refused_ = 0;
};

TEST_F(ModelMutation, SeedsThemselvesAreAccepted) {
  for (const auto& seed : seeds_)
    EXPECT_EQ(test::import_anything(test::as_span(seed.bytes), folder_.path()), "") << seed.name;
}

TEST_F(ModelMutation, DamagedBytes) {
  constexpr uint64_t kCount = 12000;
  for (uint64_t i = 0; i < kCount; ++i) {
    Rng rng(1, i);
    const auto& seed = seeds_[i % seeds_.size()];
    const auto& other = seeds_[rng.below(seeds_.size())];
    feed(test::damage_bytes(seed.bytes, other.bytes, rng), seed.name, i);
  }
  // Damage in weights and names goes unnoticed; most other damage does not.
  RecordProperty("accepted", accepted_);
  EXPECT_GT(accepted_, static_cast<int>(kCount / 100));
  EXPECT_GT(refused_, static_cast<int>(kCount / 3));
}

TEST_F(ModelMutation, DamagedMessages) {
  constexpr uint64_t kCount = 12000;
  std::vector<::onnx::ModelProto> messages;
  for (const auto& seed : seeds_) messages.push_back(test::from_bytes<::onnx::ModelProto>(seed.bytes));
  for (uint64_t i = 0; i < kCount; ++i) {
    Rng rng(2, i);
    ::onnx::ModelProto damaged = messages[i % seeds_.size()];
    for (uint64_t times = 0; times <= rng.below(3); ++times) test::damage_message(damaged, rng);
    feed(damaged.SerializeAsString(), seeds_[i % seeds_.size()].name, i);
  }
  RecordProperty("accepted", accepted_);
  EXPECT_GT(accepted_, static_cast<int>(kCount / 100));
  EXPECT_GT(refused_, static_cast<int>(kCount / 3));
}

// Every prefix of a model.
TEST_F(ModelMutation, Truncations) {
  for (const auto& seed : seeds_) {
    const size_t step = seed.bytes.size() / 200 + 1;
    for (size_t size = 0; size < seed.bytes.size(); size += step) feed(seed.bytes.substr(0, size), seed.name, size);
  }
  EXPECT_GT(refused_, 0);
}

}  // namespace
}  // namespace halftone
