// A tensor seen as outer x slices x inner along one axis, and loops over it that give the same sums on any number of
// threads.
#pragma once

#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "halftone/train/torch.h"

namespace halftone::train {

struct Slices {
  int64_t outer = 1, count = 1, inner = 1;

  // axis -1: the whole tensor is one slice.
  Slices(const at::Tensor& tensor, int64_t axis) : inner(tensor.numel()) {
    if (axis < 0) return;
    inner = 1;
    for (int64_t d = 0; d < tensor.dim(); ++d) (d < axis ? outer : d == axis ? count : inner) *= tensor.size(d);
  }
};

// Elements that are worked on in one go. Fixed, because sums are added up piece by piece.
constexpr int64_t kPiece = int64_t{1} << 14;

// Calls piece(slice, first, last, number) for pieces [first, last) of at most kPiece elements that cover every run of a
// slice, several at once; pieces are numbered slice by slice from 0.
template <typename F>
void for_each_piece(const Slices& slices, F piece) {
  const int64_t per_run = (slices.inner + kPiece - 1) / kPiece;
  const int64_t total = slices.count * slices.outer * per_run;
  const int64_t grain = std::max<int64_t>(1, kPiece / std::max<int64_t>(1, std::min(slices.inner, kPiece)));
  at::parallel_for(0, total, grain, [&](int64_t begin, int64_t end) {
    for (int64_t number = begin; number < end; ++number) {
      const int64_t slice = number / (slices.outer * per_run), rest = number % (slices.outer * per_run);
      const int64_t run = (rest / per_run * slices.count + slice) * slices.inner;
      const int64_t first = run + rest % per_run * kPiece;
      piece(slice, first, std::min(first + kPiece, run + slices.inner), number);
    }
  });
}

// How many pieces each slice has.
inline int64_t pieces_per_slice(const Slices& slices) { return slices.outer * ((slices.inner + kPiece - 1) / kPiece); }

// Adds up what the pieces of each slice found, in their order.
at::Tensor sums_of_slices(const Slices& slices, const std::vector<double>& of_pieces);

}  // namespace halftone::train
