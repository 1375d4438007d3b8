#include <fmt/core.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/model.h"
#include "halftone/base/cpu.h"
#include "halftone/eval/inputs.h"
#include "halftone/runtime/session.h"

namespace halftone::cli {
namespace {

struct CompileArguments {
  std::string model, output;
  EngineOptions engine;
  int64_t batch = 1;
};

void compile_model(const CompileArguments& options, Console& console) {
  refuse_overwriting(options.model, options.output);
  SessionOptions session_options;
  session_options.requantize = options.engine.mode();
  LoadedModel loaded = load_model(options.model);
  const auto shapes = eval::input_shapes(loaded.model.graph, options.batch);
  // The preprocessing that lies beside the model travels with the program.
  if (const auto preprocess = preprocess_of(loaded, "")) {
    loaded.model.graph.metadata.try_emplace(kPreprocessKey, preprocess->to_json());
  }
  const Session session(std::move(loaded.model), session_options);
  session.prepare(shapes);
  session.save(options.output);

  const auto size = std::filesystem::file_size(options.output);
  const std::string isa(name_of(isa_level()));
  console.print(fmt::format("{}: {:.1f} MB, compiled for {} and batches of {}\n", options.output,
                            static_cast<double>(size) / 1e6, isa, options.batch));
  console.write_json({{"program", options.output},
                      {"bytes", size},
                      {"isa", isa},
                      {"batch", options.batch},
                      {"requantize", eval::name_of(session_options.requantize)}});
}

}  // namespace

Action setup_compile(CLI::App& app) {
  auto options = std::make_shared<CompileArguments>();
  add_model_option(app, "MODEL", options->model, "Model to compile");
  app.add_option("-o,--output", options->output, "Where to write the compiled program (.ht)")
      ->required()
      ->type_name("FILE");
  app.add_option("--batch", options->batch, "Samples of one inference (default 1); others work too, but load slower")
      ->type_name("N");
  options->engine.add_requantize_to(app);
  app.footer(
      "Example:\n"
      "  halftone compile model.int8.onnx -o model.ht\n"
      "A compiled program holds the weights as this processor's kernels want them, and is mapped into memory instead\n"
      "of read. It is used like a model by run and benchmark, and by Session::load. It fits this version of Halftone\n"
      "and this instruction set only, and is refused elsewhere.");
  return [options](Console& console) { compile_model(*options, console); };
}

}  // namespace halftone::cli
