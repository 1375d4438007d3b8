#include "halftone/runtime/sealed_file.h"

#include "halftone/base/file.h"

namespace halftone::runtime {
namespace {

constexpr size_t kHeader = sizeof(FileKind::magic) + 2 * sizeof(uint64_t);
// Blocks keep their alignment in the file when what comes before them is a multiple of it.
constexpr size_t kBodyOffset = (kHeader + kBlockAlignment - 1) / kBlockAlignment * kBlockAlignment;

}  // namespace

void write_sealed(const FileKind& kind, const Writer& content, const std::filesystem::path& path) {
  const std::string& body = content.bytes();
  const uint64_t size = body.size(), checksum = checksum_of(std::as_bytes(std::span(body)));
  AtomicFile file(path);
  file.write(kind.magic.data(), kind.magic.size());
  file.write(&size, sizeof(size));
  file.write(&checksum, sizeof(checksum));
  file.seek(kBodyOffset);
  file.write(body);
  file.commit();
}

Reader open_sealed(const FileKind& kind, const std::filesystem::path& path) {
  const std::shared_ptr<const MappedFile> file = MappedFile::open(path);
  const std::span<const std::byte> bytes = file->bytes();
  const Reader empty({}, nullptr, path.string(), kind.damage);
  if (bytes.size() < kBodyOffset || std::memcmp(bytes.data(), kind.magic.data(), kind.magic.size()) != 0) {
    empty.refuse("it has no header");
  }
  uint64_t size = 0, checksum = 0;
  std::memcpy(&size, bytes.data() + kind.magic.size(), sizeof(size));
  std::memcpy(&checksum, bytes.data() + kind.magic.size() + sizeof(size), sizeof(checksum));
  const std::span<const std::byte> body = bytes.subspan(kBodyOffset);
  if (size != body.size()) empty.refuse(fmt::format("{} bytes are required, found {}", size, body.size()));
  if (checksum_of(body) != checksum) empty.refuse("its checksum is wrong");
  return {body, file, path.string(), kind.damage};
}

}  // namespace halftone::runtime
