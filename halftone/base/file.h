// Files: memory-mapped reading, and writing that leaves the whole file or none.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace halftone {

// A file mapped read-only; pages are read when touched. Throws Error{Io} when it can't be opened.
class MappedFile {
 public:
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedFile() = default;
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
  int descriptor_ = -1;

  friend std::span<const std::byte> skip_hole(std::span<const std::byte> bytes);
  friend void forget_pages(std::span<const std::byte> bytes);
};

// For streaming through memory that may be a mapped file without making all of it resident. Both know mapped files by
// their address and leave any other memory alone; thread-safe.
//
// `bytes` without the zeros at its front that a sparse file does not store; they are found without reading.
std::span<const std::byte> skip_hole(std::span<const std::byte> bytes);
// Lets go of the whole pages inside `bytes`; they are read again when touched.
void forget_pages(std::span<const std::byte> bytes);

// Writes to a temporary file in the target's folder; `commit` renames it into place. Without a commit (an exception, a
// signal) nothing is left behind and the target is untouched; only where the file system has no unnamed files does a
// killed process leave its temporary file (TARGET.PID.N.tmp).
// Errors: Error{Io} naming the target, for an unwritable folder, a full disk or a failed rename.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, size_t size);
  void write(std::string_view text) { write(text.data(), text.size()); }
  // Continues writing at `offset` from the beginning; skipped bytes read as zero and take no space.
  void seek(size_t offset);
  // The descriptor, for libraries that write by themselves.
  int descriptor() const { return descriptor_; }
  void commit();

 private:
  std::filesystem::path target_;
  std::string temporary_;
  bool named_ = true;  // the temporary file has a name that must be removed
  int descriptor_ = -1;
};

// Whether two names, under whatever path or link, are of one file, which need not exist yet.
bool same_file(const std::filesystem::path& a, const std::filesystem::path& b);

// The whole file as bytes. Errors: Error{Io}.
std::string read_file(const std::filesystem::path& path);

// Atomic. Errors: Error{Io}.
void write_file(const std::filesystem::path& path, std::string_view content);

}  // namespace halftone
