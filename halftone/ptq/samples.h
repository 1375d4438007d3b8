// Calibration samples that can be gone through more than once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "halftone/base/thread_team.h"
#include "halftone/data/loader.h"

namespace halftone::ptq {

// Streams all of them as often as wanted, and keeps the first few prepared in memory for steps that look at the network
// layer by layer. Not thread-safe.
class Samples {
 public:
  // `open` starts a stream of the same samples in the same order each time.
  explicit Samples(std::function<std::unique_ptr<data::Loader>()> open) : open_(std::move(open)) {}

  // All samples, from the first on.
  std::unique_ptr<data::Loader> stream() const { return open_(); }

  // The first samples, as many as fit into kKeptBytes (at least one batch), at most `limit`. Prepared when first asked
  // for; the order is the stream's. Errors: Error{InvalidData} when there is none.
  std::vector<data::Batch> kept(int64_t limit = INT64_MAX);

  static constexpr int64_t kKeptBytes = int64_t{192} << 20;

 private:
  std::function<std::unique_ptr<data::Loader>()> open_;
  std::vector<data::Batch> kept_;
};

// Calls `map` for every batch, several at once on the team, and `fold` with the results, one at a time in order: the
// sum of anything comes out the same for every number of threads. Memory: a wave of results.
template <typename Result>
void map_in_order(const std::vector<data::Batch>& batches, ThreadTeam& team,
                  const std::function<Result(const data::Batch&)>& map, const std::function<void(Result)>& fold) {
  const auto wave = static_cast<size_t>(team.size()) * 4;
  for (size_t first = 0; first < batches.size(); first += wave) {
    const size_t count = std::min(wave, batches.size() - first);
    std::vector<std::optional<Result>> results(count);
    team.run(static_cast<int64_t>(count), [&](int64_t i) {
      const auto at = static_cast<size_t>(i);
      results[at] = map(batches[first + at]);
    });
    for (auto& result : results) fold(std::move(*result));
  }
}

}  // namespace halftone::ptq
