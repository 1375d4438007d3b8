#include "halftone/runtime/reorder.h"

#include <algorithm>
#include <cstring>

#include "halftone/kernels/move/strided_copy.h"
#include "halftone/runtime/onednn.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {

void add_reorder(Lowering& lowering, const std::string& name, const Place& from, const Place& to) {
  const Channels value = channels_of(from.shape);
  const Place& plain = from.layout == Layout::Plain ? from : to;
  // Slices along the batch are contiguous in both layouts, of one image those along whole blocks of channels. Where all
  // channels are one block, pixels are cut.
  const int64_t block = channel_block(value.c);
  const bool by_image = value.n > 1, whole_pixels = is_one_block(value.c), by_pixel = !by_image && whole_pixels;
  const int64_t wanted = stored_elements(from.shape, Layout::Blocked) / kEltwiseGrain;
  const int64_t units = by_image ? value.n : by_pixel ? value.s : value.padded() / block;
  const Split split{by_image   ? value.n
                    : by_pixel ? value.s
                               : value.c,
                    by_image || by_pixel ? 1 : block,
                    std::clamp<int64_t>(wanted, 1, std::min<int64_t>(lowering.threads(), units))};
  std::vector<PrimitivePart> parts;
  const SingleThreadScope single;
  for (int part = 0; part < split.parts(); ++part) {
    const int64_t begin = split.begin(part), size = split.end(part) - begin;
    const dnnl::memory::dims dims = {by_image ? size : 1, by_image || by_pixel ? value.c : size,
                                     by_pixel ? size : value.s, 1};
    const dnnl::memory::desc plain_desc(dims, kFloat, dnnl::memory::dims{value.c * value.s, value.s, 1, 1});
    const dnnl::memory::desc blocked_desc =
        whole_pixels ? dnnl::memory::desc(dims, kFloat, dnnl::memory::dims{value.c * value.s, 1, value.c, value.c})
                     : dnnl::memory::desc(dims, kFloat, blocked_tag());
    const bool to_blocked = &plain == &from;
    const auto offset = [&](bool is_plain) {
      if (by_pixel) return begin * (is_plain ? 1 : value.c);
      if (!by_image) return begin * value.s;
      return begin * value.s * (is_plain ? value.c : value.padded());
    };
    const dnnl::memory::desc& source = to_blocked ? plain_desc : blocked_desc;
    const dnnl::memory::desc& target = to_blocked ? blocked_desc : plain_desc;
    const dnnl::reorder::primitive_desc desc(engine(), source, engine(), target, make_attributes());
    parts.push_back({dnnl::reorder(desc),
                     {{DNNL_ARG_FROM, source, shifted(from.where, offset(to_blocked))},
                      {DNNL_ARG_TO, target, shifted(to.where, offset(!to_blocked))}}});
  }
  add_primitives(lowering, name + (from.layout == Layout::Plain ? " to blocked" : " to plain"), std::move(parts));
}

void add_planes(Lowering& lowering, const std::string& name, const Place& from, const Place& to) {
  const Channels value = channels_of(from.shape);
  const kernels::StridedCopy copy{{value.c, value.s}, {1, value.c}, {value.s, 1}};
  // Planes of all images in parts.
  const Split split{value.n * value.c, 1,
                    std::clamp<int64_t>(element_count(from.shape) / kEltwiseGrain, 1, lowering.threads())};
  Step step{name + " to plain", split.parts(), nullptr};
  step.bind = [from = from.where, to = to.where, copy, value, split](RunMemory& memory) -> Step::Work {
    const std::byte* source = memory.at(from);
    std::byte* target = memory.at(to);
    return [=](int part) {
      for (int64_t plane = split.begin(part); plane < split.end(part);) {
        const int64_t image = plane / value.c, end = std::min(split.end(part), (image + 1) * value.c);
        const int64_t first = image * value.c * value.s * static_cast<int64_t>(sizeof(float));
        run_copy(copy, source + first, target + first, sizeof(float), plane - image * value.c, end - image * value.c);
        plane = end;
      }
    };
  };
  lowering.add_step(std::move(step), {from.where, to.where});
}

std::shared_ptr<const std::byte> blocked_copy(const Place& constant) {
  const Channels value = channels_of(constant.shape);
  const int64_t block = channel_block(value.c);
  const std::shared_ptr<std::byte> copy =
      allocate_constant(static_cast<size_t>(stored_elements(constant.shape, Layout::Blocked)) * sizeof(float));
  const auto* from = reinterpret_cast<const float*>(constant.where.constant.get() + constant.where.offset);
  auto* to = reinterpret_cast<float*>(copy.get());
  for (int64_t n = 0; n < value.n; ++n) {
    for (int64_t c = 0; c < value.c; ++c) {
      for (int64_t s = 0; s < value.s; ++s) {
        to[((n * value.padded() + c / block * block) * value.s) + s * block + c % block] =
            from[(n * value.c + c) * value.s + s];
      }
    }
  }
  return copy;
}

Tensor tensor_at(const RunMemory& memory, const Place& place) {
  if (place.slot >= 0) return memory.slots[static_cast<size_t>(place.slot)];
  HT_CHECK(place.layout == Layout::Plain, "only plain values are tensors");
  const size_t bytes = bytes_for(place.dtype, element_count(place.shape));
  // The memory outlives the view, so the owner may be anything that is not null.
  static const auto keep_alive = std::make_shared<const int>(0);
  return Tensor::view(place.dtype, place.shape, {memory.at(place.where), bytes}, keep_alive);
}

void store(const Tensor& tensor, RunMemory& memory, const Place& place) {
  if (place.slot >= 0) {
    memory.slots[static_cast<size_t>(place.slot)] = tensor;
    return;
  }
  HT_CHECK(tensor.dtype() == place.dtype && tensor.shape() == place.shape, "{} {} was planned, {} {} was computed",
           name_of(place.dtype), to_string(place.shape), name_of(tensor.dtype()), to_string(tensor.shape()));
  if (tensor.size() > 0) std::memcpy(memory.at(place.where), tensor.bytes().data(), tensor.bytes().size());
}

}  // namespace halftone::runtime
