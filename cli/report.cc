#include <fmt/core.h>

#include <filesystem>
#include <memory>

#include "cli/command.h"
#include "cli/model.h"
#include "cli/model_pair.h"
#include "cli/report_file.h"
#include "halftone/base/error.h"
#include "halftone/transform/pass.h"

namespace halftone::cli {
namespace {

struct ReportArguments {
  std::string reference, model, training_log;
  DataOptions data;
  ReportOptions report;
};

void report_models(const ReportArguments& options, Console& console) {
  check_report_name(options.report.output);
  refuse_overwriting(options.reference, options.report.output);
  refuse_overwriting(options.model, options.report.output);
  report::Source source;
  if (!options.training_log.empty()) {
    refuse_overwriting(options.training_log, options.report.output);
    source.training = report::read_training(options.training_log);
  }
  AtomicFile out(options.report.output);
  const auto [reference, model] = load_pair(options.reference, options.model);
  if (reference.model.quantized()) {
    fail(ErrorCode::InvalidModel, options.reference,
         "the first model must be the float one, found {} quantized tensors",
         reference.model.encodings.size() + reference.model.dynamic.size());
  }
  source.before_name = reference.path.filename().string();
  source.after_name = model.path.filename().string();
  source.before_bytes = reference.size_bytes;
  source.after_bytes = model.size_bytes;
  source.original = reference.model.graph;
  source.reference = transform::simplify(reference.model.graph);
  source.model = model.model;
  write_report(std::move(source), reference, options.data, options.report, out, console);
  console.print(fmt::format("{}\n", options.report.output));
}

}  // namespace

Action setup_report(CLI::App& app) {
  auto options = std::make_shared<ReportArguments>();
  add_model_option(app, "REF", options->reference, "The float model");
  add_model_option(app, "MODEL", options->model, "What was made of it");
  options->data.add_to(app);
  options->data.add_limit_to(app);
  app.add_option("-o,--output", options->report.output, "The page to write (.html), or its data alone (.json)")
      ->required()
      ->type_name("FILE");
  app.add_option("--class-names", options->report.class_names, "What the classes are called, a line each")
      ->type_name("FILE");
  app.add_option("--training-log", options->training_log,
                 "The run log of the training that made MODEL: adds its curves")
      ->type_name("FILE");
  app.footer(
      "Examples:\n"
      "  halftone report model.onnx model.int8.onnx --data photos -o report.html\n"
      "The page needs no network and nothing beside it: size, latency and accuracy before and after, each layer's\n"
      "noise, grids and histograms, the samples whose answer changed, and the curves of its training.");
  return [options](Console& console) { report_models(*options, console); };
}

}  // namespace halftone::cli
