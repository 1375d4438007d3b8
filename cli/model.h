// What most commands begin with: a model, and data prepared for it.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halftone/data/loader.h"
#include "halftone/eval/engine.h"
#include "halftone/runtime/load_model.h"

namespace halftone::cli {

// The metadata entry in which every file that Halftone writes carries its preprocessing.
inline constexpr const char* kPreprocessKey = "halftone.preprocess";

// `threads`, or the number of cores where it is 0. Errors: Error{InvalidArgument} beyond 0 ... 1024.
int thread_count(int threads);

// Options that name data for a model.
struct DataOptions {
  std::string path;
  std::string preprocess;  // file; empty: the model's own
  int64_t skip = 0;        // samples left out before the first
  int64_t limit = 0;       // samples; 0: all
  bool shuffled = false;   // in an order that has nothing to do with that of the source, the same each time
  int threads = 0;         // 0: all cores

  // Adds --data, --preprocess and --threads.
  void add_to(CLI::App& app, bool required = true);
  void add_limit_to(CLI::App& app);
  int thread_count() const { return cli::thread_count(threads); }
};

// Options that say how a model is run.
struct EngineOptions {
  std::string engine = "auto", requantize = "float";

  // Adds --engine and --requantize.
  void add_to(CLI::App& app);
  void add_requantize_to(CLI::App& app);
  // Errors: Error{InvalidArgument} for an unknown word, with the nearest known one.
  eval::EngineKind kind() const { return eval::parse_engine_kind(engine); }
  RequantizeMode mode() const { return eval::parse_requantize_mode(requantize); }
};

// The model's preprocessing: --preprocess, else its metadata, else the file beside it; nullopt where there is none.
std::optional<data::Preprocess> preprocess_of(const LoadedModel& model, const std::string& preprocess_file);

// The samples as they lie in the source. Errors: as data::open_dataset.
std::unique_ptr<data::Dataset> open_samples(const DataOptions& options);

// A stream of prepared inputs. Errors: Error when the data can't be opened or doesn't fit the model's inputs.
std::unique_ptr<data::Loader> make_loader(const LoadedModel& model, const DataOptions& options, int64_t batch_size = 1);

// To be called before anything is written. Errors: Error{InvalidArgument} where `output` is the file `input`, under
// whatever name, or another name of it.
void refuse_overwriting(const std::string& input, const std::string& output);

// A positional model file.
void add_model_option(CLI::App& app, const std::string& name, std::string& target, const std::string& text);

}  // namespace halftone::cli
