#include <turbojpeg.h>

#include <memory>
#include <string_view>

#include "halftone/base/error.h"
#include "halftone/data/internal/image_codec.h"

namespace halftone::data {
namespace {

struct DestroyHandle {
  void operator()(void* handle) const { tjDestroy(handle); }
};
using Handle = std::unique_ptr<void, DestroyHandle>;

// Making a decoder costs as much as decoding a thumbnail; each thread keeps its own.
tjhandle thread_decoder() {
  thread_local const Handle handle(tjInitDecompress());
  HT_CHECK(handle != nullptr, "no JPEG decoder: {}", tjGetErrorStr2(nullptr));
  return handle.get();
}

// Cameras leave stray bytes between markers that harm nothing; everything else libjpeg warns about has cost pixels.
bool is_harmless(std::string_view warning) { return warning.find("extraneous bytes") != std::string_view::npos; }

}  // namespace

Image decode_jpeg(Bytes bytes, const std::string& where) {
  const tjhandle decoder = thread_decoder();
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto size = static_cast<unsigned long>(bytes.size());
  int width = 0, height = 0, subsampling = 0, colorspace = 0;
  if (tjDecompressHeader3(decoder, data, size, &width, &height, &subsampling, &colorspace) != 0) {
    fail(ErrorCode::InvalidData, where, "damaged JPEG: {}", tjGetErrorStr2(decoder));
  }
  if (colorspace == TJCS_CMYK || colorspace == TJCS_YCCK) {
    fail(ErrorCode::InvalidData, where, "a grey or RGB image is required, found CMYK; convert it to RGB");
  }
  // A 16 x 16 block of a 4:2:0 picture takes at least six Huffman codes, which makes 342 pixels a byte.
  const int64_t most_pixels = static_cast<int64_t>(bytes.size()) * 512;
  check_image_size(width, height, most_pixels, where);
  Image image{height, width,
              std::vector<uint8_t>(static_cast<size_t>(3) * static_cast<size_t>(width) * static_cast<size_t>(height))};
  const int status = tjDecompress2(decoder, data, size, image.pixels.data(), width, 0, height, TJPF_RGB,
                                   TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS);
  if (status != 0) {
    const std::string_view message = tjGetErrorStr2(decoder);
    if (tjGetErrorCode(decoder) != TJERR_WARNING || !is_harmless(message)) {
      fail(ErrorCode::InvalidData, where, "damaged JPEG: {}", message);
    }
  }
  return image;
}

}  // namespace halftone::data
