#include "halftone/kernels/peak/peak.h"

#include <algorithm>
#include <chrono>
#include <vector>

namespace halftone::kernels {
namespace {

using Clock = std::chrono::steady_clock;

double nanoseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::nano>(Clock::now() - begin).count();
}

// The most `amount` per nanosecond that calls of `work` reached within `nanoseconds`.
template <typename Work>
double best_rate(double amount, double nanoseconds, const Work& work) {
  double best = 0;
  const auto begin = Clock::now();
  do {
    const auto start = Clock::now();
    work();
    best = std::max(best, amount / nanoseconds_since(start));
  } while (nanoseconds_since(begin) < nanoseconds);
  return best;
}

}  // namespace

std::span<const PeakLoop> peak_loops() {
  static constexpr PeakLoop loops[] = {
#define HALFTONE_PEAK_LOOP(name, isa, unit, operations) {#name, Isa::isa, PeakUnit::unit, operations, peak_##name},
#include "halftone/kernels/peak/loops.def"
#undef HALFTONE_PEAK_LOOP
  };
  return loops;
}

double measure(const PeakLoop& loop) {
  // Some 100 microseconds: long beside the clock's own cost, short beside the system's interruptions.
  constexpr int64_t kRounds = 40'000;
  constexpr double kNanoseconds = 20e6;
  const auto operations = static_cast<double>(kRounds * kPeakAccumulators * loop.operations);
  return best_rate(operations, kNanoseconds, [&] { loop.run(kRounds); });
}

Peak measure_peak(PeakUnit unit) {
  Peak best;
  for (const PeakLoop& loop : peak_loops()) {
    if (loop.unit != unit || !has_isa(loop.isa)) continue;
    const double rate = measure(loop);
    if (rate > best.giga_operations_per_second) best = {loop.name, rate};
  }
  return best;
}

double measure_read_bandwidth(int64_t bytes) {
  constexpr double kNanoseconds = 100e6;
  constexpr int64_t kLeastBytes = 1 << 20;  // of one timing
  const std::vector<uint64_t> words(static_cast<size_t>(std::max<int64_t>(bytes / 8, 1)), 1);
  const int64_t size = static_cast<int64_t>(words.size()) * 8;
  const int64_t times = std::max<int64_t>(kLeastBytes / size, 1);
  volatile uint64_t kept = 0;
  return best_rate(static_cast<double>(size * times), kNanoseconds, [&] {
    uint64_t all = 0;
    for (int64_t i = 0; i < times; ++i) all += read_all(words);
    kept = all;
  });
}

uint64_t read_all(std::span<const uint64_t> words) {
  // Eight sums keep eight loads under way; the compiler makes vectors of them.
  constexpr size_t kSums = 8;
  uint64_t sums[kSums] = {};
  size_t i = 0;
  for (; i + kSums <= words.size(); i += kSums) {
    for (size_t s = 0; s < kSums; ++s) sums[s] ^= words[i + s];
  }
  for (; i < words.size(); ++i) sums[0] ^= words[i];
  uint64_t all = 0;
  for (uint64_t sum : sums) all ^= sum;
  return all;
}

}  // namespace halftone::kernels
