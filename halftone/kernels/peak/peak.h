// What one core of this processor can do at most, measured: the yardstick that speeds of layers are held against.
//
// A loop repeats one step of multiplication and accumulation on operands that stay in registers, over enough
// independent accumulators that only the number of multipliers counts; nothing is loaded or stored.
//   Int8   vpdpbusd; or pmaddubsw, pmaddwd with ones and paddd, whose sums of pairs saturate at 16 bits
//   Int16  pmaddwd and paddd
//   Float  fused multiply-add of float32
// A multiplication and its addition are 2 operations.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "halftone/base/cpu.h"

namespace halftone::kernels {

enum class PeakUnit { Int8, Int16, Float };

// Accumulators of a loop: latencies of up to 5 cycles on 2 multipliers are hidden, and 16 registers suffice.
inline constexpr int kPeakAccumulators = 10;

struct PeakLoop {
  std::string_view name;
  Isa isa;
  PeakUnit unit;
  int operations;               // of one step of one accumulator
  void (*run)(int64_t rounds);  // a round is a step of every accumulator
};

// loops.def. What this processor can run is the caller's question (has_isa).
std::span<const PeakLoop> peak_loops();

// Operations per nanosecond (GOP/s), the most that was seen in some 20 ms. Run it on a core that is warm.
double measure(const PeakLoop& loop);

struct Peak {
  std::string_view loop;  // empty: none of the unit's loops runs at this level
  double giga_operations_per_second = 0;
};
// The best loop of a unit, of those that this processor and HALFTONE_ISA allow.
Peak measure_peak(PeakUnit unit);

// Bytes per nanosecond (GB/s) at which one thread reads `bytes` bytes again and again, the most that was seen in some
// 100 ms: with 64 MiB the memory's speed, with 16 KiB the nearest cache's.
double measure_read_bandwidth(int64_t bytes);

// The exclusive or of all words; what measure_read_bandwidth times.
uint64_t read_all(std::span<const uint64_t> words);

#define HALFTONE_PEAK_LOOP(name, isa, unit, operations) void peak_##name(int64_t rounds);
#include "halftone/kernels/peak/loops.def"
#undef HALFTONE_PEAK_LOOP

}  // namespace halftone::kernels
