#include "halftone/calibrate/calibrate.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "halftone/base/error.h"
#include "halftone/calibrate/domain_check.h"
#include "halftone/runtime/session.h"

namespace halftone {
namespace {

// Consecutive batches that one thread takes at a time. Tables of this many are merged in order, so the number is part
// of the result of observers to which order matters; more would leave threads idle at the end.
constexpr size_t kBlock = 8;

// What is gathered, by blocks of samples.
struct Findings {
  CalibrationTable table;
  DomainCheck domain;
};

class Calibration {
 public:
  Calibration(const Graph& graph, const QuantPlan& plan, data::Loader& loader, Findings nothing)
      : plan_(plan),
        loader_(loader),
        session_(graph, options(graph, plan, nothing.table)),
        counts_(range_counts(graph, plan)),
        total_(std::move(nothing)) {
    for (size_t g = 0; g < plan.groups.size(); ++g) {
      if (!total_.table.needs_data(g)) continue;
      for (ValueId id : plan.groups[g].observed) group_of_[graph.value(id).name] = g;
    }
    for (ValueId id : graph.required_inputs()) inputs_.push_back(graph.value(id).name);
  }

  // What each thread does until the samples are used up. `report` hears of finished samples.
  template <typename F>
  void work(const F& report) {
    try {
      while (const std::optional<Block> block = take()) {
        Findings found{CalibrationTable(plan_, counts_), total_.domain.empty_copy()};
        for (const data::Batch& batch : block->batches) observe(batch, found, &batch == &block->batches.front());
        finish(block->number, std::move(found));
        report(done_.load());
      }
    } catch (...) {
      // The others should not go on for minutes.
      stop_ = true;
      throw;
    }
  }

  Findings result() && {
    HT_CHECK(waiting_.empty(), "{} blocks were not merged", waiting_.size());
    return std::move(total_);
  }

 private:
  struct Block {
    size_t number;
    std::vector<data::Batch> batches;
  };

  static SessionOptions options(const Graph& graph, const QuantPlan& plan, const CalibrationTable& table) {
    SessionOptions options;
    for (size_t g = 0; g < plan.groups.size(); ++g) {
      if (!table.needs_data(g)) continue;
      for (ValueId id : plan.groups[g].observed) {
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

  void observe(const data::Batch& batch, Findings& found, bool check_domain) const {
    const auto look = [&](std::string_view name, const Tensor& value) {
      const auto group = group_of_.find(name);
      if (group == group_of_.end()) return;
      found.table.observe(group->second, name, value);
      if (check_domain) found.domain.observe(name, value);
    };
    for (const std::string& input : inputs_) {
      const auto content = batch.inputs.find(input);
      if (content != batch.inputs.end()) look(input, content->second);
    }
    session_.run(batch.inputs, look);
    found.table.count_samples(static_cast<int64_t>(batch.ids.size()));
  }

  // Merges what is next in order; blocks that finish early wait.
  void finish(size_t number, Findings found) {
    const std::lock_guard lock(merging_);
    waiting_.emplace(number, std::move(found));
    for (auto next = waiting_.find(merged_); next != waiting_.end(); next = waiting_.find(merged_)) {
      total_.table.merge(next->second.table);
      total_.domain.merge(next->second.domain);
      waiting_.erase(next);
      ++merged_;
    }
    done_ = total_.table.samples();
  }

  const QuantPlan& plan_;
  data::Loader& loader_;
  const Session session_;
  const std::vector<int64_t> counts_;
  std::map<std::string, size_t, std::less<>> group_of_;  // observed value -> group
  std::vector<std::string> inputs_;

  std::mutex loading_;
  size_t next_block_ = 0;
  std::atomic<bool> stop_ = false;

  std::mutex merging_;
  std::map<size_t, Findings> waiting_;
  size_t merged_ = 0;
  Findings total_;
  std::atomic<int64_t> done_ = 0;
};

// Tells observers that need no data what they want to know. Whether others are left.
bool expect_moments(const Graph& graph, const QuantPlan& plan, const ValueMoments& moments, CalibrationTable& table) {
  bool data = false;
  for (size_t g = 0; g < plan.groups.size(); ++g) {
    if (table.needs_data(g)) {
      data = true;
      continue;
    }
    for (ValueId id : plan.groups[g].observed) {
      const auto known = moments.find(graph.value(id).name);
      if (known == moments.end()) {
        fail(
            ErrorCode::Unsupported, graph.value(id).name,
            "observer {} requires batch normalization before this value, or a preprocessing recipe for an input, found "
            "neither; give it another observer by a rule, and data",
            plan.groups[g].spec.observer);
      }
      table.expect(g, known->second);
    }
  }
  return data;
}

}  // namespace

CalibrationTable calibrate(const Graph& graph, const QuantPlan& plan, data::Loader* loader, const ValueMoments& moments,
                           ThreadTeam& team, ProgressSink& progress) {
  // What preprocessing can make of an image is no knowledge of which images the network was trained on.
  ValueMoments learned = moments;
  for (ValueId input : graph.inputs()) learned.erase(graph.value(input).name);
  Findings found{CalibrationTable(plan, range_counts(graph, plan)), DomainCheck(learned)};
  if (!expect_moments(graph, plan, moments, found.table)) return std::move(found.table);
  if (loader == nullptr) {
    fail(ErrorCode::InvalidArgument, "calibration",
         "samples are required to find ranges with, found none; give data, or use observers that need none");
  }
  Calibration calibration(graph, plan, *loader, std::move(found));
  progress.begin("calibrating", loader->size().value_or(0), "images");
  team.run_indexed(team.size(), [&](int64_t, int thread) {
    calibration.work([&](int64_t done) {
      // Sinks are called from the thread that started the work only.
      if (thread == 0) progress.advance(done);
    });
  });
  Findings all = std::move(calibration).result();
  progress.advance(all.table.samples());
  progress.end();
  if (all.table.samples() == 0) {
    fail(ErrorCode::InvalidData, "calibration", "at least one sample is required to choose grids, found none");
  }
  if (const std::optional<std::string> remark = all.domain.remark()) progress.note(*remark);
  return std::move(all.table);
}

}  // namespace halftone
