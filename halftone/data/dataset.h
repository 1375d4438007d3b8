// The room `data`: images and tensors with labels, streamed in a fixed order; preprocessing. It sees tensor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halftone/tensor/tensor_map.h"

namespace halftone::data {

// An 8-bit image, height x width x 3 interleaved RGB (grey images repeat their channel).
struct Image {
  int64_t height = 0, width = 0;
  std::vector<uint8_t> pixels;
};

// One item as it lies in the source, decoded.
struct Sample {
  std::string id;                // file name or index, for messages
  std::optional<int64_t> label;  // none where the source has no labels
  std::optional<Image> image;    // image sources
  TensorMap tensors;             // npy/npz sources: by input name ("" where it has none); dimension 0 is 1
};

// An encoded item: cheap to enumerate; `decode` may run on any thread. Errors of decode: Error{InvalidData} naming the
// file.
struct Record {
  std::string id;
  std::function<Sample()> decode;
  size_t bytes = 0;  // that it holds until it is gone, where they are many
};

// A source of records in a fixed order. Streaming: memory does not grow with the number of items.
class Dataset {
 public:
  virtual ~Dataset() = default;
  // Number of items when it is known without reading everything, else nullopt.
  virtual std::optional<int64_t> size() const = 0;
  // The next item, or nullopt at the end. Not thread-safe.
  virtual std::optional<Record> next() = 0;
  // Starts again from the first item.
  virtual void rewind() = 0;
};

struct DatasetOptions {
  int64_t limit = 0;                     // the first N items only, after shuffling and skipping; 0: all
  std::optional<uint64_t> shuffle_seed;  // a permutation that only the seed decides; sources that can't be indexed are
                                         // shuffled within a window of 256 MB of encoded items: whole, if they fit
  int64_t skip = 0;                      // leaves out the first N items, after shuffling
};

// Number of items, counted where the source doesn't know it: one pass that decodes nothing. Rewinds the set.
int64_t count_items(Dataset& dataset);

// Opens `path`, whatever kind it is of:
//   folder with labels.csv (file,label) and images beside it or under images/; folder with one subfolder per class
//   (sorted by name); folder of images without labels; CIFAR-10/100 binary (.bin); IDX (.idx?-ubyte, also .gz; the
//   labels file is found by its name); .npy and .npz; WebDataset shards (.tar, .tar.gz, a folder of them, or
//   "train-{00..09}.tar.gz"); "synthetic:glyphs?count=1000&seed=1" for the procedural set.
// Errors: Error{Io, InvalidData} naming the path and what was expected. A set without items is an error.
std::unique_ptr<Dataset> open_dataset(const std::string& path, const DatasetOptions& options = {});

}  // namespace halftone::data
