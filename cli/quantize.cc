#include <fmt/core.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

#include "cli/command.h"
#include "cli/layers.h"
#include "cli/model.h"
#include "cli/ptq_options.h"
#include "cli/report_file.h"
#include "cli/speed.h"
#include "cli/table.h"
#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/base/process.h"
#include "halftone/calibrate/quantize_model.h"
#include "halftone/eval/compare.h"
#include "halftone/graph/op_table.h"
#include "halftone/onnx/onnx.h"
#include "halftone/quant/assign_dynamic.h"
#include "halftone/quant/recipe.h"
#include "halftone/transform/fold_qdq.h"
#include "halftone/transform/insert_qdq.h"

namespace halftone::cli {
namespace {

// Samples on which the file is tried before it is written.
constexpr int64_t kTrialSamples = 16;
// Below these a model has nothing to do with its original any more.
constexpr double kUselessAgreement = 0.5;
constexpr double kUselessSqnr = 3;

struct QuantizeArguments {
  std::string model, output;
  std::string dynamic;  // empty: calibrate
  PtqOptions how;
  DataOptions data;
  TuneOptions tuning;
  ReportOptions report;
};

// Options that speak of what is done before a network is run, or of grids that are fixed by then.
constexpr const char* kStaticOptions[] = {"--preset",      "--steps", "--max-drop",          "--observer",
                                          "--activations", "--sums",  "--calibration-images"};

void check_dynamic(const CLI::App& command) {
  if (command.count("--dynamic") == 0) return;
  for (const char* option : kStaticOptions) {
    if (command.count(option) == 0) continue;
    fail(
        ErrorCode::InvalidArgument, "command line",
        "--dynamic and {} don't go together: with --dynamic ranges are found at run time, and nothing is calibrated or "
        "corrected before; leave one of them out",
        option);
  }
}

// The model as its users will read it: serialized, parsed and folded again.
QuantizedModel reread(const std::string& file) {
  Graph graph = onnx::import_model(std::as_bytes(std::span(file)));
  verify(graph);
  infer_shapes(graph);
  return fold_qdq(std::move(graph));
}

eval::Comparison try_out(const LoadedModel& original, const std::string& file, const QuantizeArguments& options,
                         Console& console) {
  const QuantizedModel made = reread(file);
  const auto layers = eval::common_layers(original.model, made);
  std::vector<std::string> taps;
  for (const auto& layer : layers) taps.push_back(layer.name);
  DataOptions data = calibration_data(options.how, options.data);
  data.limit = std::min(kTrialSamples, options.how.images);
  const auto loader = make_loader(original, data);
  const auto before = eval::make_engine(eval::EngineKind::Auto, original.model, RequantizeMode::Float, taps);
  const auto after = eval::make_engine(eval::EngineKind::Auto, made, RequantizeMode::Float, taps);
  ThreadTeam team(data.thread_count());
  const Graph& graph = original.model.graph;
  const std::string& output = graph.value(graph.outputs().front()).name;
  return eval::compare(*before, *after, output, output, layers, *loader, team, console.progress());
}

void warn_if_useless(const eval::Comparison& trial, Console& console) {
  if (trial.agreement >= kUselessAgreement && trial.sqnr_db >= kUselessSqnr) return;
  std::string worst;
  for (size_t i = 0; i < trial.layers.size() && i < 5; ++i) {
    worst += fmt::format("{}{} {} ({})", i == 0 ? "" : ", ", trial.layers[i].op, trial.layers[i].name,
                         format_decibel(trial.layers[i].sqnr_db));
  }
  console.warn(
      fmt::format("THE QUANTIZED MODEL IS USELESS: on {} calibration samples it agrees with the original on {} and "
                  "its output has {}. Worst layers: {}. Keep them in float with a recipe, or try --granularity "
                  "per_channel.",
                  trial.images, format_percent(trial.agreement), format_decibel(trial.sqnr_db), worst));
}

void report_on(const LoadedModel& original, Quantization made, const QuantizeArguments& options, size_t bytes,
               AtomicFile& page, Console& console) {
  report::Source source;
  source.before_name = original.path.filename().string();
  source.after_name = std::filesystem::path(options.output).filename().string();
  source.before_bytes = original.size_bytes;
  source.after_bytes = static_cast<int64_t>(bytes);
  source.original = original.model.graph;
  source.reference = std::move(made.reference);
  source.model = std::move(made.model);
  write_report(std::move(source), original, options.data, options.report, page, console);
  console.print(fmt::format("{}\n", options.report.output));
}

void quantize_file(const QuantizeArguments& options, Console& console) {
  const auto start = std::chrono::steady_clock::now();
  if (!options.how.validation.empty() && !options.how.max_drop) {
    fail(ErrorCode::InvalidArgument, "--validation", "it is what --max-drop measures on; give --max-drop as well");
  }
  if (options.how.images <= 0) {
    fail(ErrorCode::InvalidArgument, "--calibration-images", "at least one calibration image is required, found {}",
         options.how.images);
  }
  PtqOptions how = options.how;
  how.journal = options.output + ".journal";
  if (!options.dynamic.empty()) how.steps = "";  // a preset's are none of the user's wishes, those of a recipe are
  const Recipe recipe = how.recipe();
  if (!options.report.output.empty()) {
    check_report_name(options.report.output);
    refuse_overwriting(options.model, options.report.output);
    if (same_file(options.output, options.report.output)) {
      fail(ErrorCode::InvalidArgument, "--report", "another file than that of -o is required, found '{}'",
           options.report.output);
    }
    if (options.data.path.empty()) fail(ErrorCode::InvalidArgument, "--report", "samples are required, give --data");
  }
  // What can't be read or written is better known before the work than after.
  refuse_overwriting(options.model, options.output);
  AtomicFile out(options.output);
  std::optional<AtomicFile> page;
  if (!options.report.output.empty()) page.emplace(options.report.output);
  std::optional<MeasuredTimes> times = options.tuning.read_times();
  const LoadedModel original = load_model(options.model);
  if (original.model.quantized()) {
    fail(ErrorCode::InvalidModel, options.model, "a float model is required, found {} quantized tensors",
         original.model.encodings.size() + original.model.dynamic.size());
  }
  if (original.model.graph.outputs().empty()) {
    fail(ErrorCode::InvalidModel, options.model, "a model with an output is required");
  }

  auto speed = nlohmann::ordered_json::object(), extra = nlohmann::ordered_json::object();
  bool met = true;
  Quantization made;
  if (!options.dynamic.empty()) {
    made.model = quantize_dynamic(original.model.graph, recipe, parse_dynamic_range(options.dynamic));
  } else {
    made = quantize(original, how, options.data, console, extra, met);
  }
  made.model = tune_model(std::move(made.model), std::move(times), console, speed);
  const auto preprocess = preprocess_of(original, options.data.preprocess);
  Graph graph = insert_qdq(made.model);
  if (preprocess) graph.metadata[kPreprocessKey] = preprocess->to_json();
  const std::string file = onnx::serialize_model(graph);
  std::optional<eval::Comparison> trial;
  if (!options.data.path.empty()) {
    trial = try_out(original, file, options, console);
    warn_if_useless(*trial, console);
  }
  out.write(file);
  out.commit();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;

  const std::vector<Layer> layers = layers_of(made.model);
  console.print(layer_table(layers));
  console.print(fmt::format(
      "\n{}: {} instead of {} ({:.2f} times smaller), {} images in {:.1f} s\n", options.output,
      format_bytes(static_cast<double>(file.size())), format_bytes(static_cast<double>(original.size_bytes)),
      static_cast<double>(original.size_bytes) / static_cast<double>(file.size()), made.samples, elapsed.count()));
  nlohmann::ordered_json tried;
  if (trial) {
    console.print(fmt::format("on {} of them: agreement with the original {}, SQNR of the output {}\n", trial->images,
                              format_percent(trial->agreement), format_decibel(trial->sqnr_db)));
    tried = {{"images", trial->images}, {"agreement", trial->agreement}, {"sqnr_db", trial->sqnr_db}};
  }
  compare_speed(original.model.graph, made.model, console, speed);
  nlohmann::ordered_json json = {{"output", options.output},     {"images", made.samples},
                                 {"seconds", elapsed.count()},   {"peak_rss_mib", peak_rss_mib()},
                                 {"size_bytes", file.size()},    {"trial", tried},
                                 {"layers", layers_json(layers)}};
  if (page) report_on(original, std::move(made), options, file.size(), *page, console);
  json.update(extra);
  json.update(speed);
  console.write_json(json);
  if (!met) fail(ErrorCode::NumericRange, "--max-drop", "not met; {} holds the best that was found", options.output);
}

}  // namespace

Action setup_quantize(CLI::App& app) {
  auto options = std::make_shared<QuantizeArguments>();
  add_model_option(app, "MODEL", options->model, "Float model");
  app.add_option("-o,--output", options->output, "The quantized model to write")->required()->type_name("FILE");
  options->data.add_to(app, /*required=*/false);
  app.add_option("--dynamic", options->dynamic,
                 "Without calibration: matrix products find the ranges of their activations at run time, per_tensor or "
                 "per_row")
      ->expected(0, 1)
      ->default_str("per_tensor")
      ->type_name("RANGE");
  options->how.add_to(app);
  options->tuning.add_to(app);
  app.add_option("--report", options->report.output, "Also write a page about the result, as `report` does")
      ->type_name("FILE");
  app.footer(
      "Examples:\n"
      "  halftone quantize model.onnx -o model.int8.onnx --data photos\n"
      "  halftone quantize model.onnx -o model.int8.onnx --data photos --calibration-images 100 --observer min_max\n"
      "  halftone quantize model.onnx -o model.int8.onnx --data photos --recipe keep_first_layer.json\n"
      "  halftone quantize model.onnx -o model.int8.onnx --data photos --max-drop 1%\n"
      "  halftone quantize encoder.onnx -o encoder.int8.onnx --dynamic per_row\n"
      "The file is a standard ONNX model (QuantizeLinear, DequantizeLinear; with --dynamic DynamicQuantizeLinear and\n"
      "MatMulInteger); it appears whole or not at all.");
  return [options, &app](Console& console) {
    check_dynamic(app);
    quantize_file(*options, console);
  };
}

}  // namespace halftone::cli
