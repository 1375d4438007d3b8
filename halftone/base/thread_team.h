// One team of threads for everything that runs in parallel.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

namespace halftone {

// `size` threads, the caller included, that run small jobs together. Work is claimed, never assigned: a worker that the
// system has put aside holds up nobody unless it was put aside in the middle of a part, and finds the job closed when
// it comes late. Workers wait for the next job by spinning for a few microseconds and then sleeping, so that an idle
// team costs nothing (a barrier that only spins would stall everyone beside a busy neighbour).
//
// Determinism: which thread runs which index is unspecified; results must not depend on it.
// Thread safety: concurrent callers are served one after the other; callers of a team of one do not wait at all.
class ThreadTeam {
 public:
  // size >= 1; 1 starts no thread.
  explicit ThreadTeam(int size);
  ~ThreadTeam();
  ThreadTeam(const ThreadTeam&) = delete;
  ThreadTeam& operator=(const ThreadTeam&) = delete;

  int size() const { return size_; }

  // Calls task(i) for every i in [0, count), each once, spread over the team; returns when all have finished.
  // Indices are handed out in ascending order, so a thread that is slow takes fewer of them. The first exception is
  // rethrown here after the others have finished. Not reentrant: a task must not call run of the same team.
  void run(int64_t count, const std::function<void(int64_t)>& task);

  // Like run, with the number of the team's thread (0 = caller) as second argument, for per-thread scratch.
  void run_indexed(int64_t count, const std::function<void(int64_t, int)>& task);

  // A chain of steps as one job: calls task(step, part, thread) for every part in [0, parts[step]) of every step;
  // a step begins when all parts of the one before have finished. parts[step] is in [0, 2^24). Costs a fraction of a
  // microsecond per step; a step of one part stays on the thread that finished the step before. Exceptions as in run.
  // For short chains, whose latency counts: while a busy neighbour keeps putting workers aside in the middle of their
  // parts, chains run on the caller's thread alone, for some tenths of a second at a time.
  using StepTask = std::function<void(int step, int part, int thread)>;
  void run_steps(std::span<const int> parts, const StepTask& task);

 private:
  struct State;
  void run_chain(std::span<const int> parts, const StepTask& task, bool may_retreat);

  int size_;
  std::unique_ptr<State> state_;
};

}  // namespace halftone
