#include "halftone/search/latency_table.h"

#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "halftone/base/cpu.h"
#include "halftone/base/error.h"
#include "halftone/base/file.h"

namespace halftone::search {

LatencyTable::LatencyTable() : processor_(cpu_model() + ", " + std::string(name_of(isa_level()))) {}

std::optional<double> LatencyTable::find(const std::string& work) const {
  const auto processor = entries_.find(processor_);
  if (processor == entries_.end()) return std::nullopt;
  const auto entry = processor->second.find(work);
  return entry == processor->second.end() ? std::nullopt : std::optional(entry->second);
}

void LatencyTable::add(const std::string& work, double microseconds) {
  entries_[processor_][work] = microseconds;
  changed_ = true;
}

void LatencyTable::load(const std::filesystem::path& path) {
  std::error_code none;
  if (!std::filesystem::exists(path, none)) return;
  const nlohmann::json json = nlohmann::json::parse(read_file(path), nullptr, /*allow_exceptions=*/false);
  const auto refuse = [&] {
    fail(ErrorCode::InvalidData, path.string(),
         "microseconds by processor and work are required, as JSON; remove the file, and it is made anew");
  };
  if (!json.is_object()) refuse();
  for (const auto& [processor, works] : json.items()) {
    if (!works.is_object()) refuse();
    for (const auto& [work, microseconds] : works.items()) {
      if (!microseconds.is_number() || !(microseconds.get<double>() >= 0)) refuse();
      entries_[processor][work] = microseconds.get<double>();
    }
  }
}

void LatencyTable::save(const std::filesystem::path& path) const {
  std::error_code error;
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  if (error) fail(ErrorCode::Io, path.parent_path().string(), "can't create the folder: {}", error.message());
  nlohmann::ordered_json json;
  for (const auto& [processor, works] : entries_) {
    for (const auto& [work, microseconds] : works) json[processor][work] = std::round(microseconds * 1000) / 1000;
  }
  write_file(path, json.dump(1) + "\n");
}

std::filesystem::path LatencyTable::default_path() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path folder = cache != nullptr && *cache != '\0' ? std::filesystem::path(cache)
                                       : home != nullptr                  ? std::filesystem::path(home) / ".cache"
                                                                          : std::filesystem::temp_directory_path();
  return folder / "halftone" / "latency.json";
}

}  // namespace halftone::search
