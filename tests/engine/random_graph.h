// Random networks for property tests.
#pragma once

#include <cstdint>

#include "halftone/graph/graph.h"
#include "halftone/tensor/tensor_map.h"

namespace halftone::test {

struct RandomNet {
  Graph graph;
  TensorMap inputs;
};

// A network of 5 to 24 nodes on images of odd sizes: convolutions of every kind with and without batch norm,
// activations, residual sums, concatenations, pools, pads, slices, identities, shape arithmetic on constants, and a
// matrix product at the end. Deterministic in `seed`.
RandomNet random_net(uint64_t seed);

}  // namespace halftone::test
