#include "halftone/base/process.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

namespace halftone::process_test {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HT_OWN_ALLOCATOR 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HT_OWN_ALLOCATOR 0
#endif
#endif
#ifndef HT_OWN_ALLOCATOR
#define HT_OWN_ALLOCATOR 1
#endif

double resident_mib() {
  std::ifstream file("/proc/self/statm");
  double all = 0, resident = 0;
  file >> all >> resident;
  return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1024.0 * 1024.0);
}

// Blocks below one that stays: the heap can't shrink, but its pages can go.
TEST(Process, FreedMemoryGoesBack) {
  if (!HT_OWN_ALLOCATOR) GTEST_SKIP() << "sanitizers keep freed memory";
  std::vector<std::unique_ptr<char[]>> blocks;
  for (int i = 0; i < 16384; ++i) {
    blocks.push_back(std::make_unique<char[]>(4096));
    std::memset(blocks.back().get(), 1, 4096);
  }
  blocks.erase(blocks.begin(), blocks.end() - 1);
  const double before = resident_mib();
  release_freed_memory();
  EXPECT_LT(resident_mib(), before - 32);
}

TEST(Process, PeakKnowsWhatAChildHeld) {
  EXPECT_GT(peak_rss_mib(), 1);
  const double child = peak_rss_mib_of([] {
    std::vector<char> held(size_t{200} << 20, 1);
    ASSERT_EQ(held.back(), 1);
  });
  EXPECT_GE(child, 200);
}

}  // namespace
}  // namespace halftone::process_test
