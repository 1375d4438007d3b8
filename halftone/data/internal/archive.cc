#include "halftone/data/internal/archive.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <new>
#include <string_view>
#include <utility>

#include "halftone/base/error.h"

namespace halftone::data {
namespace {

archive* of(void* handle) { return static_cast<archive*>(handle); }

std::string_view message_of(archive* reader) {
  const char* message = archive_error_string(reader);
  return message == nullptr ? "unknown error" : message;
}

}  // namespace

ArchiveReader::ArchiveReader(const std::filesystem::path& path, Format format)
    : name_(path.string()), archive_(archive_read_new()) {
  if (archive_ == nullptr) throw std::bad_alloc();
  archive* reader = of(archive_);
  archive_read_support_filter_gzip(reader);
  if (format == Format::Tar) archive_read_support_format_tar(reader);
  if (format == Format::Zip) archive_read_support_format_zip(reader);
  constexpr size_t kBlockBytes = 64 * 1024;
  if (archive_read_open_filename(reader, path.c_str(), kBlockBytes) != ARCHIVE_OK) {
    const std::string message(message_of(reader));
    archive_read_free(reader);
    fail(ErrorCode::Io, name_, "can't open the archive: {}", message);
  }
}

ArchiveReader::~ArchiveReader() {
  if (archive_ != nullptr) archive_read_free(of(archive_));
}

ArchiveReader::ArchiveReader(ArchiveReader&& other) noexcept
    : name_(std::move(other.name_)), archive_(std::exchange(other.archive_, nullptr)) {}

ArchiveReader& ArchiveReader::operator=(ArchiveReader&& other) noexcept {
  std::swap(name_, other.name_);
  std::swap(archive_, other.archive_);
  return *this;
}

std::optional<std::string> ArchiveReader::next() {
  for (;;) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(of(archive_), &entry);
    if (status == ARCHIVE_EOF) return std::nullopt;
    // A warning is about names that the locale can't spell.
    if (status != ARCHIVE_OK && status != ARCHIVE_WARN) fail_damaged();
    if (archive_entry_filetype(entry) != AE_IFREG) continue;
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr) name = archive_entry_pathname_utf8(entry);
    if (name == nullptr) fail(ErrorCode::InvalidData, name_, "damaged archive: a member without a readable name");
    return name;
  }
}

std::string ArchiveReader::read(size_t count) {
  std::string content;
  for (size_t chunk = 64 * 1024; content.size() < count; chunk *= 2) {
    const size_t begin = content.size(), end = begin + std::min(chunk, count - begin);
    content.resize(end);
    for (size_t done = begin; done < end;) {
      const la_ssize_t got = archive_read_data(of(archive_), content.data() + done, end - done);
      if (got < 0) fail_damaged();
      if (got == 0) {
        content.resize(done);
        content.shrink_to_fit();  // small members may be kept by the thousand
        return content;
      }
      done += static_cast<size_t>(got);
    }
  }
  return content;
}

void ArchiveReader::fail_damaged() const {
  fail(ErrorCode::InvalidData, name_, "damaged archive: {}", message_of(of(archive_)));
}

}  // namespace halftone::data
