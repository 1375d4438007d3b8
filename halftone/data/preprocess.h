// From decoded images to network inputs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "halftone/data/dataset.h"
#include "halftone/tensor/tensor.h"

namespace halftone::data {

// How a model wants its image. Read from JSON (docs/data.md lists the keys); files under the name NAME.preprocess.json.
struct Preprocess {
  enum class Filter { Nearest, Bilinear, Bicubic };
  std::string color = "RGB";      // RGB, BGR or GRAY
  std::string layout = "NCHW";    // NCHW or NHWC
  int64_t height = 0, width = 0;  // after resizing; 0: keep the image's size
  Filter filter = Filter::Bilinear;
  bool antialias = false;
  int64_t crop_height = 0, crop_width = 0;  // centre crop after resizing; 0: none
  std::vector<float> mean = {0, 0, 0};      // on the 0..255 scale, in the order of `color`
  std::vector<float> std = {1, 1, 1};
  int64_t label_offset = 0;  // the model's class index = label + label_offset

  // Errors: Error{InvalidArgument} at `where` for unknown keys (with the nearest known one), wrong types and values.
  static Preprocess from_json(const std::string& text, const std::string& where);
  std::string to_json() const;
  bool operator==(const Preprocess&) const = default;
};

// The model's own recipe: `explicit_file` if given, else the model's metadata entry "halftone.preprocess", else the
// file NAME.preprocess.json beside the model. nullopt where there is none.
std::optional<Preprocess> find_preprocess(const std::filesystem::path& model, const std::string& metadata_entry,
                                          const std::filesystem::path& explicit_file = {});

// Resizes (half-pixel centres; pixels rounded to 8 bits, as image libraries do), crops, orders and normalizes.
// Shape of the result: [1, c, h, w] or [1, h, w, c], float. Deterministic.
Tensor apply(const Preprocess& recipe, const Image& image);

}  // namespace halftone::data
