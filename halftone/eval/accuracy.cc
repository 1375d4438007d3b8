#include "halftone/eval/accuracy.h"

#include <chrono>
#include <cmath>

#include "halftone/base/error.h"
#include "halftone/eval/batches.h"

namespace halftone::eval {
namespace {

struct Counts {
  int64_t images = 0, top1 = 0, top5 = 0;
};

Counts count(const Tensor& scores, const data::Batch& batch) {
  const auto samples = static_cast<int64_t>(batch.labels.size());
  if (scores.dtype() != DType::Float || scores.rank() < 1 || scores.dim(0) != samples || scores.size() == 0) {
    fail(ErrorCode::Unsupported, "evaluate",
         "float scores of shape [{}, classes] are required, the model gives {} of {}", samples, name_of(scores.dtype()),
         to_string(scores.shape()));
  }
  const auto classes = static_cast<size_t>(scores.size() / samples);
  Counts counts;
  for (size_t i = 0; i < batch.labels.size(); ++i) {
    const std::optional<int64_t> label = batch.labels[i];
    if (!label) {
      fail(ErrorCode::InvalidData, batch.ids[i],
           "accuracy needs a label for every sample, found none; give a labels.csv");
    }
    if (*label < 0 || *label >= static_cast<int64_t>(classes)) {
      fail(ErrorCode::InvalidData, batch.ids[i],
           "the model has {} classes, found label {} (label_offset included); check labels and the preprocess file",
           classes, *label);
    }
    const int64_t rank = rank_of(scores.data<float>().subspan(i * classes, classes), *label);
    counts.top1 += rank < 1;
    counts.top5 += rank < 5;
    ++counts.images;
  }
  return counts;
}

}  // namespace

int64_t rank_of(std::span<const float> scores, int64_t label) {
  const float own = scores[static_cast<size_t>(label)];
  int64_t rank = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    const bool before = static_cast<int64_t>(i) < label;
    if (static_cast<int64_t>(i) == label) continue;
    if (std::isnan(own) || scores[i] > own || (before && scores[i] == own)) ++rank;
  }
  return rank;
}

std::string score_output(const Graph& graph) {
  if (graph.outputs().size() == 1) return graph.value(graph.outputs().front()).name;
  for (ValueId id : graph.outputs()) {
    const TensorType& type = graph.value(id).type;
    if (type.ranked() && type.rank() == 2) return graph.value(id).name;
  }
  fail(ErrorCode::Unsupported, graph.name,
       "one output of shape [n, classes] is required, found {} others; this is no classifier", graph.outputs().size());
}

Accuracy evaluate(const Engine& engine, const std::string& output, data::Loader& loader, ThreadTeam& team,
                  ProgressSink& progress) {
  Counts total;
  const auto start = std::chrono::steady_clock::now();
  map_batches<Counts>(
      loader, team, progress,
      [&](const data::Batch& batch) { return count(engine.run(batch.inputs).at(output), batch); },
      [&](const Counts& counts) {
        total.images += counts.images;
        total.top1 += counts.top1;
        total.top5 += counts.top5;
      });
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  if (total.images == 0)
    fail(ErrorCode::InvalidData, "evaluate", "at least one sample is required, the data set has none");
  const auto images = static_cast<double>(total.images);
  return {total.images, static_cast<double>(total.top1) / images, static_cast<double>(total.top5) / images,
          images / elapsed.count()};
}

}  // namespace halftone::eval
