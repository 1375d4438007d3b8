// Where a run meets its caller: the steps that read inputs and write outputs, as real numbers or as codes. Which of the
// two is up to the caller of each run (RunInput::codes, RunOutput::codes), for values that have a grid of 8- or 16-bit
// codes.
#pragma once

#include <optional>
#include <string>

#include "halftone/runtime/program.h"

namespace halftone::runtime {

class Lowering;

// A step that brings the caller's input `number` to `to`: narrow codes (runtime/codes.h) in either layout, or elements
// in the Plain layout. `grid` is the value's. Codes beyond the grid's bounds become the nearest bound.
void add_input(Lowering& lowering, const std::string& name, size_t number, const Place& to,
               const std::optional<Grid>& grid);

// A step that hands output `number` to the caller; `from` as `to` above.
void add_output(Lowering& lowering, const std::string& name, size_t number, const Place& from,
                const std::optional<Grid>& grid);

}  // namespace halftone::runtime
