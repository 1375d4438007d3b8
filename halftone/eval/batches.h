// Running a network over a data set on all cores, with results that do not depend on how many there are.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "halftone/base/progress.h"
#include "halftone/base/thread_team.h"
#include "halftone/data/loader.h"

namespace halftone::eval {

// Calls `map` for every batch, several at once, and `fold` with the results, one at a time in the data set's order; so
// sums come out the same for every number of threads. Memory: a few batches and results per thread.
template <typename Result>
void map_batches(data::Loader& loader, ThreadTeam& team, ProgressSink& progress,
                 const std::function<Result(const data::Batch&)>& map, const std::function<void(Result)>& fold) {
  progress.begin("evaluating", loader.size().value_or(0), "images");
  // Waves of several batches per thread: the slowest batch of a wave is waited for, so long waves waste less.
  const size_t wave_size = static_cast<size_t>(team.size()) * 8;
  int64_t done = 0;
  for (bool more = true; more;) {
    std::vector<data::Batch> wave;
    while (wave.size() < wave_size) {
      std::optional<data::Batch> batch = loader.next();
      if (!batch) {
        more = false;
        break;
      }
      wave.push_back(std::move(*batch));
    }
    std::vector<std::optional<Result>> results(wave.size());
    team.run(static_cast<int64_t>(wave.size()), [&](int64_t i) {
      const auto index = static_cast<size_t>(i);
      results[index] = map(wave[index]);
    });
    for (size_t i = 0; i < wave.size(); ++i) {
      done += static_cast<int64_t>(wave[i].ids.size());
      fold(std::move(*results[i]));
    }
    progress.advance(done);
  }
  progress.end();
}

}  // namespace halftone::eval
