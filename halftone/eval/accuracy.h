// Top-1 and top-5 accuracy of a classifier.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "halftone/base/progress.h"
#include "halftone/base/thread_team.h"
#include "halftone/data/loader.h"
#include "halftone/eval/engine.h"

namespace halftone::eval {

struct Accuracy {
  int64_t images = 0;
  double top1 = 0, top5 = 0;  // fractions of the images
  double images_per_second = 0;
};

// Classifies every sample of `loader`; `output` names the scores, of shape [n, classes] (further dimensions of size 1
// are allowed). A class's rank is the number of classes with a higher score, or an equal one and a lower index; a score
// that is NaN never wins. Errors: Error{InvalidData} for a sample without label, a label outside the classes, or no
// samples at all. Deterministic apart from images_per_second.
Accuracy evaluate(const Engine& engine, const std::string& output, data::Loader& loader, ThreadTeam& team,
                  ProgressSink& progress);

// The output that holds class scores: the only one, or the first of rank 2. Errors: Error{Unsupported} where there is
// none.
std::string score_output(const Graph& graph);

// Rank of class `label` among `scores` as defined above: 0 is the best.
int64_t rank_of(std::span<const float> scores, int64_t label);

}  // namespace halftone::eval
