// What the benches of the memory-bound families share: each kernel's time beside that of a memcpy that moves as many
// bytes, in turns, best of many. Buffers are as warm as they are between the layers of a network.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "halftone/base/rng.h"
#include "halftone/kernels/kernel.h"

namespace halftone::kernels {

inline std::vector<uint8_t> bench_codes(int64_t count) {
  Rng rng(1);
  std::vector<uint8_t> codes(static_cast<size_t>(count) + kSlack);
  for (uint8_t& code : codes) code = static_cast<uint8_t>(rng.next());
  return codes;
}

inline double seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Prints GB/s (bytes read and written) and the fraction of memcpy's.
inline void report(const std::string& what, std::string_view kernel, int64_t bytes_read, int64_t bytes_written,
                   const std::function<void()>& work) {
  const int64_t half = (bytes_read + bytes_written) / 2;
  const std::vector<uint8_t> from = bench_codes(half);
  std::vector<uint8_t> to(from.size());
  double best = 1e9, copy = 1e9;
  const double limit = 0.15;
  double spent = 0;
  for (int round = 0; round < 5 || spent < limit; ++round) {
    const double once = seconds_of(work);
    const double copied = seconds_of([&] { std::memcpy(to.data(), from.data(), static_cast<size_t>(half)); });
    best = std::min(best, once);
    copy = std::min(copy, copied);
    spent += once + copied;
  }
  std::printf("%-34s %-22s %9.2f us %7.1f GB/s %5.2f of memcpy\n", what.c_str(), std::string(kernel).c_str(),
              1e6 * best, 1e-9 * static_cast<double>(2 * half) / best, copy / best);
}

// Calls f(kernel) for the kernels of a list that run here and accept the problem.
template <typename List, typename Problem, typename F>
void bench_kernels(const List& list, const Problem& problem, F f) {
  for (const auto& kernel : list) {
    if (has_isa(kernel.isa) && *kernel.refuse(problem) == '\0') f(kernel);
  }
}

}  // namespace halftone::kernels
