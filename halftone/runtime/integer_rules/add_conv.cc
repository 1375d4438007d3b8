#include "halftone/runtime/integer_rules/add_conv.h"

#include "halftone/runtime/integer_rules/product.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {
namespace {

// All that the blob of a convolution depends on besides the node.
std::string blob_name(const kernels::GemmKernel& kernel, const kernels::ConvShape& s, const std::string& name) {
  return fmt::format("{}{}/{}x{}/{}x{}/{}/{}", name, kernel.name, s.in_height, s.in_width, s.out_height, s.out_width,
                     s.in_pixel_stride, s.out_pixel_stride);
}

}  // namespace

void add_conv(Lowering& lowering, const kernels::ConvProblem& problem, int64_t images, const Operand& from,
              const Operand& to, const std::string& name, const std::optional<RowPlaces>& rows) {
  const kernels::Choice<kernels::GemmKernel> choice = choose_conv(problem, images);
  lowering.note_choice(choice);
  const kernels::GemmKernel& kernel = *choice.kernel;
  const Operand packed = lowering.constant_blob(
      blob_name(kernel, problem.shape, name), [&] { return conv_packed_bytes(kernel, problem); },
      [&](std::byte* blob) { pack_conv(kernel, problem, blob); });
  const kernels::Conv conv(kernel, packed.constant.get());
  lowering.note().kernel = conv.describe();
  const int parts = product_parts(lowering, conv.operations(images));
  const size_t scratch_bytes = (conv.scratch_bytes() + 63) / 64 * 64;
  const Operand scratch{lowering.add_buffer(scratch_bytes * static_cast<size_t>(parts)), nullptr, 0};
  Step step{describe(lowering.graph(), lowering.node()), parts, nullptr};
  // `packed` is captured to keep the constants.
  step.bind = [conv, packed, images, from, to, scratch, scratch_bytes, parts, rows, width = problem.shape.out_width,
               height = problem.shape.out_height,
               pixel_stride = problem.shape.out_pixel_stride](RunMemory& memory) -> Step::Work {
    const auto* source = reinterpret_cast<const uint8_t*>(memory.at(from));
    std::byte* target = memory.at(to);
    std::byte* own = memory.at(scratch);
    if (!rows) {
      return [=](int part) {
        conv.run(source, target, conv.part(images, part, parts), own + static_cast<size_t>(part) * scratch_bytes);
      };
    }
    const Split split{images * height, 1, parts};
    return [=](int part) {
      kernels::ConvPart row = conv.whole(images);
      for (int64_t y = split.begin(part); y < split.end(part); ++y) {
        row.first_pixel = y * width;
        row.last_pixel = row.first_pixel + width;
        // The kernel counts its pixels from the first of all.
        std::byte* first = target + rows->offset + y / height * rows->image_stride + y % height * rows->row_stride;
        conv.run(source, first - row.first_pixel * pixel_stride, row, own + static_cast<size_t>(part) * scratch_bytes);
      }
    };
  };
  lowering.add_step(std::move(step), {from, to, scratch});
}

}  // namespace halftone::runtime
