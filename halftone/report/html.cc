#include "halftone/base/error.h"
#include "halftone/report/page.h"
#include "halftone/report/report.h"

namespace halftone::report {

std::string to_html(const Report& report) {
  const size_t mark = kPage.find(kReportMark);
  HT_CHECK(mark != std::string_view::npos, "the page has no place for the report");
  std::string page(kPage.substr(0, mark));
  // Inside a script only "</" and "<!--" mean something; names of layers and files are anyone's.
  for (char c : to_json(report)) c == '<' ? page += "\\u003c" : page += c;
  page += kPage.substr(mark + kReportMark.size());
  return page;
}

}  // namespace halftone::report
