// Values from one layout to the other.
#pragma once

#include <memory>
#include <string>

#include "halftone/runtime/program.h"

namespace halftone::runtime {

class Lowering;

// A step that copies `from` to `to`, which has the same float value in the other layout.
void add_reorder(Lowering& lowering, const std::string& name, const Place& from, const Place& to);

// A step that copies floats from the ChannelsLast layout to the Plain one.
void add_planes(Lowering& lowering, const std::string& name, const Place& from, const Place& to);

// The content of a constant in the Blocked layout.
std::shared_ptr<const std::byte> blocked_copy(const Place& constant);

// The value as a Tensor: a view that is valid while the memory is, or the slot's tensor.
Tensor tensor_at(const RunMemory& memory, const Place& place);

// Copies a computed tensor to its place. Errors: InternalError when shape or type differ from what was planned.
void store(const Tensor& tensor, RunMemory& memory, const Place& place);

}  // namespace halftone::runtime
