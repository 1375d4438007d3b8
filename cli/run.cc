#include <fmt/core.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/model.h"
#include "halftone/base/error.h"
#include "halftone/data/npy.h"
#include "halftone/eval/engine.h"
#include "halftone/runtime/compiled.h"
#include "halftone/runtime/session.h"

namespace halftone::cli {
namespace {

struct RunArguments {
  std::string model;
  std::vector<std::string> inputs;
  std::string output_folder;
  EngineOptions engine;
};

TensorMap read_inputs(const std::vector<std::string>& arguments) {
  TensorMap inputs;
  for (const std::string& argument : arguments) {
    const size_t equals = argument.find('=');
    if (equals == 0 || equals == std::string::npos) {
      fail(ErrorCode::InvalidArgument, "--input", "NAME=FILE.npy is required, found '{}'", argument);
    }
    const std::string name = argument.substr(0, equals);
    if (!inputs.emplace(name, data::load_npy(argument.substr(equals + 1))).second) {
      fail(ErrorCode::InvalidArgument, "--input", "each input once, found '{}' twice", name);
    }
  }
  return inputs;
}

// Value names may hold what file names can't.
std::string file_name(std::string name) {
  for (char& c : name) {
    if (c == '/' || c == '\\' || c == ':' || static_cast<unsigned char>(c) < 0x20) c = '_';
  }
  return (name.empty() || name[0] == '.' ? "_" + name : name) + ".npy";
}

TensorMap compute(const RunArguments& options, const TensorMap& inputs) {
  const eval::EngineKind kind = options.engine.kind();
  if (runtime::is_compiled(options.model)) {
    if (kind == eval::EngineKind::Reference) {
      fail(ErrorCode::InvalidArgument, "--engine", "the reference runs models, '{}' is a compiled program",
           options.model);
    }
    return Session::load(options.model).run(inputs);
  }
  return eval::make_engine(kind, load_model(options.model).model, options.engine.mode())->run(inputs);
}

void run_model(const RunArguments& options, Console& console) {
  const TensorMap outputs = compute(options, read_inputs(options.inputs));

  const std::filesystem::path folder = options.output_folder;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) fail(ErrorCode::Io, folder.string(), "can't create the folder: {}", error.message());
  nlohmann::ordered_json files = nlohmann::ordered_json::object();
  for (const auto& [name, tensor] : outputs) {
    const std::filesystem::path path = folder / file_name(name);
    data::save_npy(path, tensor);
    console.print(fmt::format("{}: {} {}\n", path.string(), name_of(tensor.dtype()), to_string(tensor.shape())));
    files[name] = path.string();
  }
  console.write_json({{"outputs", files}});
}

}  // namespace

Action setup_run(CLI::App& app) {
  auto options = std::make_shared<RunArguments>();
  add_model_option(app, "MODEL", options->model, "Model or compiled program to run");
  app.add_option("--input", options->inputs, "A model input's content, NAME=FILE.npy; once per input")
      ->type_name("NAME=FILE");
  app.add_option("--output-dir", options->output_folder, "Folder for NAME.npy of each output")
      ->required()
      ->type_name("DIR");
  options->engine.add_to(app);
  app.footer("Example:\n  halftone run model.onnx --input image=cat.npy --output-dir out");
  return [options](Console& console) { run_model(*options, console); };
}

}  // namespace halftone::cli
