// What this processor can do.
#pragma once

#include <string>
#include <string_view>

namespace halftone {

// Instruction-set levels in the order in which kernels prefer them; each includes the ones before it.
enum class Isa { Portable, Avx2, AvxVnni, Avx512, Avx512Vnni, Avx512Vbmi };

std::string_view name_of(Isa isa);

// The best level that this processor and its operating system support, lowered by the environment variable HALFTONE_ISA
// (portable, avx2, avx_vnni, avx512, avx512_vnni, avx512_vbmi) where it is set. Read once. Errors:
// Error{InvalidArgument} for an unknown name.
Isa isa_level();

// True when kernels of level `isa` may run. AvxVnni is no subset of the AVX-512 levels: a processor may have either.
bool has_isa(Isa isa);

// The processor's model name as the system reports it, for benchmark records, e.g. "AMD EPYC".
std::string cpu_model();

// Cores that this process may run on (affinity and cgroup quota counted), at least 1.
int available_cores();

}  // namespace halftone
