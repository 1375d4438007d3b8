// How good a network is on a validation set.
#pragma once

#include <vector>

#include "halftone/data/loader.h"
#include "halftone/train/network.h"
#include "halftone/train/train.h"

namespace halftone::train {

struct Verdict {
  double accuracy = 0, loss = 0;  // share of right answers, mean cross-entropy
};

class Judge {
 public:
  // Both networks have run before. Right are the labels, or, where the set has none, what `teacher` answers. Errors:
  // Error{InvalidData} for labels out of range or missing on some samples.
  Judge(const TrainOptions& options, Network& student, Network& teacher);

  bool by_labels() const { return by_labels_; }
  int64_t samples() const { return static_cast<int64_t>(right_.size()); }

  // Of the network as inference computes it.
  Verdict judge(Network& network);
  // The share of samples on which `model` in the integer engine answers what `network` does.
  double engine_agreement(Network& network, const QuantizedModel& model);

 private:
  // Calls visit(logits, index of its first sample) for every batch.
  template <typename F>
  void answer(Network& network, F visit);
  std::vector<int64_t> answers(Network& network);

  const TrainOptions& options_;
  std::vector<data::InputPort> inputs_;
  std::vector<int64_t> right_;
  bool by_labels_ = true;
};

}  // namespace halftone::train
