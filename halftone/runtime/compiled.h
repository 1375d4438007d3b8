// Compiled programs: a network as a Session holds it, with its weights packed for this processor, in a file that is
// mapped instead of read.
//
//   bytes 0..7     "HTPROG1\n"
//   then           fixed64 size of all that follows the checksum, fixed64 checksum of it, then (archive.h):
//                  version, instruction-set level, mode, the graph as ONNX, tables, constants
#pragma once

#include <filesystem>
#include <memory>

#include "halftone/runtime/constant_store.h"
#include "halftone/runtime/freeze.h"

namespace halftone::runtime {

// True when the file begins as a compiled program does.
bool is_compiled(const std::filesystem::path& path);

// Writes the file whole or not at all. `constants` are those of all programs that were lowered so far: other input
// shapes can be run too, and pack what they need anew. Errors: Error{Io}, Error{Unsupported} beyond 2 GiB.
void save_compiled(const FrozenModel& frozen, const ConstantStore& constants, RequantizeMode mode,
                   const std::filesystem::path& path);

struct Compiled {
  FrozenModel frozen;
  RequantizeMode mode = RequantizeMode::Float;
};

// Maps the file; `constants` gets what it holds, which stays mapped as long as somebody needs it. Cost: one pass over
// the bytes, for the checksum. The checksum finds damage, not malice: a compiled program is to be trusted like a
// program. Errors: Error{Io}; Error{InvalidModel} for a damaged file; Error{Unsupported} for a file that another
// version made, or that was made for another instruction-set level.
Compiled load_compiled(const std::filesystem::path& path, ConstantStore& constants);

}  // namespace halftone::runtime
