// What the kinds of data sets have in common. Internal to the room.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

#include "halftone/data/dataset.h"

namespace halftone::data {

// A set whose items can be reached in any order. Immutable once made; both functions may run on any thread.
class IndexedSource {
 public:
  virtual ~IndexedSource() = default;
  virtual int64_t count() const = 0;
  virtual std::string id(int64_t index) const = 0;
  virtual Sample decode(int64_t index) const = 0;
};

// What a kind makes of a path: nothing (not its own), items in any order, or a stream in the source's order.
using Source = std::variant<std::monostate, std::shared_ptr<const IndexedSource>, std::unique_ptr<Dataset>>;

// The path as the user gave it, with what every kind wants to know about it.
struct Location {
  std::string text;
  std::filesystem::path path;
  bool is_folder = false;
  bool is_file = false;
  std::string head;  // the file's first 512 bytes, decompressed where it is gzip; shorter files have less

  bool has_extension(std::string_view extension) const { return text.ends_with(extension); }
};

#define HT_DATA_SOURCE(name, description) Source open_##name(const Location& location, const DatasetOptions& options);
#include "halftone/data/sources/sources.def"
#undef HT_DATA_SOURCE

}  // namespace halftone::data
