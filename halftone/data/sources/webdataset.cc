#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "halftone/base/error.h"
#include "halftone/base/rng.h"
#include "halftone/data/internal/archive.h"
#include "halftone/data/internal/image_codec.h"
#include "halftone/data/internal/labels_csv.h"
#include "halftone/data/internal/shards.h"

namespace halftone::data {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostMemberBytes = size_t{1} << 28;

// A file of a shard. Its sample's key is the path up to the first dot of the file name, its field what follows.
struct ShardMember {
  size_t shard;
  std::string key, field;
  std::string content;
};

bool is_image_field(std::string_view field) { return field == "jpg" || field == "jpeg" || field == "png"; }

// Successive members with one key are a sample: NAME.jpg and NAME.cls.
class WebDataset : public Dataset {
 public:
  explicit WebDataset(std::vector<fs::path> shards) : shards_(std::move(shards)) {}

  // Shards don't say how many samples they hold.
  std::optional<int64_t> size() const override { return std::nullopt; }

  std::optional<Record> next() override {
    if (!pending_) pending_ = next_member();
    if (!pending_) return std::nullopt;
    const size_t shard = pending_->shard;
    const std::string key = pending_->key;
    auto encoded = std::make_shared<std::string>();
    bool has_image = false;
    std::optional<int64_t> label;
    const std::string id = fmt::format("{}/{}", shards_[shard].filename().string(), key);
    for (; pending_ && pending_->shard == shard && pending_->key == key; pending_ = next_member()) {
      if (pending_->field == "cls") {
        // The content ends in a line break where a shell wrote it.
        const std::string_view text = std::string_view(pending_->content).substr(0, pending_->content.find('\n'));
        label = parse_label(text);
        if (!label) {
          fail(ErrorCode::InvalidData, id + ".cls", "an integer >= 0 is required as label, found '{}'",
               text.substr(0, 80));
        }
      } else {
        *encoded = std::move(pending_->content);
        has_image = true;
      }
    }
    if (!has_image) fail(ErrorCode::InvalidData, id, "an image (.jpg, .jpeg, .png) beside the .cls is required");
    const auto decode = [id, label, encoded] {
      return Sample{id, label, decode_image(std::as_bytes(std::span(*encoded)), id), {}};
    };
    return Record{id, decode, encoded->capacity()};
  }

  void rewind() override {
    reader_.reset();
    pending_.reset();
    next_shard_ = 0;
  }

 private:
  // The next image or label; members of other kinds are passed over.
  std::optional<ShardMember> next_member() {
    for (;;) {
      if (!reader_) {
        if (next_shard_ == shards_.size()) return std::nullopt;
        reader_.emplace(shards_[next_shard_++], ArchiveReader::Format::Tar);
      }
      const std::optional<std::string> name = reader_->next();
      if (!name) {
        reader_.reset();
        continue;
      }
      const size_t slash = name->rfind('/');
      const size_t dot = name->find('.', slash == std::string::npos ? 0 : slash + 1);
      if (dot == std::string::npos) continue;
      ShardMember member{next_shard_ - 1, name->substr(0, dot), name->substr(dot + 1), {}};
      std::ranges::transform(member.field, member.field.begin(), [](unsigned char c) { return std::tolower(c); });
      if (member.field != "cls" && !is_image_field(member.field)) continue;
      member.content = reader_->read(kMostMemberBytes + 1);
      if (member.content.size() > kMostMemberBytes) {
        fail(ErrorCode::InvalidData, fmt::format("{}/{}", shards_[member.shard].string(), *name),
             "at most 256 MiB are required, found more");
      }
      return member;
    }
  }

  std::vector<fs::path> shards_;
  size_t next_shard_ = 0;
  std::optional<ArchiveReader> reader_;
  std::optional<ShardMember> pending_;
};

}  // namespace

Source open_webdataset(const Location& location, const DatasetOptions& options) {
  std::vector<fs::path> shards = find_shards(location);
  if (shards.empty()) return {};
  if (options.shuffle_seed) Rng(*options.shuffle_seed).shuffle(shards);
  return std::make_unique<WebDataset>(std::move(shards));
}

}  // namespace halftone::data
