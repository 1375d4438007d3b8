#include "halftone/train/checkpoint.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "halftone/base/file.h"
#include "halftone/train/run_log.h"
#include "halftone/train/test_tensors.h"
#include "tests/support/error_of.h"
#include "tests/support/temp_folder.h"

namespace halftone::train::checkpoint_test {
namespace {

using test::error_of;

class CheckpointFile : public ::testing::Test {
 protected:
  test::TempFolder folder;
  std::filesystem::path path = folder.path() / "run.checkpoint";
  Checkpoint made{{{"network", "abc"}, {"seed", "1"}},
                  {{"epoch", 3}, {"loss", 0.1}},
                  {{"w", reals({2, 3, 1}, 1)}, {"empty", Tensor(DType::Float, {0})}}};
};

TEST_F(CheckpointFile, ComesBackAsItWas) {
  save(made, path);
  const Checkpoint back = load_checkpoint(path);
  EXPECT_EQ(back.of, made.of);
  EXPECT_EQ(back.numbers, made.numbers);
  ASSERT_EQ(back.tensors.size(), 2U);
  EXPECT_EQ(back.tensors.at("w").shape(), (Shape{2, 3, 1}));
  EXPECT_EQ(to_vector<float>(back.tensors.at("w")), to_vector<float>(made.tensors.at("w")));
}

TEST_F(CheckpointFile, EveryDamageIsFound) {
  save(made, path);
  const std::string good = read_file(path);
  for (size_t at = 0; at < good.size(); ++at) {
    if (at >= 24 && at < 64) continue;  // between header and content lies nothing
    std::string damaged = good;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    write_file(path, damaged);
    EXPECT_NE(error_of([&] { load_checkpoint(path); }).find("the checkpoint is damaged"), std::string::npos) << at;
  }
  for (size_t size = 0; size < good.size(); size += 7) {
    write_file(path, good.substr(0, size));
    EXPECT_NE(error_of([&] { load_checkpoint(path); }), "") << size;
  }
}

TEST_F(CheckpointFile, GoesOnOnlyWithTheSameRun) {
  require_same(made.of, made.of, path);
  EXPECT_NE(error_of([&] {
              require_same(made.of, {{"network", "abd"}}, path);
            }).find("another network: abc, now abd"),
            std::string::npos);
  EXPECT_NE(error_of([&] {
              require_same(made.of, {{"teacher", "x"}}, path);
            }).find("another teacher: none"),
            std::string::npos);
}

TEST(RunLog, GoesOnWhereTheCheckpointWas) {
  const test::TempFolder folder;
  const std::filesystem::path path = folder.path() / "log";
  int64_t size = 0;
  {
    RunLog log(path);
    log.write({{"event", "a"}});
    size = log.size();
    log.write({{"event", "lost"}});
    EXPECT_NE(error_of([&] { RunLog second(path); }).find("another training"), std::string::npos);
  }
  {
    RunLog log(path, size);
    log.write({{"event", "b"}});
  }
  EXPECT_EQ(read_file(path), "{\"event\":\"a\"}\n{\"event\":\"b\"}\n");
  { RunLog log(path, 1000); }
  EXPECT_EQ(read_file(path).size(), 28U) << "a log that was cut off isn't made longer";
  { RunLog log(path); }
  EXPECT_EQ(read_file(path), "");
  RunLog({}).write({{"event", "nowhere"}});
  EXPECT_NE(error_of([&] { RunLog log(folder.path() / "no" / "log"); }), "");
  RunLog full("/dev/full");
  EXPECT_NE(error_of([&] { full.write({{"event", "a"}}); }).find("can't write the log"), std::string::npos);
}

}  // namespace
}  // namespace halftone::train::checkpoint_test
