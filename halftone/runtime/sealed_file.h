// Files of our own that show damage: a magic word, the size of all that follows the header and a checksum of it, then
// what a Writer wrote (archive.h).
#pragma once

#include <array>
#include <filesystem>

#include "halftone/runtime/archive.h"

namespace halftone::runtime {

struct FileKind {
  std::array<char, 8> magic;
  Damage damage;
};

// Whole or not at all. Errors: Error{Io}.
void write_sealed(const FileKind& kind, const Writer& content, const std::filesystem::path& path);

// Maps the file; what is read from it stays mapped as long as somebody needs it. Cost: one pass over the bytes. Errors:
// Error{Io}; Error{InvalidModel} in the words of `kind` for a file of another kind, size or checksum. The checksum
// finds damage, not malice.
Reader open_sealed(const FileKind& kind, const std::filesystem::path& path);

}  // namespace halftone::runtime
