#include "halftone/eval/verify.h"

#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/model.h"
#include "cli/table.h"
#include "halftone/base/cpu.h"
#include "halftone/eval/inputs.h"

namespace halftone::cli {
namespace {

// Without data: every kind of probing_inputs twice.
constexpr int64_t kDefaultProbes = 12;
constexpr int64_t kDefaultSamples = 8;
constexpr int kMismatch = 1;  // exit code

struct VerifyArguments {
  std::string model;
  EngineOptions engine;
  DataOptions data;
  int64_t batch = 1;
};

eval::Verification verify(const VerifyArguments& options, Console& console) {
  const LoadedModel loaded = load_model(options.model);
  eval::Verifier verifier(loaded.model, options.engine.mode());
  SessionOptions showing = verifier.showing(options.data.thread_count());
  showing.team = std::make_shared<ThreadTeam>(showing.threads);
  SessionOptions plain = showing;
  plain.taps.clear();
  const Session shown_session(loaded.model, showing), plain_session(loaded.model, plain);

  ProgressSink& progress = console.progress();
  int64_t done = 0;
  const auto check = [&](const TensorMap& inputs) {
    verifier.check(shown_session, plain_session, inputs);
    progress.advance(++done);
  };
  if (options.data.path.empty()) {
    progress.begin("verifying", options.data.limit, "samples");
    for (int64_t i = 0; i < options.data.limit; ++i) check(eval::probing_inputs(loaded.model, options.batch, i));
  } else {
    const auto loader = make_loader(loaded, options.data, options.batch);
    progress.begin("verifying", loader->size().value_or(0), "samples");
    while (const auto batch = loader->next()) check(batch->inputs);
  }
  progress.end();
  return verifier.result();
}

std::string text_of(const std::optional<eval::Mismatch>& first) {
  if (!first) return "";
  return fmt::format("element {} of sample {}: {:g} instead of {:g}", first->element, first->sample, first->found,
                     first->expected);
}

std::string summary_of(const eval::Verification& result) {
  if (result.layers.empty()) return "nothing is quantized in this model, so there is nothing to verify\n";
  int64_t elements = 0, wrong = 0, in_float = 0, off_by_one = 0;
  for (const eval::VerifiedTensor& layer : result.layers) {
    elements += layer.elements;
    wrong += layer.mismatched_bytes > 0;
    in_float += !layer.exact;
    off_by_one += layer.off_by_one;
  }
  std::string text = fmt::format("{} tensors, {} elements of {} samples: ", result.layers.size(),
                                 with_separators(elements), result.samples);
  text += wrong == 0 ? "every byte equals the reference's\n"
                     : fmt::format("{} BYTES DIFFER from the reference's, in {} tensors\n",
                                   with_separators(result.mismatched_bytes()), wrong);
  if (in_float > 0) {
    text +=
        fmt::format("{} of the tensors are made from results in float, which may be one off: {} of their codes are\n",
                    in_float, with_separators(off_by_one));
  }
  return text;
}

void verify_model(VerifyArguments options, Console& console) {
  if (options.data.limit == 0) options.data.limit = options.data.path.empty() ? kDefaultProbes : kDefaultSamples;
  const eval::Verification result = verify(options, console);
  Table table({"tensor", "made by", "kernel", ">elements", ">wrong bytes", "first difference"});
  auto layers = nlohmann::ordered_json::array();
  for (const eval::VerifiedTensor& layer : result.layers) {
    table.add_row({layer.name, layer.op, layer.kernel, with_separators(layer.elements),
                   with_separators(layer.mismatched_bytes), text_of(layer.first)});
    nlohmann::ordered_json first;
    if (layer.first) {
      first = {{"sample", layer.first->sample},
               {"element", layer.first->element},
               {"expected", layer.first->expected},
               {"found", layer.first->found}};
    }
    layers.push_back({{"name", layer.name},
                      {"op", layer.op},
                      {"kernel", layer.kernel},
                      {"elements", layer.elements},
                      {"mismatched_bytes", layer.mismatched_bytes},
                      {"exact", layer.exact},
                      {"off_by_one", layer.off_by_one},
                      {"first_mismatch", first}});
  }
  if (!result.layers.empty()) console.print(table.to_string() + "\n");
  console.print(summary_of(result));
  console.write_json({{"tensors", result.layers.size()},
                      {"mismatched_bytes", result.mismatched_bytes()},
                      {"samples", result.samples},
                      {"threads", options.data.thread_count()},
                      {"requantize", options.engine.requantize},
                      {"isa", name_of(isa_level())},
                      {"layers", layers}});
  if (result.mismatched_bytes() > 0) console.set_exit_code(kMismatch);
}

}  // namespace

Action setup_verify(CLI::App& app) {
  auto options = std::make_shared<VerifyArguments>();
  options->data.threads = 1;
  add_model_option(app, "MODEL", options->model, "Quantized model to verify");
  options->data.add_to(app, false);
  options->data.add_limit_to(app);
  app.add_option("--batch", options->batch, "Samples of one inference (default 1)")->type_name("N");
  options->engine.add_requantize_to(app);
  app.footer(
      "Examples:\n"
      "  halftone verify model.int8.onnx\n"
      "  halftone verify model.int8.onnx --data photos --limit 20 --threads 2 --json result.json\n"
      "  HALFTONE_ISA=avx2 halftone verify model.int8.onnx --requantize dyadic\n"
      "Every quantized tensor that the engine computes is computed again by the reference interpreter, from the\n"
      "codes that the engine itself had before it, and compared byte for byte. Without --data 12 samples are made\n"
      "up: random ones, and the ends of the inputs' grids; with it the first 8 are taken; or --limit N. Where a layer\n"
      "in float feeds a quantized tensor, its codes may be one off. Exit code 1 when anything differs.");
  return [options](Console& console) { verify_model(*options, console); };
}

}  // namespace halftone::cli
