#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/model.h"
#include "halftone/base/cpu.h"
#include "halftone/base/error.h"
#include "halftone/base/process.h"
#include "halftone/base/rng.h"
#include "halftone/runtime/session.h"

namespace halftone::cli {
namespace {

struct Options {
  std::string model;
  int threads = 1;
  int64_t runs = 0;
};

// Long enough for a stable median, short enough to wait for.
constexpr double kWarmUpSeconds = 0.3;
constexpr double kMeasuredSeconds = 2.0;
constexpr int64_t kMinimumRuns = 20;

TensorMap random_inputs(const std::vector<Session::Port>& ports) {
  Rng rng(1);
  TensorMap inputs;
  for (const Session::Port& port : ports) {
    if (port.type.dtype != DType::Float || !port.type.ranked()) {
      fail(ErrorCode::Unsupported, "input '" + port.name + "'", "a float input of known rank is required, found {}",
           to_string(port.type));
    }
    Shape shape;
    for (const Dim& dim : *port.type.shape) shape.push_back(dim.known() ? dim.value : 1);
    Tensor tensor(DType::Float, shape);
    for (float& x : tensor.mutable_data<float>()) x = static_cast<float>(rng.uniform(-1, 1));
    inputs.emplace(port.name, std::move(tensor));
  }
  return inputs;
}

double milliseconds_of_run(const Session& session, const TensorMap& inputs) {
  const auto start = std::chrono::steady_clock::now();
  session.run(inputs);
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

std::vector<double> measure(const Session& session, const TensorMap& inputs, int64_t wanted_runs) {
  using Clock = std::chrono::steady_clock;
  const auto seconds_since = [](Clock::time_point t) {
    return std::chrono::duration<double>(Clock::now() - t).count();
  };
  const auto warm_up = Clock::now();
  do {
    milliseconds_of_run(session, inputs);
  } while (seconds_since(warm_up) < kWarmUpSeconds);

  std::vector<double> times;
  const auto begin = Clock::now();
  const auto enough = [&] {
    const auto done = static_cast<int64_t>(times.size());
    if (wanted_runs > 0) return done >= wanted_runs;
    return done >= kMinimumRuns && seconds_since(begin) >= kMeasuredSeconds;
  };
  while (!enough()) times.push_back(milliseconds_of_run(session, inputs));
  std::sort(times.begin(), times.end());
  return times;
}

void benchmark_model(const Options& options, Console& console) {
  if (options.threads < 0 || options.runs < 0) {
    fail(ErrorCode::InvalidArgument, "benchmark", "--threads and --runs must be >= 0");
  }
  const int threads = options.threads == 0 ? available_cores() : options.threads;
  LoadedModel loaded = load_model(options.model);
  const Session session(std::move(loaded.model), {.threads = threads, .team = nullptr, .taps = {}});
  const std::vector<double> times = measure(session, random_inputs(session.inputs()), options.runs);
  const double median = times[times.size() / 2];
  console.print(
      fmt::format("{}: median {:.3f} ms, minimum {:.3f} ms, 90th percentile {:.3f} ms ({} runs, {} thread{}, {})\n",
                  options.model, median, times.front(), times[times.size() * 9 / 10], times.size(), threads,
                  threads == 1 ? "" : "s", cpu_model()));
  console.write_json({{"median_ms", median},
                      {"min_ms", times.front()},
                      {"p90_ms", times[times.size() * 9 / 10]},
                      {"runs", times.size()},
                      {"threads", threads},
                      {"images_per_second", 1000 / median},
                      {"peak_rss_mib", peak_rss_mib()}});
}

}  // namespace

Action setup_benchmark(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_model_option(app, "MODEL", options->model, "Model to time");
  app.add_option("--threads", options->threads, "Threads of one inference (default 1; 0: all cores)")->type_name("N");
  app.add_option("--runs", options->runs, "Measured runs (default: two seconds' worth, at least 20)")->type_name("N");
  app.footer("Example:\n  halftone benchmark model.onnx --threads 2 --json -\nUnknown dimensions are taken as 1.");
  return [options](Console& console) { benchmark_model(*options, console); };
}

}  // namespace halftone::cli
