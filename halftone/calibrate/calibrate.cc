#include "halftone/calibrate/calibrate.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "halftone/base/error.h"
#include "halftone/runtime/session.h"

namespace halftone {
namespace {

// Consecutive batches that one thread takes at a time. Tables of this many are merged in order, so the number is part
// of the result of observers to which order matters; more would leave threads idle at the end.
constexpr size_t kBlock = 8;

class Calibration {
 public:
  Calibration(const Graph& graph, const QuantPlan& plan, data::Loader& loader)
      : plan_(plan), loader_(loader), session_(graph, options(graph, plan)), total_(plan) {
    for (size_t g = 0; g < plan.groups.size(); ++g) {
      for (ValueId id : plan.groups[g].observed) group_of_[graph.value(id).name] = g;
    }
    for (ValueId id : graph.required_inputs()) inputs_.push_back(graph.value(id).name);
  }

  // What each thread does until the samples are used up. `report` hears of finished samples.
  template <typename F>
  void work(const F& report) {
    try {
      while (const std::optional<Block> block = take()) {
        CalibrationTable table(plan_);
        for (const data::Batch& batch : block->batches) observe(batch, table);
        finish(block->number, std::move(table));
        report(done_.load());
      }
    } catch (...) {
      // The others should not go on for minutes.
      stop_ = true;
      throw;
    }
  }

  CalibrationTable result() && {
    HT_CHECK(waiting_.empty(), "{} blocks were not merged", waiting_.size());
    return std::move(total_);
  }

 private:
  struct Block {
    size_t number;
    std::vector<data::Batch> batches;
  };

  static SessionOptions options(const Graph& graph, const QuantPlan& plan) {
    SessionOptions options;
    for (const GridGroup& group : plan.groups) {
      for (ValueId id : group.observed) {
        const auto& inputs = graph.inputs();
        if (std::find(inputs.begin(), inputs.end(), id) == inputs.end()) options.taps.push_back(graph.value(id).name);
      }
    }
    return options;
  }

  std::optional<Block> take() {
    const std::lock_guard lock(loading_);
    Block block{next_block_++, {}};
    while (!stop_ && block.batches.size() < kBlock) {
      std::optional<data::Batch> batch = loader_.next();
      if (!batch) break;
      block.batches.push_back(std::move(*batch));
    }
    if (block.batches.empty()) return std::nullopt;
    return block;
  }

  void observe(const data::Batch& batch, CalibrationTable& table) const {
    const auto look = [&](std::string_view name, const Tensor& value) {
      const auto group = group_of_.find(name);
      if (group != group_of_.end()) table.observe(group->second, name, value.data<float>());
    };
    for (const std::string& input : inputs_) {
      const auto content = batch.inputs.find(input);
      if (content != batch.inputs.end()) look(input, content->second);
    }
    session_.run(batch.inputs, look);
    table.count_samples(static_cast<int64_t>(batch.ids.size()));
  }

  // Merges what is next in order; blocks that finish early wait.
  void finish(size_t number, CalibrationTable table) {
    const std::lock_guard lock(merging_);
    waiting_.emplace(number, std::move(table));
    for (auto next = waiting_.find(merged_); next != waiting_.end(); next = waiting_.find(merged_)) {
      total_.merge(next->second);
      waiting_.erase(next);
      ++merged_;
    }
    done_ = total_.samples();
  }

  const QuantPlan& plan_;
  data::Loader& loader_;
  const Session session_;
  std::map<std::string, size_t, std::less<>> group_of_;  // observed value -> group
  std::vector<std::string> inputs_;

  std::mutex loading_;
  size_t next_block_ = 0;
  std::atomic<bool> stop_ = false;

  std::mutex merging_;
  std::map<size_t, CalibrationTable> waiting_;
  size_t merged_ = 0;
  CalibrationTable total_;
  std::atomic<int64_t> done_ = 0;
};

}  // namespace

CalibrationTable calibrate(const Graph& graph, const QuantPlan& plan, data::Loader& loader, ThreadTeam& team,
                           ProgressSink& progress) {
  Calibration calibration(graph, plan, loader);
  progress.begin("calibrating", loader.size().value_or(0), "images");
  team.run_indexed(team.size(), [&](int64_t, int thread) {
    calibration.work([&](int64_t done) {
      // Sinks are called from the thread that started the work only.
      if (thread == 0) progress.advance(done);
    });
  });
  CalibrationTable table = std::move(calibration).result();
  progress.advance(table.samples());
  progress.end();
  if (table.samples() == 0) {
    fail(ErrorCode::InvalidData, "calibration", "at least one sample is required to choose grids, found none");
  }
  return table;
}

}  // namespace halftone
