#include "halftone/train/slices.h"

namespace halftone::train {

at::Tensor sums_of_slices(const Slices& slices, const std::vector<double>& of_pieces) {
  at::Tensor sums = at::zeros({slices.count});
  const int64_t each = pieces_per_slice(slices);
  for (int64_t slice = 0; slice < slices.count; ++slice) {
    double sum = 0;
    for (int64_t i = slice * each; i < (slice + 1) * each; ++i) sum += of_pieces[static_cast<size_t>(i)];
    sums.data_ptr<float>()[slice] = static_cast<float>(sum);
  }
  return sums;
}

}  // namespace halftone::train
