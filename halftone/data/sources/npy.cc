#include "halftone/data/npy.h"

#include <utility>

#include "halftone/base/error.h"
#include "halftone/base/file.h"
#include "halftone/data/internal/bytes.h"
#include "halftone/data/internal/strided_copy.h"
#include "halftone/data/sources/source.h"

namespace halftone::data {
namespace {

// Item i along dimension 0 of a mapped array.
class NpySource : public IndexedSource {
 public:
  NpySource(std::string name, const NpyHeader& header, std::shared_ptr<const MappedFile> file, Bytes elements)
      : name_(std::move(name)), header_(header), file_(std::move(file)), elements_(elements) {}

  int64_t count() const override { return header_.shape[0]; }
  std::string id(int64_t index) const override { return fmt::format("{}[{}]", name_, index); }

  Sample decode(int64_t index) const override {
    Shape shape = header_.shape;
    shape[0] = 1;
    Sample sample;
    sample.id = id(index);
    const size_t item_bytes = elements_.size() / static_cast<size_t>(count());
    if (header_.is_row_major()) {
      sample.tensors[""] = Tensor::view(header_.dtype, shape,
                                        elements_.subspan(static_cast<size_t>(index) * item_bytes, item_bytes), file_);
    } else {
      Tensor item(header_.dtype, shape);
      copy_fortran_slice(elements_, header_.shape, bytes_for(header_.dtype, 1), index, 1, item.mutable_bytes());
      sample.tensors[""] = std::move(item);
    }
    return sample;
  }

 private:
  std::string name_;
  NpyHeader header_;
  std::shared_ptr<const MappedFile> file_;
  Bytes elements_;
};

}  // namespace

Source open_npy(const Location& location, const DatasetOptions&) {
  if (!location.is_file || (!location.head.starts_with(kNpyMagic) && !location.has_extension(".npy"))) return {};
  auto file = MappedFile::open(location.path);
  const NpyHeader header = parse_npy_header(file->bytes(), location.text);
  if (header.shape.empty()) {
    fail(ErrorCode::InvalidData, location.text,
         "an array whose dimension 0 counts samples is required, found a scalar");
  }
  const Bytes elements = npy_elements(header, file->bytes(), location.text);
  return std::make_shared<const NpySource>(location.path.filename().string(), header, std::move(file), elements);
}

}  // namespace halftone::data
