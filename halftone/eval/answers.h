// What a classifier says about each sample of a data set.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "halftone/base/progress.h"
#include "halftone/base/thread_team.h"
#include "halftone/data/loader.h"
#include "halftone/eval/engine.h"

namespace halftone::eval {

struct Answer {
  std::string id;                // the sample's
  std::optional<int64_t> label;  // in the model's numbering
  int64_t best = 0;              // index of the largest score, the first of equals
  bool operator==(const Answer&) const = default;
};

// One per sample, in the data set's order. `output` names float scores whose dimension 0 counts the samples. Errors:
// Error{Unsupported} for other outputs, Error{InvalidData} when there are no samples. Deterministic.
std::vector<Answer> answers(const Engine& engine, const std::string& output, data::Loader& loader, ThreadTeam& team,
                            ProgressSink& progress);

// The fraction of samples whose label is the answer. Precondition: all have labels.
double top1(const std::vector<Answer>& answers);

// The fraction of samples on which two networks say the same. Precondition: the same samples.
double agreement(const std::vector<Answer>& reference, const std::vector<Answer>& other);

}  // namespace halftone::eval
