// Members of tar and zip files, one after the other. Internal to the room; only archive.cc sees libarchive.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

namespace halftone::data {

// Reads forwards only. Errors: Error{InvalidData} naming the archive for damage, Error{Io} when it can't be opened.
class ArchiveReader {
 public:
  enum class Format { Tar, Zip };  // either may be gzip-compressed as a whole

  ArchiveReader(const std::filesystem::path& path, Format format);
  ~ArchiveReader();
  ArchiveReader(ArchiveReader&& other) noexcept;
  ArchiveReader& operator=(ArchiveReader&& other) noexcept;

  // Name of the next regular file, or nullopt at the end.
  std::optional<std::string> next();

  // Up to `count` bytes of the current member; fewer only at its end. Memory follows what is really there, as a
  // header's sizes may be forged.
  std::string read(size_t count);

 private:
  [[noreturn]] void fail_damaged() const;

  std::string name_;
  void* archive_ = nullptr;
};

}  // namespace halftone::data
