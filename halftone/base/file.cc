#include "halftone/base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <map>
#include <mutex>
#include <utility>

#include "halftone/base/error.h"

namespace halftone {
namespace {

// Closes on scope exit, so that a throw between open and mmap leaks nothing.
struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
};

[[noreturn]] void io_error(const std::filesystem::path& path, std::string_view action) {
  const int error = errno;
  fail(ErrorCode::Io, path.string(), "can't {}: {}", action, std::strerror(error));
}

Descriptor open_for_reading(const std::filesystem::path& path, struct stat& info) {
  Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) io_error(path, "open the file");
  if (::fstat(file.fd, &info) != 0) io_error(path, "read the file's size");
  if (!S_ISREG(info.st_mode)) fail(ErrorCode::Io, path.string(), "a file is required, found a folder or device");
  return Descriptor{std::exchange(file.fd, -1)};
}

// The living mappings by address.
class Mappings {
 public:
  void add(const MappedFile& file) {
    const std::lock_guard lock(mutex_);
    by_begin_[file.bytes().data()] = &file;
  }
  void remove(const MappedFile& file) {
    const std::lock_guard lock(mutex_);
    by_begin_.erase(file.bytes().data());
  }
  // Calls `f` with the mapping that holds all of `bytes`, if there is one.
  template <typename F>
  void visit(std::span<const std::byte> bytes, const F& f) {
    const std::lock_guard lock(mutex_);
    auto after = by_begin_.upper_bound(bytes.data());
    if (after == by_begin_.begin()) return;
    const MappedFile& file = *std::prev(after)->second;
    if (bytes.data() + bytes.size() <= file.bytes().data() + file.bytes().size()) f(file);
  }

 private:
  std::mutex mutex_;
  std::map<const std::byte*, const MappedFile*> by_begin_;
};

Mappings& mappings() {
  // Never destroyed: mappings may outlive every static object.
  static Mappings& all = *new Mappings;
  return all;
}

}  // namespace

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path) {
  struct stat info {};
  Descriptor file = open_for_reading(path, info);
  std::shared_ptr<MappedFile> mapped(new MappedFile);
  if (info.st_size > 0) {
    void* data = ::mmap(nullptr, static_cast<size_t>(info.st_size), PROT_READ, MAP_PRIVATE, file.fd, 0);
    if (data == MAP_FAILED) io_error(path, "map the file into memory");
    mapped->data_ = static_cast<const std::byte*>(data);
    mapped->size_ = static_cast<size_t>(info.st_size);
    mapped->descriptor_ = std::exchange(file.fd, -1);
    mappings().add(*mapped);
  }
  return mapped;
}

MappedFile::~MappedFile() {
  if (data_ == nullptr) return;
  mappings().remove(*this);
  ::munmap(const_cast<std::byte*>(data_), size_);
  ::close(descriptor_);
}

std::span<const std::byte> skip_hole(std::span<const std::byte> bytes) {
  size_t hole = 0;
  mappings().visit(bytes, [&](const MappedFile& file) {
    const auto offset = static_cast<off_t>(bytes.data() - file.data_);
    const off_t next = ::lseek(file.descriptor_, offset, SEEK_DATA);
    // ENXIO: nothing but a hole up to the end. Other errors: a file system that does not know.
    if (next >= offset) hole = static_cast<size_t>(next - offset);
    if (next < 0 && errno == ENXIO) hole = bytes.size();
  });
  return bytes.subspan(std::min(hole, bytes.size()));
}

void forget_pages(std::span<const std::byte> bytes) {
  mappings().visit(bytes, [&](const MappedFile& file) {
    const auto page = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
    const auto begin = static_cast<size_t>(bytes.data() - file.data_);
    const size_t first = (begin + page - 1) / page * page;
    const size_t last = (begin + bytes.size()) / page * page;
    if (first < last) ::madvise(const_cast<std::byte*>(file.data_) + first, last - first, MADV_DONTNEED);
  });
}

AtomicFile::AtomicFile(std::filesystem::path target) : target_(std::move(target)) {
  // Process and counter make the name unique among concurrent runs and threads.
  static std::atomic<unsigned> counter{0};
  if (std::filesystem::is_directory(target_)) {
    fail(ErrorCode::Io, target_.string(), "a file name is required, found a folder");
  }
  // Renaming would put a file in the place of /dev/null.
  if (std::filesystem::is_other(target_)) {
    fail(ErrorCode::Io, target_.string(), "a file name is required, found a device or pipe");
  }
  temporary_ = fmt::format("{}.{}.{}.tmp", target_.string(), ::getpid(), counter++);
  // A file without a name vanishes with the process, however that ends. Not every file system has them.
  const std::filesystem::path folder = target_.has_parent_path() ? target_.parent_path() : ".";
  descriptor_ = ::open(folder.c_str(), O_WRONLY | O_TMPFILE | O_CLOEXEC, 0666);
  named_ = descriptor_ < 0;
  if (named_) descriptor_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (descriptor_ < 0) io_error(target_, "create the file");
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (named_) ::unlink(temporary_.c_str());
}

void AtomicFile::write(const void* data, size_t size) {
  const char* from = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = ::write(descriptor_, from, size);
    if (written < 0) {
      if (errno == EINTR) continue;
      io_error(target_, "write the file");
    }
    from += written;
    size -= static_cast<size_t>(written);
  }
}

void AtomicFile::seek(size_t offset) {
  if (::lseek(descriptor_, static_cast<off_t>(offset), SEEK_SET) < 0) io_error(target_, "seek in the file");
}

void AtomicFile::commit() {
  // Some file systems report a full disk only when the data is really stored.
  if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS) io_error(target_, "store the file");
  if (!named_) {
    const std::string unnamed = fmt::format("/proc/self/fd/{}", descriptor_);
    if (::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, temporary_.c_str(), AT_SYMLINK_FOLLOW) != 0) {
      io_error(target_, "name the file");
    }
    named_ = true;
  }
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) io_error(target_, "put the file in place");
  ::close(std::exchange(descriptor_, -1));
}

bool same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  // Files that don't exist yet are the same where their names lead to the same place; names that lead nowhere don't.
  std::error_code none;
  if (std::filesystem::equivalent(a, b, none)) return true;
  const std::filesystem::path place = std::filesystem::weakly_canonical(std::filesystem::absolute(a, none), none);
  return !none && place == std::filesystem::weakly_canonical(std::filesystem::absolute(b, none), none) && !none;
}

std::string read_file(const std::filesystem::path& path) {
  struct stat info {};
  const Descriptor file = open_for_reading(path, info);
  std::string content(static_cast<size_t>(info.st_size), '\0');
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t got = ::read(file.fd, content.data() + done, content.size() - done);
    if (got < 0) {
      if (errno == EINTR) continue;
      io_error(path, "read the file");
    }
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  content.resize(done);
  return content;
}

void write_file(const std::filesystem::path& path, std::string_view content) {
  AtomicFile file(path);
  file.write(content);
  file.commit();
}

}  // namespace halftone
