#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/layer_times.h"
#include "cli/model.h"
#include "cli/table.h"
#include "halftone/base/cpu.h"
#include "halftone/base/error.h"
#include "halftone/base/process.h"
#include "halftone/eval/inputs.h"
#include "halftone/eval/latency.h"
#include "halftone/runtime/session.h"

namespace halftone::cli {
namespace {

struct BenchmarkArguments {
  std::string model, against;
  EngineOptions engine;
  int threads = 1;
  int64_t batch = 1;
  int64_t runs = 0;
  bool per_layer = false;
};

// A model ready to be timed, and the memory that it takes in a process of its own.
struct Contestant {
  std::string path;
  double peak_rss_mib = 0;
  Session session;
  TensorMap inputs;

  void run() const { static_cast<void>(session.run(inputs)); }
};

Contestant prepare(const std::string& path, const SessionOptions& options, int64_t batch) {
  Contestant contestant{path, 0, Session::load(path, options), {}};
  Rng rng(1);
  contestant.inputs = eval::random_inputs(contestant.session, batch, rng);
  contestant.run();
  return contestant;
}

std::vector<Contestant> prepare_all(const BenchmarkArguments& options, const SessionOptions& session) {
  std::vector<std::string> paths = {options.model};
  if (!options.against.empty()) paths.push_back(options.against);
  // Before this process has loaded anything.
  std::vector<double> peaks;
  for (const std::string& path : paths) {
    peaks.push_back(peak_rss_mib_of([&] { prepare(path, session, options.batch).run(); }));
  }
  std::vector<Contestant> contestants;
  for (size_t i = 0; i < paths.size(); ++i) {
    contestants.push_back(prepare(paths[i], session, options.batch));
    contestants.back().peak_rss_mib = peaks[i];
  }
  return contestants;
}

nlohmann::ordered_json to_json(const Contestant& contestant, const eval::Latency& latency,
                               const BenchmarkArguments& options) {
  return {{"model", contestant.path},
          {"median_ms", latency.median_ms},
          {"min_ms", latency.min_ms},
          {"p10_ms", latency.p10_ms},
          {"p90_ms", latency.p90_ms},
          {"images_per_second", 1000 * static_cast<double>(options.batch) / latency.median_ms},
          {"peak_rss_mib", contestant.peak_rss_mib},
          {"runs", latency.runs}};
}

std::string table_of(const std::vector<Contestant>& contestants, const std::vector<eval::Latency>& latencies,
                     int64_t batch) {
  Table table({"model", ">median ms", ">minimum", ">10 %", ">90 %", ">images/s", ">peak MiB", ">runs"});
  for (size_t i = 0; i < contestants.size(); ++i) {
    const eval::Latency& latency = latencies[i];
    const auto milliseconds = [](double ms) { return fmt::format("{:.3f}", ms); };
    table.add_row({contestants[i].path, milliseconds(latency.median_ms), milliseconds(latency.min_ms),
                   milliseconds(latency.p10_ms), milliseconds(latency.p90_ms),
                   fmt::format("{:.1f}", 1000 * static_cast<double>(batch) / latency.median_ms),
                   fmt::format("{:.1f}", contestants[i].peak_rss_mib), fmt::format("{}", latency.runs)});
  }
  return table.to_string();
}

void benchmark_model(const BenchmarkArguments& options, Console& console) {
  if (options.runs < 0) {
    fail(ErrorCode::InvalidArgument, "--runs", "a number of runs >= 0 is required, found {}", options.runs);
  }
  SessionOptions session;
  session.threads = thread_count(options.threads);
  session.requantize = options.engine.mode();
  const std::vector<Contestant> contestants = prepare_all(options, session);
  std::vector<std::function<void()>> runs;
  for (const Contestant& contestant : contestants) runs.emplace_back([&contestant] { contestant.run(); });
  eval::LatencyOptions measuring;
  measuring.runs = options.runs;
  const std::vector<eval::Latency> latencies = eval::measure_latency(runs, measuring);

  nlohmann::ordered_json json = to_json(contestants[0], latencies[0], options);
  json["threads"] = session.threads;
  json["batch"] = options.batch;
  json["requantize"] = eval::name_of(session.requantize);
  json["cpu"] = cpu_model();
  json["isa"] = name_of(isa_level());
  console.print(table_of(contestants, latencies, options.batch));
  if (contestants.size() > 1) {
    const double ratio = latencies[0].median_ms / latencies[1].median_ms;
    json["against"] = to_json(contestants[1], latencies[1], options);
    json["ratio"] = ratio;
    console.print(fmt::format("ratio of medians: {:.3f}\n", ratio));
  }
  console.print(fmt::format("{} thread{}, batch {}, {}, {}\n", session.threads, session.threads == 1 ? "" : "s",
                            options.batch, cpu_model(), name_of(isa_level())));
  if (options.per_layer) {
    const LayerTimes layers(eval::profile(load_model(options.model).model, contestants[0].inputs, session.requantize,
                                          eval::kProfileSeconds));
    console.print("\n" + layers.to_string());
    layers.add_to(json);
  }
  console.write_json(json);
}

}  // namespace

Action setup_benchmark(CLI::App& app) {
  auto options = std::make_shared<BenchmarkArguments>();
  add_model_option(app, "MODEL", options->model, "Model to time, or a compiled one");
  app.add_option("--against", options->against, "Another model, timed in turn with the first")->type_name("FILE");
  app.add_option("--threads", options->threads, "Threads of one inference (default 1; 0: all cores)")->type_name("N");
  app.add_option("--batch", options->batch, "Samples of one inference (default 1)")->type_name("N");
  app.add_option("--runs", options->runs, "Measured runs (default: two seconds' worth, at least 20)")->type_name("N");
  app.add_flag("--per-layer", options->per_layer, "Also show where the time goes, layer by layer");
  options->engine.add_requantize_to(app);
  app.footer(
      "Examples:\n"
      "  halftone benchmark model.int8.onnx --against model.onnx --threads 2\n"
      "  halftone benchmark model.int8.onnx --per-layer --json -\n"
      "The ratio is the first model's median over the second's. Inputs are random. Peak memory is that of a process\n"
      "which loads the model and runs it. Fractions in the table of layers are of what one core was measured to do at\n"
      "most: int8 products for layers in integers, float products for the others.");
  return [options](Console& console) { benchmark_model(*options, console); };
}

}  // namespace halftone::cli
