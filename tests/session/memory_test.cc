// What a Session allocates once it has run: nothing, and never more the longer it runs.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "halftone/runtime/session.h"
#include "tests/session/counted_new.h"
#include "tests/session/nets.h"

namespace halftone {
namespace {

using test::kClasses;
using test::kImage;

int64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  int64_t pages = 0, resident = 0;
  file >> pages >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

// Memory of a caller's that runs again and again.
struct Caller {
  const Session& session;
  int64_t batch;
  std::vector<float> x = test::random_images(1, batch), y = std::vector<float>(static_cast<size_t>(batch * kClasses));
  std::vector<uint8_t> x_codes = std::vector<uint8_t>(x.size(), 100), y_codes = std::vector<uint8_t>(y.size());
  Shape shape = {batch, 3, 11, 9};

  void run() {
    const std::array inputs = {view_of<float>(x, shape)};
    const std::array outputs = {buffer_of<float>(y)};
    session.run(inputs, outputs);
  }
  void run_codes() {
    const std::array inputs = {view_of<uint8_t>(x_codes, shape)};
    const std::array outputs = {buffer_of<uint8_t>(y_codes)};
    session.run(inputs, outputs);
  }
};

struct Case {
  bool quantized;
  int threads;
};
class SessionMemory : public testing::TestWithParam<Case> {
 protected:
  const Session session{test::classifier(GetParam().quantized),
                        {.threads = GetParam().threads, .team = nullptr, .taps = {}}};
};

TEST_P(SessionMemory, NothingIsAllocatedAfterTheFirstRun) {
  Caller one{session, 1}, four{session, 4};
  const auto run_all = [&] {
    one.run();
    four.run();
    if (GetParam().quantized) one.run_codes();
  };
  const auto allocated_by_runs = [&] {
    const int64_t before = test::own_allocations();
    for (int i = 0; i < 100; ++i) run_all();
    return test::own_allocations() - before;
  };
  // On a busy machine a thread of the team may come late to its first work, for which oneDNN needs a stream.
  int rounds = 1;
  while (allocated_by_runs() > 0 && rounds < 5) ++rounds;
  EXPECT_LT(rounds, 5);
}

TEST_P(SessionMemory, TenThousandRunsTakeNoMoreThanAThousand) {
  Caller one{session, 1}, three{session, 3};
  const auto run_many = [&](int runs) {
    for (int i = 0; i < runs; ++i) (i % 4 == 3 ? three : one).run();
  };
  run_many(1000);
  const int64_t live = test::live_allocations(), resident = resident_bytes();
  run_many(9000);
  EXPECT_EQ(test::live_allocations(), live);
  EXPECT_LE(resident_bytes() - resident, 256 * 1024);
}

TEST_P(SessionMemory, AThousandShapesAreForgottenAgain) {
  const auto run_shapes = [&](int64_t first, int64_t last) {
    for (int64_t batch = first; batch <= last; ++batch) Caller{session, batch}.run();
  };
  run_shapes(1, 40);
  const int64_t live = test::live_allocations();
  run_shapes(1, 40);
  run_shapes(1, 40);
  EXPECT_EQ(test::live_allocations(), live);
}

INSTANTIATE_TEST_SUITE_P(All, SessionMemory,
                         testing::Values(Case{false, 1}, Case{false, 2}, Case{true, 1}, Case{true, 2}),
                         [](const auto& given) {
                           return std::string(given.param.quantized ? "Int8" : "Float") +
                                  std::to_string(given.param.threads);
                         });

}  // namespace
}  // namespace halftone
