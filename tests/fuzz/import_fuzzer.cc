// libFuzzer target: bytes to the importer, the verifier and shape inference.
#include <cstdint>

#include "tests/fuzz/import_harness.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  halftone::test::import_anything({reinterpret_cast<const std::byte*>(data), size}, {});
  return 0;
}
