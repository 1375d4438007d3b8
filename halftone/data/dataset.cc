#include "halftone/data/dataset.h"

#include <zlib.h>

#include <algorithm>
#include <utility>

#include "halftone/base/error.h"
#include "halftone/base/rng.h"
#include "halftone/data/internal/permutation.h"
#include "halftone/data/sources/source.h"

namespace halftone::data {
namespace {

// Encoded items that wait to be drawn when a stream is shuffled: a few thousand photographs, or all of a training set
// of small images.
constexpr size_t kShuffleBytes = 256'000'000;

class IndexedDataset : public Dataset {
 public:
  IndexedDataset(std::shared_ptr<const IndexedSource> source, const DatasetOptions& options)
      : source_(std::move(source)), first_(std::min(options.skip, source_->count())), next_(first_) {
    const int64_t count = source_->count();
    if (options.shuffle_seed) order_.emplace(count, *options.shuffle_seed);
    end_ = options.limit > 0 ? first_ + std::min(options.limit, count - first_) : count;
  }

  std::optional<int64_t> size() const override { return end_ - first_; }

  std::optional<Record> next() override {
    if (next_ == end_) return std::nullopt;
    const int64_t index = order_ ? (*order_)(next_) : next_;
    ++next_;
    return Record{source_->id(index), [source = source_, index] { return source->decode(index); }};
  }

  void rewind() override { next_ = first_; }

 private:
  std::shared_ptr<const IndexedSource> source_;
  int64_t first_, next_, end_ = 0;
  std::optional<Permutation> order_;
};

size_t bytes_of(const Record& record) { return sizeof(Record) + record.id.size() + record.bytes; }

// Draws each record at random from a window that slides over the stream.
class ShuffledStream : public Dataset {
 public:
  ShuffledStream(std::unique_ptr<Dataset> stream, uint64_t seed)
      : stream_(std::move(stream)), seed_(seed), rng_(seed) {}

  std::optional<int64_t> size() const override { return stream_->size(); }

  std::optional<Record> next() override {
    while (!ended_ && held_ < kShuffleBytes) {
      std::optional<Record> record = stream_->next();
      ended_ = !record;
      if (ended_) break;
      held_ += bytes_of(*record);
      window_.push_back(std::move(*record));
    }
    if (window_.empty()) return std::nullopt;
    std::swap(window_[rng_.below(window_.size())], window_.back());
    std::optional<Record> drawn = std::move(window_.back());
    window_.pop_back();
    held_ -= bytes_of(*drawn);
    return drawn;
  }

  void rewind() override {
    stream_->rewind();
    window_.clear();
    held_ = 0;
    ended_ = false;
    rng_ = Rng(seed_);
  }

 private:
  std::unique_ptr<Dataset> stream_;
  uint64_t seed_;
  Rng rng_;
  std::vector<Record> window_;
  size_t held_ = 0;     // bytes of the window
  bool ended_ = false;  // the stream is
};

// The items of a stream from `skip` on, `limit` of them (0: all).
class StreamPart : public Dataset {
 public:
  StreamPart(std::unique_ptr<Dataset> stream, int64_t skip, int64_t limit)
      : stream_(std::move(stream)), skip_(skip), limit_(limit) {}

  std::optional<int64_t> size() const override {
    const std::optional<int64_t> all = stream_->size();
    if (!all) return std::nullopt;
    const int64_t rest = std::max(*all - skip_, int64_t{0});
    return limit_ > 0 ? std::min(rest, limit_) : rest;
  }

  std::optional<Record> next() override {
    for (; skipped_ < skip_; ++skipped_) {
      if (!stream_->next()) return std::nullopt;
    }
    if (limit_ > 0 && taken_ == limit_) return std::nullopt;
    ++taken_;
    return stream_->next();
  }

  void rewind() override {
    stream_->rewind();
    taken_ = skipped_ = 0;
  }

 private:
  std::unique_ptr<Dataset> stream_;
  int64_t skip_, limit_;
  int64_t taken_ = 0, skipped_ = 0;
};

std::string read_head(const std::filesystem::path& path) {
  std::string head(512, '\0');
  // gzread passes plain files through; what it can't decompress has no head that anyone recognizes.
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) fail(ErrorCode::Io, path.string(), "can't open the file");
  const int got = gzread(file, head.data(), static_cast<unsigned>(head.size()));
  gzclose(file);
  head.resize(static_cast<size_t>(std::max(got, 0)));
  return head;
}

Location locate(const std::string& text) {
  Location location;
  location.text = text;
  location.path = text;
  std::error_code ignored;
  location.is_folder = std::filesystem::is_directory(location.path, ignored);
  location.is_file = std::filesystem::is_regular_file(location.path, ignored);
  if (location.is_file) location.head = read_head(location.path);
  return location;
}

std::unique_ptr<Dataset> finish(Source source, const std::string& path, const DatasetOptions& options) {
  if (auto* indexed = std::get_if<std::shared_ptr<const IndexedSource>>(&source)) {
    if ((*indexed)->count() == 0) fail(ErrorCode::InvalidData, path, "at least one item is required, found none");
    return std::make_unique<IndexedDataset>(std::move(*indexed), options);
  }
  auto stream = std::move(std::get<std::unique_ptr<Dataset>>(source));
  if (!stream->next()) fail(ErrorCode::InvalidData, path, "at least one item is required, found none");
  stream->rewind();
  if (options.shuffle_seed) stream = std::make_unique<ShuffledStream>(std::move(stream), *options.shuffle_seed);
  if (options.limit > 0 || options.skip > 0) {
    stream = std::make_unique<StreamPart>(std::move(stream), options.skip, options.limit);
  }
  return stream;
}

}  // namespace

int64_t count_items(Dataset& dataset) {
  if (const std::optional<int64_t> size = dataset.size()) return *size;
  dataset.rewind();
  int64_t count = 0;
  while (dataset.next()) ++count;
  dataset.rewind();
  return count;
}

std::unique_ptr<Dataset> open_dataset(const std::string& path, const DatasetOptions& options) {
  if (options.limit < 0 || options.skip < 0) {
    fail(ErrorCode::InvalidArgument, path, "numbers of items of at least 0 are required, found {}",
         std::min(options.limit, options.skip));
  }
  const Location location = locate(path);
  std::string known;
#define HT_DATA_SOURCE(name, description)                                    \
  if (Source source = open_##name(location, options); source.index() != 0) { \
    return finish(std::move(source), path, options);                         \
  }                                                                          \
  known += known.empty() ? description : "; " description;
#include "halftone/data/sources/sources.def"
#undef HT_DATA_SOURCE
  if (!location.is_folder && !location.is_file) fail(ErrorCode::Io, path, "no such file or folder");
  fail(ErrorCode::InvalidData, path, "not a data set that Halftone knows; it reads {}", known);
}

}  // namespace halftone::data
