// Trains the demo network with libtorch; torch's headers stay in trainer.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "network.h"

namespace train_demo {

struct TrainOptions {
  uint64_t seed = 1;         // of the weights; the training pictures are the set with this seed too
  int64_t steps = 5000;      // of 128 fresh pictures each
  int threads = 1;           // of torch; the result depends on it, as sums are cut differently
  uint64_t test_seed = 999;  // a set that training never draws from
  int64_t test_count = 10000;
};

struct TrainResult {
  Weights weights;
  double test_accuracy = 0;
};

// Deterministic for equal options on one machine. `log` receives a line every few hundred steps.
TrainResult train(const TrainOptions& options, const std::function<void(const std::string&)>& log);

}  // namespace train_demo
