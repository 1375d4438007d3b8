// Progress on standard error.
#pragma once

#include <memory>
#include <string>

#include "halftone/base/progress.h"

namespace halftone::cli {

// On a terminal a bar that is redrawn in place, otherwise one plain line when a phase ends.
std::unique_ptr<ProgressSink> make_progress_bar();

// "1:05" for 65 seconds, "2:00:00" for two hours.
std::string format_duration(double seconds);

}  // namespace halftone::cli
