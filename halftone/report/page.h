// The page that reports are put into. Internal to the room.
#pragma once

#include <string_view>

namespace halftone::report {

// The content of page.html, which the build turns into a constant.
extern const std::string_view kPage;
// Where the report's JSON goes.
inline constexpr std::string_view kReportMark = "@REPORT@";

}  // namespace halftone::report
