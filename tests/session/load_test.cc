// Threads that hammer sessions: shared ones and their own, float and INT8, whose results must be those of a quiet
// machine. HALFTONE_SOAK_SECONDS says for how long (default: 2); tests/session/soak runs it under ThreadSanitizer.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "halftone/runtime/session.h"
#include "tests/session/nets.h"

namespace halftone {
namespace {

using test::kClasses;
using test::kImage;

// More than a session keeps programs for, so that some are built and dropped all the time.
constexpr int64_t kBatches = 10;

double soak_seconds() {
  const char* text = std::getenv("HALFTONE_SOAK_SECONDS");
  return text == nullptr ? 2 : std::atof(text);
}

std::vector<float> run(const Session& session, int64_t batch) {
  const std::vector<float> x = test::random_images(static_cast<uint64_t>(batch), batch);
  std::vector<float> y(static_cast<size_t>(batch * kClasses));
  const Shape shape = {batch, 3, 11, 9};
  const std::array inputs = {view_of<float>(x, shape)};
  const std::array outputs = {buffer_of<float>(y)};
  session.run(inputs, outputs);
  return y;
}

std::vector<float> run_by_name(const Session& session, int64_t batch) {
  const std::vector<float> x = test::random_images(static_cast<uint64_t>(batch), batch);
  return to_vector<float>(session.run({{"x", Tensor::from({batch, 3, 11, 9}, x)}}).at("y"));
}

// A session that all threads share, and what it gives when nobody else uses it, by batch size.
struct Shared {
  Session session;
  std::vector<std::vector<float>> expected = {{}};

  explicit Shared(Session given) : session(std::move(given)) {
    for (int64_t batch = 1; batch <= kBatches; ++batch) expected.push_back(run(session, batch));
  }
};

// A model, run on one thread and on a team.
struct Subject {
  QuantizedModel model;
  Shared alone, teamed;

  Subject(bool quantized, const std::shared_ptr<ThreadTeam>& team)
      : model(test::classifier(quantized)), alone(Session(model)), teamed(alone.session.with_team(team)) {}
};

TEST(SessionLoad, FourThreadsGetWhatOneGets) {
  const auto team = std::make_shared<ThreadTeam>(2);
  const std::array<Subject, 2> subjects = {Subject(false, team), Subject(true, team)};
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double>(soak_seconds());
  std::atomic<int64_t> runs{0}, wrong{0};
  const auto hammer = [&](uint64_t seed) {
    Rng rng(seed);
    while (std::chrono::steady_clock::now() < deadline) {
      const Subject& subject = subjects[rng.below(2)];
      // Mostly sizes whose programs are kept.
      const auto batch = static_cast<int64_t>(1 + rng.below(rng.below(10) == 0 ? kBatches : 4));
      const auto check = [&](const Shared& shared, const std::vector<float>& y) {
        wrong += y != shared.expected[static_cast<size_t>(batch)];
        ++runs;
      };
      const Shared &alone = subject.alone, &teamed = subject.teamed;
      switch (rng.below(40)) {
        case 0:
          check(alone, run(Session(subject.model), batch));
          break;
        case 1:
          check(teamed, run(alone.session.with_team(team), batch));
          break;
        case 2:
          check(teamed, run_by_name(teamed.session, batch));
          break;
        case 3:
          EXPECT_EQ(teamed.session.prepare({{"x", {batch, 3, 11, 9}}})[0], (Shape{batch, kClasses}));
          break;
        case 4:
          EXPECT_FALSE(alone.session.explain({{"x", {batch, 3, 11, 9}}}).empty());
          break;
        case 5:
          EXPECT_THROW(alone.session.run(TensorMap{}), Error);
          break;
        default: {
          const Shared& shared = rng.below(2) == 0 ? alone : teamed;
          check(shared, run(shared.session, batch));
        }
      }
    }
  };
  std::vector<std::thread> threads;
  for (uint64_t seed = 1; seed <= 4; ++seed) threads.emplace_back(hammer, seed);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(runs, 100);
  RecordProperty("runs", static_cast<int>(runs));
}

}  // namespace
}  // namespace halftone
