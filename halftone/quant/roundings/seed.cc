#include "halftone/quant/roundings/seed.h"

#include <charconv>

#include "halftone/base/error.h"

namespace halftone {
namespace {

// The finalizer of splitmix64: one to one, and every bit of the argument changes half of the result's.
uint64_t mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

constexpr uint64_t kGolden = 0x9E3779B97F4A7C15u;

}  // namespace

uint64_t seed_parameter(std::string_view rounding, std::string_view text) {
  if (text.empty()) return 0;
  uint64_t seed = 0;
  const char* end = text.data() + text.size();
  const auto [stop, code] = std::from_chars(text.data(), end, seed);
  if (code != std::errc() || stop != end) {
    fail(ErrorCode::InvalidArgument, "rounding", "{} requires a seed from 0 to {}, found '{}'", rounding, UINT64_MAX,
         text);
  }
  return seed;
}

void no_seed(std::string_view rounding, std::string_view text) {
  if (!text.empty()) fail(ErrorCode::InvalidArgument, "rounding", "{} takes no seed, found '{}'", rounding, text);
}

double uniform_at(uint64_t seed, uint64_t index) {
  return static_cast<double>(mix(mix(seed + kGolden) + (index + 1) * kGolden) >> 11) * 0x1p-53;
}

}  // namespace halftone
