#include "halftone/base/thread_team.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "halftone/base/error.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace halftone {
namespace {

// Long enough to bridge the gap between two layers, short enough not to steal a core from a neighbour.
constexpr auto kSpinTime = std::chrono::microseconds(50);

// A worker that is put aside in the middle of a part holds the caller up for a whole time slice, some milliseconds.
// When that happens twice in short order, chains of steps run on the caller's thread alone for a while: slower than
// with all threads on a quiet machine, but without that tail. The while doubles when the next try goes wrong as well.
// Rarer stalls cost less than a retreat would: on a quiet machine, threads that wake up now and then meet on one core,
// and where less than one chain in so many is struck, the tail lies beyond the 90th percentile anyway.
constexpr auto kStall = std::chrono::microseconds(500);
constexpr auto kShortOrder = std::chrono::milliseconds(50);
constexpr int64_t kFewChains = 12;
constexpr auto kShortestRetreat = std::chrono::milliseconds(100);
constexpr auto kLongestRetreat = std::chrono::milliseconds(400);

using Clock = std::chrono::steady_clock;

// How often the system took the processor away from the calling thread.
long times_put_aside() {
  rusage usage{};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nivcsw;
}

// The cursor packs the number of the step that is open (over all jobs, so that it never repeats) above the number of
// its parts that nobody has claimed yet.
constexpr int kPartBits = 24;
constexpr uint64_t kPartMask = (uint64_t{1} << kPartBits) - 1;

void pause_cpu() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

// Spins until `ready` or the spin time is over; true when ready.
template <typename Ready>
bool spin_until(const Ready& ready) {
  const auto deadline = Clock::now() + kSpinTime;
  do {
    for (int i = 0; i < 32; ++i) {
      if (ready()) return true;
      pause_cpu();
    }
  } while (Clock::now() < deadline);
  return ready();
}

}  // namespace

struct ThreadTeam::State {
  std::mutex callers;  // one job at a time

  alignas(64) std::atomic<uint64_t> cursor{0};
  alignas(64) std::atomic<int> unfinished{0};  // parts of the open step that are claimed or to be claimed

  // The job. Written before the cursor opens one of its steps; read only by a thread that holds a claimed part, which
  // keeps the job from ending, and by the caller.
  alignas(64) std::span<const int> parts;
  const StepTask* task = nullptr;
  int step = 0;
  std::atomic<bool> finished{true};
  std::atomic<bool> failed{false};
  std::exception_ptr first_error;

  // Sleeping: whoever changes the cursor wakes the sleepers if there are any.
  std::mutex mutex;
  std::condition_variable changed;
  std::atomic<int> sleepers{0};
  std::atomic<bool> stopping{false};

  // Retreat (see kStall).
  std::atomic<int> stalls{0};  // how often the caller has waited long
  std::atomic<Clock::rep> alone_until{0};
  Clock::duration retreat = kShortestRetreat;  // guarded by mutex
  std::atomic<int64_t> chains{0};              // how many have run on all threads
  Clock::time_point last_stall;                // guarded by mutex
  int64_t last_stalled_chain = 0;              // the value of `chains` then; guarded by mutex

  std::vector<std::thread> workers;

  // Called by an idle worker after the caller has waited long: was it because this worker was put aside?
  void examine_stall(long& put_aside_before) {
    const long put_aside = times_put_aside();
    if (put_aside == std::exchange(put_aside_before, put_aside)) return;
    const std::lock_guard lock(mutex);
    const Clock::time_point now = Clock::now(), last_end{Clock::duration(alone_until.load())};
    const int64_t chain = chains.load();
    const bool again = now - std::exchange(last_stall, now) < kShortOrder;
    const bool often = chain - std::exchange(last_stalled_chain, chain) < kFewChains;
    if (!again || !often || now < last_end) return;
    retreat = now < last_end + kShortestRetreat ? std::min<Clock::duration>(2 * retreat, kLongestRetreat)
                                                : Clock::duration(kShortestRetreat);
    alone_until = (now + retreat).time_since_epoch().count();
  }

  // Claims a part of the open step: its number, or nullopt when all are taken.
  std::optional<int> claim() {
    uint64_t seen = cursor.load(std::memory_order_acquire);
    while ((seen & kPartMask) != 0) {
      if (cursor.compare_exchange_weak(seen, seen - 1, std::memory_order_acq_rel)) {
        return parts[static_cast<size_t>(step)] - static_cast<int>(seen & kPartMask);
      }
    }
    return std::nullopt;
  }

