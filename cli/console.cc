#include "cli/console.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/progress_bar.h"
#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/base/text.h"

namespace halftone::cli {
namespace {

void write_standard_output(std::string_view text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
  if (!written) fail(ErrorCode::Io, "standard output", "can't write the result (full disk or closed pipe?)");
}

}  // namespace

Console::Console(Options options)
    : options_(std::move(options)), progress_(options_.quiet ? nullptr : make_progress_bar()) {
  if (!options_.json.empty() && options_.json != "-") json_ = std::make_unique<AtomicFile>(options_.json);
}

Console::~Console() = default;

void Console::print(std::string_view text) {
  if (options_.json != "-") write_standard_output(printable_lines(text));
}

void Console::remark(std::string_view text) { progress().note(printable(text)); }

void Console::warn(std::string_view text) { fmt::print(stderr, "warning: {}\n", printable(text)); }

void Console::write_json(const nlohmann::ordered_json& result) {
  if (options_.json.empty()) return;
  const std::string text = result.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
  if (options_.json == "-") {
    write_standard_output(text);
  } else {
    json_->write(text);
    json_->commit();
  }
}

}  // namespace halftone::cli
