// Steps on codes of more than 8 bits, which are stored as int16 (kernels/wide_grid.h). Plain loops over elements: what
// takes time in wide layers are their products.
#pragma once

#include <algorithm>
#include <string>

#include "halftone/runtime/layout.h"
#include "halftone/runtime/lowering.h"
#include "halftone/runtime/split.h"

namespace halftone::runtime {

// Where the numbers of one channel of one image are, in elements.
struct ChannelLine {
  int64_t first = 0, step = 1;
};

// A value in any layout as images of channels of numbers.
struct ChannelLines {
  int64_t images = 1, channels = 1, pixels = 1;
  bool flat = false;  // the order doesn't matter: one channel

  ChannelLine line(const Place& place, int64_t image, int64_t channel) const;
};

// Flat where both places hold their elements in the same order, without gaps.
ChannelLines channel_lines(const Place& from, const Place& to);

// Adds a step that sets every element of `to` to f of that of `from`, of the C++ types To and From.
template <typename To, typename From, typename F>
void add_element_step(Lowering& lowering, const std::string& name, const Place& from, const Place& to, const F& f) {
  constexpr int64_t kBlock = 64;  // pixels of a channel before it is the next one's turn
  const ChannelLines lines = channel_lines(from, to);
  const Split split = split_range(lines.images * lines.pixels, lowering.threads(),
                                  std::max<int64_t>(kEltwiseGrain / std::max<int64_t>(lines.channels, 1), 1));
  Step step{name, split.parts(), nullptr};
  step.bind = [=](RunMemory& memory) -> Step::Work {
    const auto* source = reinterpret_cast<const From*>(memory.at(from.where));
    auto* target = reinterpret_cast<To*>(memory.at(to.where));
    return [=](int part) {
      for (int64_t begin = split.begin(part); begin < split.end(part);) {
        const int64_t image = begin / lines.pixels, first = begin % lines.pixels;
        const int64_t block = lines.flat ? lines.pixels : kBlock;
        const int64_t count = std::min({split.end(part) - begin, lines.pixels - first, block});
        for (int64_t c = 0; c < lines.channels; ++c) {
          const ChannelLine a = lines.line(from, image, c), b = lines.line(to, image, c);
          const From* x = source + a.first + first * a.step;
          To* y = target + b.first + first * b.step;
          if (a.step == 1 && b.step == 1) {
            for (int64_t i = 0; i < count; ++i) y[i] = f(x[i]);
          } else {
            for (int64_t i = 0; i < count; ++i) y[i * b.step] = f(x[i * a.step]);
          }
        }
        begin += count;
      }
    };
  };
  lowering.add_step(std::move(step), {from.where, to.where});
}

// Conversions between floats and wide codes, as of add_quantize and add_dequantize (codes.h); channels that only pad a
// Blocked result become 0.
void add_wide_quantize(Lowering& lowering, const std::string& name, const Place& from, const Place& to);
void add_wide_dequantize(Lowering& lowering, const std::string& name, const Place& from, const Place& to);
// From ChannelsLast to Plain or back.
void add_wide_transpose(Lowering& lowering, const std::string& name, const Place& from, const Place& to);

// Codes of at most 8 bits as int16, in a copy of the same layout without gaps: the same numbers, the same zero point.
Place widened(Lowering& lowering, const std::string& name, const Place& codes);

}  // namespace halftone::runtime
