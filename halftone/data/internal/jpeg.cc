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
Handle& thread_decoder() {
  thread_local Handle handle;
  if (!handle) handle.reset(tjInitDecompress());
  HT_CHECK(handle != nullptr, "no JPEG decoder: {}", tjGetErrorStr2(nullptr));
  return handle;
}

// A header that can't be read leaves the decoder in the middle of it, so the next file gets a new one.
[[noreturn]] void fail_damaged(Handle& decoder, const std::string& where) {
  const std::string message = tjGetErrorStr2(decoder.get());
  decoder.reset();
  fail(ErrorCode::InvalidData, where, "damaged JPEG: {}", message);
}

// Cameras leave stray bytes between markers that harm nothing; everything else libjpeg warns about has cost pixels.
bool is_harmless(std::string_view warning) { return warning.find("extraneous bytes") != std::string_view::npos; }

}  // namespace

Image decode_jpeg(Bytes bytes, const std::string& where) {
  Handle& decoder = thread_decoder();
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  const auto size = static_cast<unsigned long>(bytes.size());
  int width = 0, height = 0, subsampling = 0, colorspace = 0;
  if (tjDecompressHeader3(decoder.get(), data, size, &width, &height, &subsampling, &colorspace) != 0) {
    fail_damaged(decoder, where);
  }
  if (colorspace == TJCS_CMYK || colorspace == TJCS_YCCK) {
    fail(ErrorCode::InvalidData, where, "a grey or RGB image is required, found CMYK; convert it to RGB");
  }
  // A 16 x 16 block of a 4:2:0 picture takes at least six Huffman codes, which makes 342 pixels a byte.
  const int64_t most_pixels = static_cast<int64_t>(bytes.size()) * 512;
  check_image_size(width, height, most_pixels, where);
  Image image{height, width,
              std::vector<uint8_t>(static_cast<size_t>(3) * static_cast<size_t>(width) * static_cast<size_t>(height))};
  const int status = tjDecompress2(decoder.get(), data, size, image.pixels.data(), width, 0, height, TJPF_RGB,
                                   TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS);
  if (status != 0) {
    const bool is_warning = tjGetErrorCode(decoder.get()) == TJERR_WARNING;
    if (!is_warning || !is_harmless(tjGetErrorStr2(decoder.get()))) fail_damaged(decoder, where);
  }
  return image;
}

}  // namespace halftone::data
