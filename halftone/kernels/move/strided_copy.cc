#include "halftone/kernels/move/strided_copy.h"

#include <utility>

#include "halftone/kernels/move/copy_bytes.h"
#include "halftone/kernels/transpose/transpose.h"

namespace halftone::kernels {
namespace {

template <typename T>
void copy_line(const std::byte* from, std::byte* to, int64_t count, int64_t from_stride, int64_t to_stride) {
  const auto* source = reinterpret_cast<const T*>(from);
  auto* target = reinterpret_cast<T*>(to);
  for (int64_t i = 0; i < count; ++i) target[i * to_stride] = source[i * from_stride];
}

using LineFunction = void (*)(const std::byte*, std::byte*, int64_t, int64_t, int64_t);

LineFunction line_function(size_t element_size) {
  switch (element_size) {
    case 1:
      return copy_line<uint8_t>;
    case 2:
      return copy_line<uint16_t>;
    case 4:
      return copy_line<uint32_t>;
    default:
      return copy_line<uint64_t>;
  }
}

// The two innermost loops where they transpose bytes: one of them walks along neighbours in `from`, the other in `to`.
// Rows of `from` are the loop of larger strides there.
bool is_transpose(const StridedCopy& copy, size_t depth) {
  if (depth + 2 != copy.dims.size()) return false;
  const size_t i = depth, j = depth + 1;
  if (copy.from_strides[i] < 0 || copy.from_strides[j] < 0) return false;
  return (copy.from_strides[i] == 1 && copy.to_strides[j] == 1) ||
         (copy.from_strides[j] == 1 && copy.to_strides[i] == 1);
}

// Chosen once; few rows or columns without gaps have kernels of their own.
const TransposeKernel& transpose_kernel(const Rows& rows) {
  static const TransposeKernel* dealing = choose_transpose({2, kSlack, kSlack, 2}).kernel;
  static const TransposeKernel* collecting = choose_transpose({kSlack, 2, 2, kSlack}).kernel;
  static const TransposeKernel* any = choose_transpose({kSlack, kSlack, kSlack, kSlack}).kernel;
  if (*dealing->refuse(rows) == '\0') return *dealing;
  return *collecting->refuse(rows) == '\0' ? *collecting : *any;
}

void transpose(const StridedCopy& copy, size_t depth, const std::byte* from, std::byte* to, int64_t begin,
               int64_t end) {
  const size_t i = depth, j = depth + 1;
  const auto* source = reinterpret_cast<const uint8_t*>(from) + begin * copy.from_strides[i];
  auto* target = reinterpret_cast<uint8_t*>(to) + begin * copy.to_strides[i];
  const bool along_from = copy.from_strides[i] == 1;
  const Rows rows = along_from ? Rows{copy.dims[j], end - begin, copy.from_strides[j], copy.to_strides[i]}
                               : Rows{end - begin, copy.dims[j], copy.from_strides[i], copy.to_strides[j]};
  transpose_kernel(rows).run(rows, source, target);
}

void copy_loops(const StridedCopy& copy, size_t depth, const std::byte* from, std::byte* to, size_t size,
                LineFunction line, int64_t begin, int64_t end) {
  if (size == 1 && is_transpose(copy, depth)) return transpose(copy, depth, from, to, begin, end);
  const int64_t from_stride = copy.from_strides[depth], to_stride = copy.to_strides[depth];
  const auto bytes = static_cast<int64_t>(size);
  from += begin * from_stride * bytes;
  to += begin * to_stride * bytes;
  if (depth + 1 == copy.dims.size()) {
    if (from_stride == 1 && to_stride == 1) {
      copy_bytes(reinterpret_cast<uint8_t*>(to), reinterpret_cast<const uint8_t*>(from),
                 static_cast<size_t>(end - begin) * size);
    } else {
      line(from, to, end - begin, from_stride, to_stride);
    }
    return;
  }
  for (int64_t i = begin; i < end; ++i, from += from_stride * bytes, to += to_stride * bytes) {
    copy_loops(copy, depth + 1, from, to, size, line, 0, copy.dims[depth + 1]);
  }
}

}  // namespace

void simplify(StridedCopy& copy) {
  StridedCopy result{{}, {}, {}, copy.from_offset, copy.to_offset};
  for (size_t d = 0; d < copy.dims.size(); ++d) {
    if (copy.dims[d] == 1) continue;
    const bool continues = !result.dims.empty() && result.from_strides.back() == copy.from_strides[d] * copy.dims[d] &&
                           result.to_strides.back() == copy.to_strides[d] * copy.dims[d];
    if (continues) {
      result.dims.back() *= copy.dims[d];
      result.from_strides.back() = copy.from_strides[d];
      result.to_strides.back() = copy.to_strides[d];
    } else {
      result.dims.push_back(copy.dims[d]);
      result.from_strides.push_back(copy.from_strides[d]);
      result.to_strides.push_back(copy.to_strides[d]);
    }
  }
  if (result.dims.empty()) {
    result.dims = {1};
    result.from_strides = result.to_strides = {1};
  }
  copy = std::move(result);
}

void run_copy(const StridedCopy& copy, const std::byte* from, std::byte* to, size_t element_size, int64_t begin,
              int64_t end) {
  const auto bytes = static_cast<int64_t>(element_size);
  copy_loops(copy, 0, from + copy.from_offset * bytes, to + copy.to_offset * bytes, element_size,
             line_function(element_size), begin, end);
}

}  // namespace halftone::kernels
