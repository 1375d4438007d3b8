#include <zlib.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "halftone/base/error.h"
#include "halftone/data/sources/source.h"

namespace halftone::data {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kMostPixels = int64_t{1} << 24;  // of one picture

struct CloseGz {
  void operator()(gzFile file) const { gzclose(file); }
};

// An IDX file of bytes, compressed or not, read forwards. Format: two zero bytes, the element type (8: unsigned byte),
// the rank, the dimensions as big-endian 32-bit numbers, the elements (Y. LeCun, "The MNIST database").
class IdxFile {
 public:
  explicit IdxFile(fs::path path) : path_(std::move(path)), file_(gzopen(path_.c_str(), "rb")) {
    if (file_ == nullptr) fail(ErrorCode::Io, path_.string(), "can't open the file");
    std::array<uint8_t, 4> magic{};
    read(magic);
    if (magic[0] != 0 || magic[1] != 0 || magic[3] == 0 || magic[3] > 8) {
      fail(ErrorCode::InvalidData, path_.string(), "an IDX file is required, found another header");
    }
    if (magic[2] != 0x08) {
      fail(ErrorCode::Unsupported, path_.string(), "IDX of unsigned bytes (type 0x08) is required, found type {:#04x}",
           magic[2]);
    }
    for (int i = 0; i < magic[3]; ++i) {
      std::array<uint8_t, 4> dim{};
      read(dim);
      shape_.push_back(static_cast<int64_t>(dim[0]) << 24 | dim[1] << 16 | dim[2] << 8 | dim[3]);
    }
  }

  const Shape& shape() const { return shape_; }

  void read(std::span<uint8_t> to) {
    const int got = gzread(file_.get(), to.data(), static_cast<unsigned>(to.size()));
    if (got < 0 || static_cast<size_t>(got) < to.size()) {
      fail(ErrorCode::InvalidData, path_.string(),
           "the file is damaged or cut short: {} more bytes are required, found {}", to.size(), std::max(got, 0));
    }
  }

 private:
  fs::path path_;
  std::unique_ptr<gzFile_s, CloseGz> file_;
  Shape shape_;
};

void replace(std::string& text, std::string_view from, std::string_view to) {
  if (const size_t at = text.rfind(from); at != std::string::npos) text.replace(at, from.size(), to);
}

// "train-images-idx3-ubyte.gz" -> "train-labels-idx1-ubyte.gz", with or without .gz; empty where there is none.
fs::path labels_beside(const fs::path& images) {
  std::string name = images.filename().string();
  replace(name, "images", "labels");
  replace(name, "idx3", "idx1");
  if (name == images.filename()) return {};
  const std::string other = name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name + ".gz";
  std::error_code ignored;
  for (const std::string& candidate : {name, other}) {
    if (fs::is_regular_file(images.parent_path() / candidate, ignored)) return images.parent_path() / candidate;
  }
  return {};
}

class IdxDataset : public Dataset {
 public:
  explicit IdxDataset(const fs::path& path) : path_(path), labels_path_(labels_beside(path)) { rewind(); }

  std::optional<int64_t> size() const override { return images_->shape()[0]; }

  std::optional<Record> next() override {
    const Shape& shape = images_->shape();
    if (next_ == shape[0]) return std::nullopt;
    auto grey = std::make_shared<std::vector<uint8_t>>(static_cast<size_t>(shape[1] * shape[2]));
    images_->read(*grey);
    std::optional<int64_t> label;
    if (labels_) {
      std::array<uint8_t, 1> byte{};
      labels_->read(byte);
      label = byte[0];
    }
    std::string id = fmt::format("{}[{}]", path_.filename().string(), next_++);
    const auto decode = [id, label, grey, height = shape[1], width = shape[2]] {
      Image image{height, width, {}};
      image.pixels.reserve(3 * grey->size());
      for (const uint8_t value : *grey) image.pixels.insert(image.pixels.end(), 3, value);
      return Sample{id, label, std::move(image), {}};
    };
    return Record{id, decode, grey->size()};
  }

  void rewind() override {
    next_ = 0;
    images_.emplace(path_);
    const Shape& shape = images_->shape();
    if (shape.size() != 3 || shape[1] < 1 || shape[2] < 1 || shape[1] > kMostPixels / shape[2]) {
      fail(ErrorCode::InvalidData, path_.string(),
           "pictures of 1 to 2^24 pixels (3 dimensions: count, height, width) are required, found the shape {}",
           to_string(shape));
    }
    if (labels_path_.empty()) return;
    labels_.emplace(labels_path_);
    if (labels_->shape().size() != 1 || labels_->shape()[0] != shape[0]) {
      fail(ErrorCode::InvalidData, labels_path_.string(), "one label for each of {} pictures is required, found {}",
           shape[0], to_string(labels_->shape()));
    }
  }

 private:
  fs::path path_, labels_path_;
  std::optional<IdxFile> images_, labels_;
  int64_t next_ = 0;
};

}  // namespace

Source open_idx(const Location& location, const DatasetOptions&) {
  using namespace std::string_view_literals;
  const bool by_content = location.head.starts_with("\0\0\x08"sv) && location.head.size() > 4 && location.head[3] <= 8;
  const bool by_name =
      location.text.find(".idx") != std::string::npos || location.text.find("-idx") != std::string::npos;
  if (!location.is_file || !(by_content || by_name)) return {};
  return std::make_unique<IdxDataset>(location.path);
}

}  // namespace halftone::data
