// What a subcommand is: options added to a CLI::App, and an action that runs when the command line is read.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

#include "cli/console.h"

namespace halftone::cli {

// Runs the command; a mistake of the user is thrown as Error.
using Action = std::function<void(Console&)>;

// One per line of commands.def. Adds options and examples (the footer) to `app` and returns what to do with them; what
// the options are read into lives as long as the action.
#define HT_COMMAND(name, summary) Action setup_##name(CLI::App& app);
#include "cli/commands.def"
#undef HT_COMMAND

}  // namespace halftone::cli
