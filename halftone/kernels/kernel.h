// The room `kernels`: the integer engine's inner loops. One folder per family, with a contract (<family>.h), a plain
// reference, one small file per instruction-set level, and a list of kernels in measured order (kernels.def). It sees
// quant.
//
// What all families share:
//   Stored codes   a quantized activation of at most 8 bits lies in memory as uint8; codes of signed grids are stored
//                  with 128 added, and zero points and bounds move with them: real = scale * (stored - zero_point).
//   Channels last  [image, row, column, channel], with a pixel stride in bytes of at least the number of channels.
//   Slack          every buffer has kSlack readable bytes after its end. Kernels may read there, never write.
//   Exactness      results equal the reference's on every instruction-set level, bit for bit, and don't depend on how
//                  the caller cuts the work.
//   Blobs          packed weights and constants are plain relocatable bytes.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/base/cpu.h"

namespace halftone::kernels {

inline constexpr size_t kSlack = 64;

// Why a kernel of a list was not chosen.
struct Refusal {
  std::string_view kernel;
  std::string reason;
};

// What selection found: the first kernel of its list that this processor can run and that accepts the problem.
template <typename Kernel>
struct Choice {
  const Kernel* kernel = nullptr;
  std::vector<Refusal> refusals;  // of the kernels before it in the list
};

// Walks `list`. A Kernel has `name`, `isa`, and `refuse(problem)`: "" or why it can't do the problem.
template <typename Kernel, typename List, typename Problem>
Choice<Kernel> choose(const List& list, const Problem& problem) {
  Choice<Kernel> choice;
  for (const Kernel& kernel : list) {
    std::string reason = has_isa(kernel.isa)
                             ? kernel.refuse(problem)
                             : "this processor lacks (or HALFTONE_ISA excludes) " + std::string(name_of(kernel.isa));
    if (reason.empty()) {
      choice.kernel = &kernel;
      break;
    }
    choice.refusals.push_back({kernel.name, std::move(reason)});
  }
  return choice;
}

// The kernel of that name, for programs that were saved; null when there is none or this processor can't run it.
template <typename Kernel>
const Kernel* find_kernel(std::span<const Kernel> list, std::string_view name) {
  for (const Kernel& kernel : list) {
    if (kernel.name == name) return has_isa(kernel.isa) ? &kernel : nullptr;
  }
  return nullptr;
}

}  // namespace halftone::kernels
