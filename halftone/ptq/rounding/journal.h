// What learned rounding has finished, kept in a file so that an interrupted run can go on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halftone/base/progress.h"

namespace halftone::ptq {

// A 64-bit number that stands for everything that was added, in its order (FNV-1a over 64-bit words and lengths). For
// telling runs apart, not for protection.
class Fingerprint {
 public:
  void add(std::span<const std::byte> bytes);
  void add(std::string_view text) { add(std::as_bytes(std::span(text))); }
  template <typename T>
  void add_numbers(std::span<const T> numbers) {
    add(std::as_bytes(numbers));
  }
  uint64_t value() const { return value_; }

 private:
  void add_word(uint64_t word);

  uint64_t value_ = 0xcbf29ce484222325;
};

// Results by layer. The file is rewritten as a whole after each of them, so it is never half a file, and belongs to one
// run: `run` says which (of everything that results depend on).
class Journal {
 public:
  struct Entry {
    std::vector<float> weights, scale;
    std::vector<double> bias;
    bool operator==(const Entry&) const = default;
  };

  // Reads the file, if there is one. One that is damaged or another run's is not used, which is remarked upon. An empty
  // path: nothing is read or written.
  Journal(std::filesystem::path path, uint64_t run, ProgressSink& progress);

  // The layer's result, or nullptr.
  const Entry* find(std::string_view layer) const;
  // Results are worth more than their copy: a file that can't be written is remarked upon, once, and done without from
  // then on.
  void add(const std::string& layer, Entry entry);

 private:
  std::filesystem::path path_;
  uint64_t run_;
  ProgressSink& progress_;
  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace halftone::ptq
