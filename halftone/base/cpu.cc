#include "halftone/base/cpu.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>

#include "halftone/base/error.h"

namespace halftone {
namespace {

constexpr std::array kLevels = {Isa::Portable, Isa::Avx2, Isa::AvxVnni, Isa::Avx512, Isa::Avx512Vnni, Isa::Avx512Vbmi};

bool cpu_has(Isa isa) {
#if defined(__x86_64__)
  switch (isa) {
    case Isa::Portable:
      return true;
    case Isa::Avx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case Isa::AvxVnni: {
      // GCC 12 knows no name for it: CPUID leaf 7, subleaf 1, EAX bit 4.
      unsigned a = 7, b = 0, c = 1, d = 0;
      __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
      return cpu_has(Isa::Avx2) && (a & (1u << 4)) != 0;
    }
    case Isa::Avx512:
      return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
    case Isa::Avx512Vnni:
      return cpu_has(Isa::Avx512) && __builtin_cpu_supports("avx512vnni");
    case Isa::Avx512Vbmi:
      return cpu_has(Isa::Avx512Vnni) && __builtin_cpu_supports("avx512vbmi");
  }
#endif
  return isa == Isa::Portable;
}

Isa requested_cap() {
  const char* text = std::getenv("HALFTONE_ISA");
  if (text == nullptr || *text == '\0') return kLevels.back();
  for (Isa isa : kLevels) {
    if (name_of(isa) == text) return isa;
  }
  fail(ErrorCode::InvalidArgument, "HALFTONE_ISA",
       "portable, avx2, avx_vnni, avx512, avx512_vnni or avx512_vbmi is required, found '{}'", text);
}

}  // namespace

std::string_view name_of(Isa isa) {
  switch (isa) {
    case Isa::Portable:
      return "portable";
    case Isa::Avx2:
      return "avx2";
    case Isa::AvxVnni:
      return "avx_vnni";
    case Isa::Avx512:
      return "avx512";
    case Isa::Avx512Vnni:
      return "avx512_vnni";
    case Isa::Avx512Vbmi:
      return "avx512_vbmi";
  }
  return "unknown";
}

bool has_isa(Isa isa) {
  static const Isa cap = requested_cap();
  return isa <= cap && cpu_has(isa);
}

Isa isa_level() {
  Isa best = Isa::Portable;
  for (Isa isa : kLevels) {
    if (has_isa(isa)) best = isa;
  }
  return best;
}

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  while (std::getline(info, line)) {
    if (line.starts_with("model name")) {
      const size_t colon = line.find(": ");
      return colon == std::string::npos ? line : line.substr(colon + 2);
    }
  }
  return "unknown";
}

int available_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  int cores = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  // A container may own a fraction of the cores it can see.
  std::ifstream quota_file("/sys/fs/cgroup/cpu.max");
  double quota = 0, period = 0;
  if (quota_file >> quota >> period && period > 0) cores = std::min(cores, static_cast<int>(quota / period + 0.5));
  return std::max(cores, 1);
}

}  // namespace halftone
