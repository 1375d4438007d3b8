// What every importer test does with bytes that may be anything.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

namespace halftone::test {

// Imports the bytes as a model, verifies it, infers its shapes, exports it and imports what was exported; folds what is
// quantized in it into encodings and writes these out again. Returns ""
// for a model that got through, else the message of the Error that refused it. Any other exception is a bug and leaves;
// so does an Error about a model that import itself accepted before.
std::string import_anything(std::span<const std::byte> bytes, const std::filesystem::path& folder);

}  // namespace halftone::test
