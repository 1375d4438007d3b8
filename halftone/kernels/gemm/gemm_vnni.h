// Products on vpdpbusd (acc + 4 products of uint8 with int8 per 32-bit lane, without saturation), for any width of
// vectors. An instruction-set file includes vectors_X.h, defines
//   struct Dot {
//     static constexpr int kMostVectors;                  // of a column block
//     static constexpr int kRows[kMostVectors + 1];       // rows of a tile by number of vectors; [0] is not used
//     static constexpr int kStationary;                   // vectors of weights that stay in registers
//     Int dot(Int acc, Int bytes, Int weights);
//     Int permute32(Int words, Int order);
//     using Columns; Columns columns(int64_t count);      // that exist, of the block's
//     void store<kFirst, kBytes>(void* to, Int bytes, Columns);  // as many as exist of kBytes bytes from byte kFirst
//     on void store_words<kVector>(void* to, Float words, Columns);  // the words of one of the block's vectors
//   };
// and then this header.
#pragma once

#include "halftone/kernels/gemm/gemm_vnni_stationary.h"
#include "halftone/kernels/gemm/gemm_vnni_tiles.h"

namespace halftone::kernels {
namespace {

template <typename Finish>
void blocks(const std::byte* packed, const GemmRun& run) {
  const auto& blob = *reinterpret_cast<const VnniBlob*>(packed);
  const int64_t element = blob.result == GemmResult::Real ? 4 : 1;
  for (int64_t i = run.first_block; i < run.last_block; ++i) {
    const int64_t first = vnni_first_vector(blob, i), vectors = vnni_first_vector(blob, i + 1) - first;
    const int64_t column = first * Vectors::kLanes, room = vectors * Vectors::kLanes, rest = blob.columns - column;
    const std::byte* weights = packed + blob.weights + first * blob.taps * blob.steps * Vectors::kBytes;
    const Block block = {blob,
                         run,
                         packed + blob.constants + first * blob.vector_bytes,
                         reinterpret_cast<const int8_t*>(weights),
                         static_cast<std::byte*>(run.to) + column * element,
                         Dot::columns(rest < room ? rest : room)};
    if (Finish::kCodes && blob.stationary) {
      stationary<Finish>(block, vectors);
    } else {
      tiles_by_vectors<Finish, Dot::kMostVectors>(block, vectors);
    }
  }
}

}  // namespace
}  // namespace halftone::kernels
