// Sizes of values in the two layouts.
#pragma once

#include <cstdint>

#include "halftone/runtime/program.h"

namespace halftone::runtime {

// Floats of a vector register of oneDNN's kernels on this machine.
int64_t vector_floats();

// True where all channels of a pixel are one block of the Blocked layout, which is so with AVX2: the kernels are as
// fast that way (oneDNN 2.6 on Zen 3), and any rows of an image can be given to a thread. Slices of the channels would
// leave them too few registers to fill: half of 16 channels take nine tenths of the time of all. AVX-512's are measured
// in blocks; SSE4.1's know nothing else.
bool blocks_are_pixels();

// Channels per block of the Blocked layout, of a value with so many.
int64_t channel_block(int64_t channels);

inline int64_t padded_channels(int64_t channels) {
  const int64_t block = channel_block(channels);
  return (channels + block - 1) / block * block;
}

// True where the channels are one block without padding: the Blocked layout then is channels last.
inline bool is_one_block(int64_t channels) { return channel_block(channels) == channels; }

// A value seen as [n, c, s], s being the product of its spatial dimensions.
struct Channels {
  int64_t n = 1, c = 1, s = 1;
  int64_t padded() const { return padded_channels(c); }
};
// `shape` has at least two dimensions.
Channels channels_of(const Shape& shape);

// Elements that the value takes in a layout, padding included.
int64_t stored_elements(const Shape& shape, Layout layout);

// Memory that the value takes, slack behind codes included.
size_t stored_bytes(const Place& place);

// True when both float layouts of the value are the same bytes, apart from padding at the end.
bool layouts_coincide(const Shape& shape);
// The permutation of a Transpose of [n, c, s...] to [n, s..., c]: what ChannelsLast has done already.
std::vector<int64_t> channels_last_permutation(size_t rank);

// True when the place, codes or floats, is the same bytes in Plain and ChannelsLast.
bool channels_last_coincides(const Place& place);

}  // namespace halftone::runtime
