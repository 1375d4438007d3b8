// Deterministic damage to serialized messages.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <vector>

#include "halftone/base/rng.h"

namespace halftone::test {

// Damage that a disk or a network does: flipped bits, overwritten, lost and doubled bytes, a cut end, a piece of
// another file; and lengths of nested messages that lie.
std::string damage_bytes(const std::string& bytes, const std::string& other, Rng& rng);

// Damage that leaves a well-formed message, so that it gets past the parser: a number becomes an extreme one, a name
// another name, a part vanishes, is doubled or changes places.
void damage_message(google::protobuf::Message& message, Rng& rng);

// Positions in `bytes`, taken as a message, at which the length of a nested field begins.
std::vector<size_t> length_positions(const std::string& bytes);

}  // namespace halftone::test
