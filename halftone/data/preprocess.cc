#include "halftone/data/preprocess.h"

#include <array>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/data/internal/resize.h"

namespace halftone::data {
namespace {

constexpr std::array<int, 3> kRgb = {0, 1, 2}, kBgr = {2, 1, 0};

// Luma of ITU-R BT.601, rounded.
uint8_t luma(const uint8_t* rgb) {
  return static_cast<uint8_t>((299 * rgb[0] + 587 * rgb[1] + 114 * rgb[2] + 500) / 1000);
}

// A window of an image.
struct Window {
  const Image* image;
  int64_t top, left, height, width;
  const uint8_t* pixel(int64_t y, int64_t x) const {
    return image->pixels.data() + 3 * ((top + y) * image->width + left + x);
  }
};

Window centre_crop(const Image& image, const Preprocess& recipe) {
  const int64_t height = recipe.crop_height > 0 ? recipe.crop_height : image.height;
  const int64_t width = recipe.crop_width > 0 ? recipe.crop_width : image.width;
  if (height > image.height || width > image.width) {
    fail(ErrorCode::InvalidData, "crop", "an image of at least {} x {} is required, found {} x {}", height, width,
         image.height, image.width);
  }
  return {&image, (image.height - height) / 2, (image.width - width) / 2, height, width};
}

// Every value that a pixel can take, normalized.
using NormalizedBytes = std::array<float, 256>;

NormalizedBytes normalize_bytes(float mean, float std) {
  NormalizedBytes table;
  for (size_t v = 0; v < table.size(); ++v) table[v] = (static_cast<float>(v) - mean) / std;
  return table;
}

}  // namespace

Tensor apply(const Preprocess& recipe, const Image& image) {
  const Image resized = resize(image, recipe.height > 0 ? recipe.height : image.height,
                               recipe.width > 0 ? recipe.width : image.width, recipe.filter, recipe.antialias);
  const Window window = centre_crop(resized, recipe);
  const bool grey = recipe.color == "GRAY";
  const int64_t channels = grey ? 1 : 3;
  const std::array<int, 3>& order = recipe.color == "BGR" ? kBgr : kRgb;
  const bool planar = recipe.layout == "NCHW";
  Tensor tensor(DType::Float, planar ? Shape{1, channels, window.height, window.width}
                                     : Shape{1, window.height, window.width, channels});
  float* const to = tensor.mutable_data<float>().data();
  // Where a channel starts, and how far its neighbouring pixels are apart.
  const int64_t channel_stride = planar ? window.height * window.width : 1, pixel_stride = planar ? 1 : channels;
  for (int64_t c = 0; c < channels; ++c) {
    const NormalizedBytes table =
        normalize_bytes(recipe.mean[static_cast<size_t>(c)], recipe.std[static_cast<size_t>(c)]);
    const int source = order[static_cast<size_t>(c)];
    float* value = to + c * channel_stride;
    for (int64_t y = 0; y < window.height; ++y) {
      const uint8_t* pixel = window.pixel(y, 0);
      for (int64_t x = 0; x < window.width; ++x, pixel += 3, value += pixel_stride) {
        *value = table[grey ? luma(pixel) : pixel[source]];
      }
    }
  }
  return tensor;
}

std::optional<Preprocess> find_preprocess(const std::filesystem::path& model, const std::string& metadata_entry,
                                          const std::filesystem::path& explicit_file) {
  if (!explicit_file.empty()) return Preprocess::from_json(read_file(explicit_file), explicit_file.string());
  if (!metadata_entry.empty()) {
    return Preprocess::from_json(metadata_entry, model.string() + " (metadata halftone.preprocess)");
  }
  std::filesystem::path beside = model;
  beside.replace_extension(".preprocess.json");
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(beside, ignored)) return std::nullopt;
  return Preprocess::from_json(read_file(beside), beside.string());
}

}  // namespace halftone::data
