#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/data/internal/image_codec.h"
#include "halftone/data/internal/labels_csv.h"
#include "halftone/data/sources/source.h"

namespace halftone::data {
namespace {

namespace fs = std::filesystem;

bool is_image_name(const fs::path& path) {
  constexpr std::array<std::string_view, 3> kExtensions = {".jpg", ".jpeg", ".png"};
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::ranges::find(kExtensions, extension) != kExtensions.end();
}

// Sorted by name, so that the order does not depend on the file system.
std::vector<fs::path> sorted_entries(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> entries;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    entries.push_back(it->path());
  }
  if (error) fail(ErrorCode::Io, folder.string(), "can't list the folder: {}", error.message());
  std::ranges::sort(entries);
  return entries;
}

class ImageFolderSource : public IndexedSource {
 public:
  ImageFolderSource(fs::path folder, std::vector<LabelledFile> files)
      : folder_(std::move(folder)), files_(std::move(files)) {}

  int64_t count() const override { return static_cast<int64_t>(files_.size()); }
  std::string id(int64_t index) const override { return file(index).name; }

  Sample decode(int64_t index) const override {
    const fs::path path = folder_ / file(index).name;
    const std::string content = read_file(path);
    Sample sample;
    sample.id = file(index).name;
    sample.label = file(index).label;
    sample.image = decode_image(std::as_bytes(std::span(content)), path.string());
    return sample;
  }

 private:
  const LabelledFile& file(int64_t index) const { return files_[static_cast<size_t>(index)]; }

  fs::path folder_;
  std::vector<LabelledFile> files_;
};

// The rows with their files looked up beside the list or under images/.
std::vector<LabelledFile> files_of_list(const fs::path& folder, const fs::path& list) {
  std::vector<LabelledFile> rows = parse_labels_csv(read_file(list), list.string());
  for (LabelledFile& row : rows) {
    std::error_code ignored;
    if (fs::is_regular_file(folder / row.name, ignored)) continue;
    const fs::path below = fs::path("images") / row.name;
    if (!fs::is_regular_file(folder / below, ignored)) {
      fail(ErrorCode::InvalidData, fmt::format("{}:{}", list.string(), row.line),
           "names the image '{}', which is neither beside the list nor under images/", row.name);
    }
    row.name = below.string();
  }
  return rows;
}

// Subfolders that hold images are the classes; without any, the folder's own images have no label.
std::vector<LabelledFile> files_of_folder(const fs::path& folder) {
  std::vector<LabelledFile> flat, classified;
  int64_t label = 0;
  for (const fs::path& entry : sorted_entries(folder)) {
    std::error_code ignored;
    if (!fs::is_directory(entry, ignored)) {
      if (is_image_name(entry)) flat.push_back({entry.filename().string(), std::nullopt});
      continue;
    }
    const size_t before = classified.size();
    for (const fs::path& image : sorted_entries(entry)) {
      if (is_image_name(image)) classified.push_back({(entry.filename() / image.filename()).string(), label});
    }
    if (classified.size() > before) ++label;
  }
  return classified.empty() ? flat : classified;
}

}  // namespace

Source open_image_folder(const Location& location, const DatasetOptions&) {
  if (!location.is_folder) return {};
  const fs::path list = location.path / "labels.csv";
  std::error_code ignored;
  auto files = fs::exists(list, ignored) ? files_of_list(location.path, list) : files_of_folder(location.path);
  if (files.empty()) {
    fail(ErrorCode::InvalidData, location.text,
         "JPEG or PNG images are required (with labels.csv, in one subfolder per class, or unlabelled), found none");
  }
  return std::make_shared<const ImageFolderSource>(location.path, std::move(files));
}

}  // namespace halftone::data
