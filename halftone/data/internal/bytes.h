// The content of a file in memory.
#pragma once

#include <cstddef>
#include <span>

namespace halftone::data {

using Bytes = std::span<const std::byte>;

}  // namespace halftone::data
