#include "halftone/eval/answers.h"

#include <algorithm>

#include "halftone/base/error.h"
#include "halftone/eval/batches.h"

namespace halftone::eval {
namespace {

std::vector<Answer> answers_of(const Tensor& scores, const data::Batch& batch) {
  const auto samples = static_cast<int64_t>(batch.ids.size());
  if (scores.dtype() != DType::Float || scores.rank() < 1 || scores.dim(0) != samples || scores.size() == 0) {
    fail(ErrorCode::Unsupported, "answers",
         "float scores of shape [{}, classes] are required, the model gives {} of {}", samples, name_of(scores.dtype()),
         to_string(scores.shape()));
  }
  const auto width = static_cast<size_t>(scores.size() / samples);
  std::vector<Answer> result;
  for (size_t i = 0; i < batch.ids.size(); ++i) {
    const std::span<const float> row = scores.data<float>().subspan(i * width, width);
    const auto best = std::max_element(row.begin(), row.end());
    result.push_back({batch.ids[i], batch.labels[i], best - row.begin()});
  }
  return result;
}

template <typename F>
double fraction(size_t count, const F& holds) {
  size_t hits = 0;
  for (size_t i = 0; i < count; ++i) hits += holds(i);
  return static_cast<double>(hits) / static_cast<double>(count);
}

}  // namespace

std::vector<Answer> answers(const Engine& engine, const std::string& output, data::Loader& loader, ThreadTeam& team,
                            ProgressSink& progress) {
  std::vector<Answer> all;
  map_batches<std::vector<Answer>>(
      loader, team, progress,
      [&](const data::Batch& batch) { return answers_of(engine.run(batch.inputs).at(output), batch); },
      [&](std::vector<Answer> some) { all.insert(all.end(), some.begin(), some.end()); });
  if (all.empty()) fail(ErrorCode::InvalidData, "answers", "at least one sample is required, the data set has none");
  return all;
}

double top1(const std::vector<Answer>& answers) {
  HT_CHECK(!answers.empty(), "no answers");
  return fraction(answers.size(), [&](size_t i) { return answers[i].label == answers[i].best; });
}

double agreement(const std::vector<Answer>& reference, const std::vector<Answer>& other) {
  HT_CHECK(!other.empty() && reference.size() == other.size(), "{} and {} answers", reference.size(), other.size());
  return fraction(other.size(), [&](size_t i) { return reference[i].best == other[i].best; });
}

}  // namespace halftone::eval
