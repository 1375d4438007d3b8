// What a block reads and what it should make of it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "halftone/ptq/blocks/block.h"
#include "halftone/ptq/staged_run.h"
#include "halftone/ptq/workbench.h"

namespace halftone::ptq {

// For every sample the block's input as the quantized network computes it (`found`) and as the float network does
// (`real`), and the float network's result (`target`).
struct BlockSamples {
  int64_t count = 0, input_size = 0, output_size = 0;
  std::vector<float> found, real, target;

  std::span<const float> of(const std::vector<float>& all, int64_t sample) const {
    const size_t size = all.size() / static_cast<size_t>(count);
    return std::span(all).subspan(static_cast<size_t>(sample) * size, size);
  }
};

// Of the batches that `reference` runs on, as many samples as fit into `bytes`, at least one; sizes are those of one
// sample. Errors: those of Session.
BlockSamples read_block_samples(const Workbench& bench, const Block& block, int64_t input_size, int64_t output_size,
                                const StagedRun& reference, const std::vector<data::Batch>& batches, int64_t bytes);

}  // namespace halftone::ptq
