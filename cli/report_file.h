// Reports as files, for `report` and `quantize --report`.
#pragma once

#include <string>

#include "cli/command.h"
#include "cli/model.h"
#include "halftone/base/file.h"
#include "halftone/report/report.h"

namespace halftone::cli {

struct ReportOptions {
  std::string output;       // .html, or .json for the data alone; empty: none
  std::string class_names;  // file with a name per line
};

// Errors: Error{InvalidArgument} for another ending, before any work.
void check_report_name(const std::string& output);

// Measures and writes the report to `out`, which is options.output, opened before any work. What is missing in `source`
// (samples, pictures, names of classes) comes from `data`, prepared as `original` wants it.
void write_report(report::Source source, const LoadedModel& original, const DataOptions& data,
                  const ReportOptions& options, AtomicFile& out, Console& console);

}  // namespace halftone::cli
