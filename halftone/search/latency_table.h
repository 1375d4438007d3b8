// Measured times that are worth keeping, in a file that can be shared.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

namespace halftone::search {

// Microseconds by processor and work. Work is described by what it computes and its shapes, so that equal layers of all
// networks have one entry.
class LatencyTable {
 public:
  // The entries of this processor are those under "CPU MODEL, instruction-set level".
  LatencyTable();

  std::optional<double> find(const std::string& work) const;
  void add(const std::string& work, double microseconds);
  bool changed() const { return changed_; }

  // Adds the file's entries to the table; a file that does not exist has none. Errors: Error{Io}, Error{InvalidData}
  // naming the file.
  void load(const std::filesystem::path& path);
  // Writes the file whole or not at all, with all processors' entries. Errors: Error{Io}.
  void save(const std::filesystem::path& path) const;

  // $XDG_CACHE_HOME/halftone/latency.json, or under ~/.cache.
  static std::filesystem::path default_path();

 private:
  std::string processor_;
  std::map<std::string, std::map<std::string, double>> entries_;
  bool changed_ = false;
};

}  // namespace halftone::search
