#include "cli/report_file.h"

#include <sstream>

#include "halftone/base/error.h"
#include "halftone/base/file.h"

namespace halftone::cli {
namespace {

std::vector<std::string> read_class_names(const std::string& path) {
  std::vector<std::string> names;
  if (path.empty()) return names;
  std::istringstream lines(read_file(path));
  for (std::string line; std::getline(lines, line);) names.push_back(line);
  return names;
}

}  // namespace

void check_report_name(const std::string& output) {
  if (output.ends_with(".html") || output.ends_with(".json")) return;
  fail(ErrorCode::InvalidArgument, output, "the name of a report must end in .html, or in .json for the data alone");
}

void write_report(report::Source source, const LoadedModel& original, const DataOptions& data,
                  const ReportOptions& options, AtomicFile& out, Console& console) {
  source.class_names = read_class_names(options.class_names);
  source.samples = [&] { return make_loader(original, data); };
  source.pictures = [&] { return open_samples(data); };
  ThreadTeam team(data.thread_count());
  const report::Report report = report::make_report(source, team, console.progress());
  out.write(options.output.ends_with(".json") ? report::to_json(report) : report::to_html(report));
  out.commit();
}

}  // namespace halftone::cli
