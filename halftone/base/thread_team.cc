#include "halftone/base/thread_team.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <mutex>
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
constexpr auto kSpinTime = std::chrono::microseconds(30);

void pause_cpu() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

// Spins until `ready` or the spin time is over; true when ready.
template <typename Ready>
bool spin_until(const Ready& ready) {
  const auto deadline = std::chrono::steady_clock::now() + kSpinTime;
  do {
    for (int i = 0; i < 64; ++i) {
      if (ready()) return true;
      pause_cpu();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return ready();
}

}  // namespace

struct ThreadTeam::State {
  std::mutex callers;  // one job at a time

  std::mutex mutex;
  std::condition_variable job_posted;
  std::condition_variable job_done;
  std::atomic<uint64_t> generation{0};  // number of jobs posted; workers wait for it to change
  std::atomic<bool> stopping{false};

  const std::function<void(int64_t, int)>* task = nullptr;
  int64_t count = 0;
  std::atomic<int64_t> next_index{0};
  std::atomic<int> workers_inside{0};
  std::exception_ptr first_error;

  std::vector<std::thread> workers;

  void work(int thread) {
    for (int64_t i = next_index.fetch_add(1); i < count; i = next_index.fetch_add(1)) {
      try {
        (*task)(i, thread);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!first_error) first_error = std::current_exception();
        next_index.store(count);  // the rest of the job is pointless
      }
    }
  }

  void worker_loop(int thread) {
    uint64_t seen = 0;
    for (;;) {
      const auto posted = [&] { return generation.load(std::memory_order_acquire) != seen; };
      if (!spin_until(posted)) {
        std::unique_lock lock(mutex);
        job_posted.wait(lock, posted);
      }
      seen = generation.load(std::memory_order_acquire);
      if (stopping) return;
      work(thread);
      if (workers_inside.fetch_sub(1, std::memory_order_acq_rel) == 1) {
        const std::lock_guard lock(mutex);
        job_done.notify_one();
      }
    }
  }
};

ThreadTeam::ThreadTeam(int size) : size_(size), state_(std::make_unique<State>()) {
  HT_CHECK(size >= 1, "a team needs a thread, asked for {}", size);
  for (int i = 1; i < size; ++i) state_->workers.emplace_back([s = state_.get(), i] { s->worker_loop(i); });
}

ThreadTeam::~ThreadTeam() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    state_->generation.fetch_add(1);
  }
  state_->job_posted.notify_all();
  for (std::thread& worker : state_->workers) worker.join();
}

void ThreadTeam::run_indexed(int64_t count, const std::function<void(int64_t, int)>& task) {
  if (count <= 0) return;
  const std::lock_guard caller(state_->callers);
  if (size_ == 1 || count == 1) {
    for (int64_t i = 0; i < count; ++i) task(i, 0);
    return;
  }
  State& s = *state_;
  s.task = &task;
  s.count = count;
  s.next_index = 0;
  s.workers_inside = static_cast<int>(s.workers.size());
  s.first_error = nullptr;
  {
    const std::lock_guard lock(s.mutex);
    s.generation.fetch_add(1, std::memory_order_release);
  }
  s.job_posted.notify_all();
  s.work(0);
  const auto finished = [&] { return s.workers_inside.load(std::memory_order_acquire) == 0; };
  if (!spin_until(finished)) {
    std::unique_lock lock(s.mutex);
    s.job_done.wait(lock, finished);
  }
  if (s.first_error) std::rethrow_exception(std::exchange(s.first_error, nullptr));
}

void ThreadTeam::run(int64_t count, const std::function<void(int64_t)>& task) {
  run_indexed(count, [&task](int64_t i, int) { task(i); });
}

}  // namespace halftone
