// Text from files on its way to people.
#pragma once

#include <string>
#include <string_view>

namespace halftone {

// The text on one line: control characters (those below space, DEL, and U+0080 to U+009F in UTF-8), which would break
// tables and which terminals take for commands, as \n, \r, \t or \x1b. Everything else stays as it is.
std::string printable(std::string_view text);

// The same for text of several lines: their ends stay.
std::string printable_lines(std::string_view text);

}  // namespace halftone
