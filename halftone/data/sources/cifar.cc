#include <algorithm>
#include <utility>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/data/sources/source.h"

namespace halftone::data {
namespace {

constexpr int64_t kSide = 32, kPlane = kSide * kSide;

// CIFAR-10 has one label byte before the three planes, CIFAR-100 a coarse one and a fine one.
struct Layout {
  int64_t label_bytes;
  uint8_t classes;
  int64_t record_bytes() const { return label_bytes + 3 * kPlane; }
};
constexpr Layout kLayouts[] = {{1, 10}, {2, 100}};

bool fits(const Layout& layout, std::span<const std::byte> bytes) {
  if (bytes.empty() || bytes.size() % static_cast<size_t>(layout.record_bytes()) != 0) return false;
  // A length of 3073 * 3074 bytes would fit both; the labels decide.
  const auto label = std::to_integer<uint8_t>(bytes[static_cast<size_t>(layout.label_bytes - 1)]);
  return label < layout.classes;
}

class CifarSource : public IndexedSource {
 public:
  CifarSource(std::string name, std::shared_ptr<const MappedFile> file, const Layout& layout)
      : name_(std::move(name)), file_(std::move(file)), layout_(layout) {}

  int64_t count() const override { return static_cast<int64_t>(file_->bytes().size()) / layout_.record_bytes(); }
  std::string id(int64_t index) const override { return fmt::format("{}[{}]", name_, index); }

  Sample decode(int64_t index) const override {
    const auto record = file_->bytes().subspan(static_cast<size_t>(index * layout_.record_bytes()));
    const auto byte = [&](int64_t i) { return std::to_integer<uint8_t>(record[static_cast<size_t>(i)]); };
    Sample sample;
    sample.id = id(index);
    sample.label = byte(layout_.label_bytes - 1);
    if (*sample.label >= layout_.classes) {
      fail(ErrorCode::InvalidData, sample.id, "a label below {} is required, found {}", layout_.classes, *sample.label);
    }
    Image image{kSide, kSide, std::vector<uint8_t>(3 * kPlane)};
    for (int64_t p = 0; p < kPlane; ++p) {
      for (int64_t c = 0; c < 3; ++c) {
        image.pixels[static_cast<size_t>(3 * p + c)] = byte(layout_.label_bytes + c * kPlane + p);
      }
    }
    sample.image = std::move(image);
    return sample;
  }

 private:
  std::string name_;
  std::shared_ptr<const MappedFile> file_;
  Layout layout_;
};

}  // namespace

Source open_cifar(const Location& location, const DatasetOptions&) {
  if (!location.is_file || !location.has_extension(".bin")) return {};
  auto file = MappedFile::open(location.path);
  const auto* layout = std::ranges::find_if(kLayouts, [&](const Layout& l) { return fits(l, file->bytes()); });
  if (layout == std::end(kLayouts)) {
    fail(ErrorCode::InvalidData, location.text,
         "CIFAR records of 3073 bytes (label, 3 planes of 1024) or 3074 (two labels) are required, found a file of {} "
         "bytes or a first label out of range",
         file->bytes().size());
  }
  return std::make_shared<const CifarSource>(location.path.filename().string(), std::move(file), *layout);
}

}  // namespace halftone::data