  // Opens the next step that has parts, or ends the job.
  void open_next(int next) {
    while (next < static_cast<int>(parts.size()) && parts[static_cast<size_t>(next)] == 0) ++next;
    const bool done = next == static_cast<int>(parts.size());
    const int count = done ? 0 : parts[static_cast<size_t>(next)];
    // Both stores are sequentially consistent against sleepers: either we see the sleeper or it sees the news.
    if (done) {
      finished.store(true);  // from here on the job belongs to the caller, who may already post the next one
    } else {
      step = next;
      unfinished.store(count, std::memory_order_relaxed);
      const uint64_t number = (cursor.load(std::memory_order_relaxed) >> kPartBits) + 1;
      cursor.store((number << kPartBits) | static_cast<uint64_t>(count));
    }
    // A step of one part is for the thread that opened it.
    if ((count > 1 || done) && sleepers.load() > 0) {
      const std::lock_guard lock(mutex);
      changed.notify_all();
    }
  }

  void run_part(int part, int thread) {
    const int current = step;
    if (!failed.load(std::memory_order_relaxed)) {
      try {
        (*task)(current, part, thread);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!first_error) first_error = std::current_exception();
        failed = true;  // the rest of the job is pointless
      }
    }
    if (unfinished.fetch_sub(1, std::memory_order_acq_rel) == 1) open_next(current + 1);
  }

  // Works until `enough`, waiting for parts to be opened in between.
  template <typename Enough>
  void work(int thread, const Enough& enough) {
    int stalls_seen = stalls.load();
    long put_aside = thread == 0 ? 0 : times_put_aside();
    for (;;) {
      if (const std::optional<int> part = claim()) {
        run_part(*part, thread);
        continue;
      }
      if (thread != 0 && stalls.load(std::memory_order_relaxed) != stalls_seen) {
        stalls_seen = stalls.load();
        examine_stall(put_aside);
      }
      const auto ready = [&] { return enough() || (cursor.load() & kPartMask) != 0; };
      if (!spin_until(ready)) {
        const Clock::time_point begin = Clock::now();
        std::unique_lock lock(mutex);
        sleepers.fetch_add(1);
        changed.wait(lock, ready);
        sleepers.fetch_sub(1);
        if (thread == 0 && Clock::now() - begin > kStall) stalls.fetch_add(1);
      }
      if (enough()) return;
    }
  }
};

ThreadTeam::ThreadTeam(int size) : size_(size), state_(std::make_unique<State>()) {
  HT_CHECK(size >= 1, "a team needs a thread, asked for {}", size);
  for (int i = 1; i < size; ++i) {
    state_->workers.emplace_back([s = state_.get(), i] { s->work(i, [s] { return s->stopping.load(); }); });
  }
}

ThreadTeam::~ThreadTeam() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  for (std::thread& worker : state_->workers) worker.join();
}

void ThreadTeam::run_chain(std::span<const int> parts, const StepTask& task, bool may_retreat) {
  const auto run_alone = [&] {
    for (size_t step = 0; step < parts.size(); ++step) {
      for (int part = 0; part < parts[step]; ++part) task(static_cast<int>(step), part, 0);
    }
  };
  if (size_ == 1) return run_alone();  // nothing is shared: concurrent callers need not wait for each other
  State& s = *state_;
  const std::lock_guard caller(s.callers);
  if (may_retreat && Clock::now().time_since_epoch().count() < s.alone_until.load()) return run_alone();
  if (may_retreat) s.chains.fetch_add(1, std::memory_order_relaxed);
  s.parts = parts;
  s.task = &task;
  s.finished = false;
  s.failed = false;
  s.first_error = nullptr;
  s.open_next(0);
  s.work(0, [&] { return s.finished.load(std::memory_order_acquire); });
  if (s.first_error) std::rethrow_exception(std::exchange(s.first_error, nullptr));
}

void ThreadTeam::run_steps(std::span<const int> parts, const StepTask& task) { run_chain(parts, task, true); }

void ThreadTeam::run_indexed(int64_t count, const std::function<void(int64_t, int)>& task) {
  std::atomic<int64_t> next{0};
  const int parts = static_cast<int>(std::clamp<int64_t>(count, 0, size_));
  const auto take_indices = [&](int, int, int thread) {
    try {
      for (int64_t i = next.fetch_add(1); i < count; i = next.fetch_add(1)) task(i, thread);
    } catch (...) {
      next = count;  // the rest of the job is pointless
      throw;
    }
  };
  run_chain(std::span(&parts, 1), take_indices, false);
}

void ThreadTeam::run(int64_t count, const std::function<void(int64_t)>& task) {
  run_indexed(count, [&task](int64_t i, int) { task(i); });
}

}  // namespace halftone
