// Reconstruction of a network block by block.
#pragma once

#include <cstdint>

#include "halftone/ptq/workbench.h"

namespace halftone::ptq {

struct RefineOptions {
  int64_t images = 256;      // at most, and at most Samples::kept
  int64_t iterations = 500;  // per block
  int64_t batch = 16;        // images to an iteration
  bool weights = false;      // roundings of weights are chosen, too: after `round` that makes things worse
  double rate = 0.04;        // of weights on their way to a code (Adam)
  double push = 5;           // weight of the term that drives them onto their codes
  bool drop = true;          // half of the roundings of activations left out at random (QDrop)
  bool biases = true;        // biases are learned as well
  uint64_t seed = 0;
};

// Block by block (find_blocks), first to last: minimizes
//
//   mean over samples of |block(x) - y|^2, y the float network's result, x what the quantized network hands to the
//   block
//
// over which of two codes each weight becomes (SoftRounding), the scales of the block's activations of fewer than 8
// bits that share their grid with no other value (LearnedGrid), and the layers' biases, by Adam on slopes through all
// of the block's layers: layers make up for each other's rounding and for that of activations (Li et al. 2021, BRECQ,
// arXiv 2102.05426). While learning, each element of the block's input is the float network's with probability 1/2, and
// each activation stays real with probability 1/2 (Wei et al. 2022, QDrop, arXiv 2203.05740).
//
// A quarter of the samples is held back; a block is only changed where its error on those becomes smaller, and where
// the integer arithmetic still takes all of its layers. Weights that several layers share, and grids that are not
// affine by tensor or channel, stay as they are.
//
// Errors: Error{InvalidArgument} without samples; those of Session. Determinism: threads make no difference; seeded.
// An interrupted run goes on behind the last block that was finished (kBlockJournal).
// Memory: kRefinedBytes of samples, and a sample's way through the block for each thread. Cost: three times the block's
// multiplications for each image and iteration.
void refine_blocks(Workbench& bench, const RefineOptions& options);

inline constexpr const char* kBlockJournal = ".blocks";  // behind the name of Workbench::journal
// Bytes of a block's inputs and results: large ones are seen for fewer images.
constexpr int64_t kRefinedBytes = int64_t{128} << 20;

}  // namespace halftone::ptq
