#include "halftone/ptq/samples.h"

#include <gtest/gtest.h>

#include "halftone/ptq/test_bench.h"

namespace halftone::ptq::samples_test {
namespace {

std::vector<std::string> ids_of(const std::vector<data::Batch>& batches) {
  std::vector<std::string> ids;
  for (const data::Batch& batch : batches) ids.insert(ids.end(), batch.ids.begin(), batch.ids.end());
  return ids;
}

TEST(Samples, KeptAreTheFirstWholeBatchesUpToTheLimit) {
  Samples samples = test::samples_of(test::random_samples({1, 2}, 5, 1), 2);  // batches of 2, 2 and 1
  const std::pair<int64_t, size_t> expected[] = {{1, 2}, {2, 2}, {3, 2},         {4, 4},
                                                 {5, 5}, {6, 5}, {INT64_MAX, 5}, {4, 4}};
  const std::vector<std::string> all = {"0", "1", "2", "3", "4"};
  for (const auto& [limit, count] : expected) {
    EXPECT_EQ(ids_of(samples.kept(limit)), std::vector<std::string>(all.begin(), all.begin() + count)) << limit;
  }
  // Keeping some takes nothing from the stream.
  const auto loader = samples.stream();
  EXPECT_EQ(loader->next()->ids, (std::vector<std::string>{"0", "1"}));
}

}  // namespace
}  // namespace halftone::ptq::samples_test
